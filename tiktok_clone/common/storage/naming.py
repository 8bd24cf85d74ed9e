"""Names of objects: `videos/…` and `avatars/…`, led by the kind of store unless it is the disk."""

import re

LOCAL = "local"
CLOUDINARY = "cloudinary"
# A folder for each clip, picture and export, and what is in it.
OURS = re.compile(r"(videos|avatars|exports)/[^/]+/[^/].*")


def kind_of(name: str) -> str:
    """The kind of store that an object's name belongs to."""
    return CLOUDINARY if name.startswith(f"{CLOUDINARY}/") else LOCAL


def named(kind: str, path: str) -> str:
    """The name of an object, or of a folder, in a kind of store."""
    return path if kind == LOCAL else f"{kind}/{path}"


def path_of(name: str) -> str:
    """The part of a name that says what it is, whichever store has it."""
    return name.removeprefix(f"{CLOUDINARY}/")


def is_ours(name: str) -> bool:
    """Whether it is a name of the kind that this program gives, and no file of somebody else."""
    return bool(OURS.fullmatch(path_of(name)))


def folder_of(name: str) -> str:
    """The folder that all objects of one clip, picture or export share, in one store."""
    return named(kind_of(name), "/".join(path_of(name).split("/")[:2]))
