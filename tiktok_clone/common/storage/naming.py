"""Names of objects: `videos/…` and `avatars/…`, led by the kind of store unless it is the disk."""

LOCAL = "local"
CLOUDINARY = "cloudinary"


def kind_of(name: str) -> str:
    """The kind of store that an object's name belongs to."""
    return CLOUDINARY if name.startswith(f"{CLOUDINARY}/") else LOCAL


def named(kind: str, path: str) -> str:
    """The name of an object, or of a folder, in a kind of store."""
    return path if kind == LOCAL else f"{kind}/{path}"


def path_of(name: str) -> str:
    """The part of a name that says what it is, whichever store has it."""
    return name.removeprefix(f"{CLOUDINARY}/")
