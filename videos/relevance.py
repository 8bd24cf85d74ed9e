"""Which videos have the words that somebody looks for, and which of them come first."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.postgres.search import SearchRank
from django.db.models import Case, F, FloatField, Q, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Extract, Ln

from accounts.models import User
from tiktok_clone.common.folding import fold
from tiktok_clone.common.models import WORDS
from tiktok_clone.common.searching import (
    CANDIDATES,
    MOST_WORDS,
    prefix_query,
    sort_key,
    whole_query,
)
from videos.models import Video
from videos.models.video import VideoQuerySet

if TYPE_CHECKING:
    from accounts.models.user import Viewer

# Of so many people with a word in handle or name the clips are found as well.
AUTHORS = 20
# What a clip's place is made of. Each is time-invariant but for new engagement, so that
# pages fit together: age counts by the day of publication, not by how long it is ago.
WHOLE_WORDS = 2.0  # the very words, not only their beginnings
DENSITY = 10.0  # times ts_rank over the length: a short caption about it, not 30 hashtags
TREND = 2.0  # times ln(1 + trend)
LIKES = 0.5  # times ln(1 + likes)
MONTH_SECONDS = 30 * 86_400  # a clip one month older needs e times the popularity


def with_words(videos: VideoQuerySet, typed: str, viewer: "Viewer") -> VideoQuerySet:
    """Those of which each word typed begins one of the caption, or of who posted it."""
    words = fold(typed).split()[:MOST_WORDS]
    if not words:
        return videos.none()
    videos = videos.alias(words=WORDS)
    for word in words:
        videos = videos.filter(Q(words=prefix_query(word)) | Q(author__in=_authors(viewer, word)))
    return videos


def _authors(viewer: "Viewer", word: str) -> list[int]:
    people = User.objects.visible_to(viewer).alias(words=WORDS).filter(words=prefix_query(word))
    return list(people.order_by("-followers_count", "id").values_list("pk", flat=True)[:AUTHORS])


def ranked(videos: VideoQuerySet, typed: str = "") -> VideoQuerySet:
    """Return the best of the videos, to be sorted by `-sort_key`.

    The places go by words (where any are typed), present and lasting popularity, and age.
    Among very many matches only those that trend most and the newest are looked at: there
    the database may walk down the index of the one or the other until it has enough.
    """
    trending = videos.filter(trend__gt=0).order_by("-trend", "-id").values("pk")[:CANDIDATES]
    newest = videos.order_by("-published_at", "-id").values("pk")[:CANDIDATES]
    found = Video.objects.filter(pk__in=trending.union(newest)).alias(words=WORDS)
    rows: Any = found.annotate(sort_key=sort_key(_popularity() + _fit(typed)))
    return cast(VideoQuerySet, rows.order_by("-sort_key"))


def _popularity() -> Combinable:
    published = Cast(Extract("published_at", "epoch"), FloatField())
    return (
        Ln(F("trend") + 1.0) * Value(TREND)
        + Ln(F("likes_count") + 1.0) * Value(LIKES)
        + published / Value(float(MONTH_SECONDS))
    )


def _fit(typed: str) -> Combinable:
    query, whole = prefix_query(typed), whole_query(typed)
    if query is None or whole is None:
        return Value(0.0)
    exact = Case(
        When(words=whole, then=WHOLE_WORDS),
        default=0.0,
        output_field=FloatField(),
    )
    return exact + SearchRank(WORDS, query, normalization=Value(1)) * Value(DENSITY)
