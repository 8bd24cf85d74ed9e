"""What people did on this site, as interactions, and whose videos they did it with."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import numpy as np
from django.db.models import F, FloatField
from django.db.models.functions import Cast, Coalesce, Extract
from numpy.typing import NDArray

from feeds.models import Affinity
from feeds.recommender.interactions import Interactions
from videos.models import Video

_ROW = np.dtype([("user", "i8"), ("item", "i8"), ("strength", "f4"), ("at", "f8"), ("first", "f8")])
CHUNK = 10_000


def read() -> Interactions:
    """Return what may be learnt from, one row for each person and video, in the order of ids."""
    found = (
        Affinity.objects.learnable()
        .annotate(at=_seconds("acted_at"), first=Coalesce(_seconds("first_at"), 0.0))
        .order_by("user_id", "video_id")
        .values_list("user_id", "video_id", "strength", "at", "first")
    )
    rows = np.fromiter(found.iterator(CHUNK), _ROW)
    users, user = np.unique(rows["user"], return_inverse=True)
    items, item = np.unique(rows["item"], return_inverse=True)
    return Interactions(
        users=users.tolist(),
        items=items.tolist(),
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        strength=rows["strength"],
        at=rows["at"],
        first=rows["first"],
    )


def _seconds(column: str) -> Cast:
    return Cast(Extract(F(column), "epoch"), FloatField())


def digest_of(rows: Interactions) -> str:
    """Return what is the same only for the same rows; nothing for none."""
    if not len(rows):
        return ""
    parts = (rows.users, rows.items, rows.user, rows.item, rows.strength, rows.at)
    summed = sha256()
    for part in parts:
        summed.update(np.ascontiguousarray(part).tobytes())
    return summed.hexdigest()


def creators_of(items: Sequence[Any]) -> NDArray[np.int32]:
    """Return a number for the creator of each video, 0 and up."""
    authors = dict(Video.objects.filter(pk__in=list(items)).values_list("pk", "author_id"))
    _, numbers = np.unique([authors.get(item, 0) for item in items], return_inverse=True)
    return numbers.astype(np.int32)
