"""Pictures of people: checked, cropped to a square, and encoded anew without metadata."""

import tempfile
import uuid
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db.models import Q, QuerySet
from PIL import Image, ImageOps, UnidentifiedImageError

from accounts.models import User
from tiktok_clone.common.errors import DomainError, invalid
from tiktok_clone.common.storage import (
    CLOUDINARY,
    incoming,
    kind_for_new,
    ledger,
    naming,
    store,
)

FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
# The small one is shown everywhere; the large one on the profile.
SIZES = (256, 512)
MAX_PIXELS = 40_000_000
SMALLEST_SIDE = 32


def new_folder(kind: str = "") -> str:
    """A prefix that nobody has used, in a kind of store, or in that for new objects."""
    return naming.named(kind or kind_for_new(), f"avatars/{uuid.uuid4()}")


def name_in(folder: str, size: int = SIZES[0]) -> str:
    """The object name of one size."""
    return f"{folder}/{size}.webp"


def folder_of(name: str) -> str:
    """The prefix that all sizes of a picture share."""
    return name.rpartition("/")[0]


def prepare(upload: IO[bytes], size_bytes: int) -> Image.Image:
    """Decode an uploaded picture and crop it to a square.

    Raises:
        DomainError: `invalid` for `avatar`: too large, not a picture, or damaged.
    """
    if size_bytes > settings.AVATAR_MAX_BYTES:
        limit = settings.AVATAR_MAX_BYTES // (1024 * 1024)
        raise refused("too_large", f"The picture may have at most {limit} MB.")
    try:
        image = Image.open(upload, formats=FORMATS)
        _check_size(image)
        # A JPEG can be decoded at a fraction of its size: less memory, less time.
        image.draft("RGB", (SIZES[-1], SIZES[-1]))
        upright = ImageOps.exif_transpose(image)
        square = ImageOps.fit(upright.convert("RGBA"), (SIZES[-1], SIZES[-1]))
    except UnidentifiedImageError:
        raise refused("not_a_picture", "Choose a JPEG, PNG, WebP or GIF picture.") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise refused("damaged", "This picture cannot be read. Choose another one.") from None
    return square


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise refused("too_many_pixels", "The picture may have at most 40 megapixels.")
    if min(width, height) < SMALLEST_SIDE:
        raise refused("too_small", f"The picture must be at least {SMALLEST_SIDE} pixels wide.")


def save(image: Image.Image, folder: str, owner_id: int) -> str:
    """Store all sizes under the folder; returns the object name to keep in the row.

    Raises:
        OSError: the store did not take them; what it took goes when the folder is swept.
    """
    with tempfile.TemporaryDirectory(dir=incoming()) as temporary:
        for size in SIZES:
            path = Path(temporary) / f"{size}.webp"
            image.resize((size, size), Image.Resampling.LANCZOS).save(path, "WEBP", quality=82)
            ledger.keep(name_in(folder, size), path, owner_id)
    return name_in(folder)


def elsewhere(kind: str) -> QuerySet[User]:
    """People whose picture is not in a kind of store."""
    hosted = Q(avatar__startswith=naming.named(CLOUDINARY, ""))
    return User.objects.exclude(avatar="").filter(~hosted if kind == CLOUDINARY else hosted)


def copy(old_folder: str, new_folder: str, owner_id: int) -> str:
    """Copy all sizes from a folder to another, of whichever stores; returns the new name.

    Raises:
        OSError: a store did not do it; what was copied goes when the folder is swept.
    """
    for size in SIZES:
        name = name_in(old_folder, size)
        with store(name).local_copy(name) as path:
            ledger.keep(name_in(new_folder, size), path, owner_id)
    return name_in(new_folder)


def remove_if_unused(folder: str) -> None:
    """Empty the folder unless a row names an object in it; may run any number of times."""
    if not User.objects.filter(avatar__startswith=f"{folder}/").exists():
        ledger.empty(folder, look=False)


def refused(code: str, message: str) -> DomainError:
    """The picture cannot be used."""
    return invalid("avatar", code, message)
