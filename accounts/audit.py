"""The log of sign-ins, failures and denials: ids and reasons, never addresses or tokens."""

import logging

log = logging.getLogger("audit")


def record(event: str, **facts: object) -> None:
    """Write one line, e.g. `signin user=7 kind=api`."""
    log.info("%s", " ".join([event, *(f"{name}={value}" for name, value in facts.items())]))
