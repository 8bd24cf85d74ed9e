"""The options of a feed request, checked one by one."""

from collections.abc import Mapping
from dataclasses import dataclass

from feeds.modes import MODES
from feeds.seeds import Seed, new_seed, resume
from tiktok_clone.common.errors import invalid

KNOWN = {"mode", "order", "seed", "skip", "limit"}
ALIASES = {"followed": "following"}
DEFAULT_MODE = "for-you"
DEFAULT_LIMIT, LARGEST_LIMIT = 20, 50
LARGEST_SKIP = 2**62


@dataclass(frozen=True)
class Asked:
    """What a request asks for, as it says it: which order, from where, how much.

    `order` is None for the seed's own, or the mode's; `seed` for a new one.
    """

    mode: str
    order: str | None
    seed: str | None
    skip: int
    limit: int


def read_options(options: Mapping[str, str]) -> Asked:
    """Check the options by themselves; asks no database.

    Args:
        options: of KNOWN; what is left out gets its default.

    Raises:
        DomainError: 400 that names the wrong option.
    """
    mode = _mode(options.get("mode", DEFAULT_MODE))
    order = _order(mode, options.get("order"))
    skip = _number("skip", options.get("skip", "0"), 0, LARGEST_SKIP)
    limit = _number("limit", options.get("limit", str(DEFAULT_LIMIT)), 1, LARGEST_LIMIT)
    return Asked(mode, order, options.get("seed"), skip, limit)


def seed_of(asked: Asked, reader: int) -> Seed:
    """Start or resume the order that a request names.

    Args:
        reader: the id of the person, or `seeds.NOBODY`.

    Raises:
        DomainError: 400 that says why the seed cannot be used.
    """
    if asked.seed is not None:
        return resume(asked.seed, asked.mode, asked.order, reader, asked.skip)
    *_, default = MODES[asked.mode]  # the last one named
    return new_seed(asked.mode, asked.order or default, reader)


def _mode(raw: str) -> str:
    mode = ALIASES.get(raw, raw)
    if mode not in MODES:
        raise invalid("mode", "unknown_mode", f"Choose one of {', '.join(MODES)}.")
    return mode


def _order(mode: str, raw: str | None) -> str | None:
    if raw is None or raw in MODES[mode]:
        return raw
    choices = ", ".join(MODES[mode])
    raise invalid("order", "unknown_order", f"With mode {mode}, choose one of {choices}.")


def _number(field: str, raw: str, least: int, largest: int) -> int:
    is_number = raw.isascii() and raw.isdigit() and len(raw) <= 20
    if not is_number or not least <= int(raw) <= largest:
        span = f"from {least} to {largest}"
        raise invalid(field, "out_of_range", f"Must be a whole number {span}.")
    return int(raw)
