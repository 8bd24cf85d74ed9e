"""Where bytes live (placeholder until the local store lands)."""


def store():  # type: ignore[no-untyped-def]
    raise NotImplementedError
