"""Counters against the rows that they count: finds drift, reports it, and mends it.

Services keep counters exact; this is the net below them, for a bug or a hand in the
database. Views are not here: they are written back in batches and may lose a little.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import User
from videos.captions import recount_tags
from videos.models import (
    Comment,
    CommentLike,
    Hashtag,
    Like,
    Save,
    Share,
    Status,
    Video,
    VideoHashtag,
    Visibility,
)

log = logging.getLogger(__name__)

Rows = Callable[[], QuerySet[Any]]


@dataclass(frozen=True)
class Counter:
    """`field` of `model` counts `rows`, which point to it by the path `to`."""

    model: type[models.Model]
    field: str
    rows: Rows
    to: str


@dataclass(frozen=True)
class Drift:
    """A counter that was wrong: `found` in the row, `counted` rows."""

    model: str
    pk: int
    field: str
    found: int
    counted: int

    def __str__(self) -> str:
        return f"{self.model} {self.pk}: {self.field} is {self.found}, rows are {self.counted}"


# What an author's number of videos counts, and the numbers of tags.
PUBLIC = Q(
    status=Status.READY,
    visibility=Visibility.PUBLIC,
    hidden_at=None,
    published_at__isnull=False,
)
# What the numbers of tags count besides: that everybody may see the account.
OF_EVERYBODY = Q(author__is_active=True, author__deleted_at=None, author__is_private=False)

COUNTERS = (
    Counter(Video, "likes_count", Like.objects.all, "video"),
    Counter(Video, "saves_count", Save.objects.all, "video"),
    Counter(Video, "shares_count", Share.objects.all, "video"),
    Counter(Video, "comments_count", Comment.objects.all, "video"),
    Counter(Comment, "replies_count", Comment.objects.all, "parent"),
    Counter(Comment, "likes_count", CommentLike.objects.all, "comment"),
    Counter(User, "likes_count", Like.objects.all, "video__author"),
    Counter(User, "videos_count", lambda: Video.objects.filter(PUBLIC), "author"),
)


def reconcile(*, dry_run: bool = False) -> list[Drift]:
    """Compare every counter with its rows, set those that are wrong, and return what was.

    Safe beside running services: a row that looks wrong is locked and counted again.
    """
    drifts = [drift for counter in COUNTERS for drift in _reconcile(counter, dry_run)]
    drifts += _reconcile_tags(dry_run)
    for drift in drifts:
        log.warning("counter drift: %s", drift)
    return drifts


def _reconcile(counter: Counter, dry_run: bool) -> Iterator[Drift]:
    for pk in list(_suspects(counter)):
        drift = _settle(counter, pk, dry_run)
        if drift is not None:
            yield drift


def _suspects(counter: Counter) -> Iterable[int]:
    per_row = (
        counter.rows()
        .filter(**{counter.to: OuterRef("pk")})
        .order_by()
        .values(counter.to)
        .annotate(total=Count("pk"))
        .values("total")
    )
    counted = Coalesce(Subquery(per_row, output_field=IntegerField()), 0)
    rows = counter.model._default_manager.annotate(counted=counted)
    return rows.exclude(counted=F(counter.field)).order_by("pk").values_list("pk", flat=True)


@transaction.atomic
def _settle(counter: Counter, pk: int, dry_run: bool) -> Drift | None:
    """Count one row again under its lock, which every service takes before it counts."""
    locked = counter.model._default_manager.select_for_update(no_key=True).filter(pk=pk)
    found = locked.values_list(counter.field, flat=True).first()
    if found is None:
        return None
    counted = counter.rows().filter(**{counter.to: pk}).count()
    if counted == found:
        return None
    if not dry_run:
        locked.update(**{counter.field: counted})
    return Drift(counter.model._meta.model_name or "", pk, counter.field, found, counted)


def _reconcile_tags(dry_run: bool) -> list[Drift]:
    counted_videos = Video.objects.filter(PUBLIC & OF_EVERYBODY)
    per_tag = (
        VideoHashtag.objects.filter(hashtag=OuterRef("pk"), video__in=counted_videos)
        .order_by()
        .values("hashtag")
        .annotate(total=Count("pk"))
        .values("total")
    )
    counted = Coalesce(Subquery(per_tag, output_field=IntegerField()), 0)
    wrong = Hashtag.objects.annotate(counted=counted).exclude(counted=F("videos_count"))
    drifts = [
        Drift("hashtag", tag.pk, "videos_count", tag.videos_count, tag.counted) for tag in wrong
    ]
    if not dry_run:
        recount_tags(drift.pk for drift in drifts)
    return drifts
