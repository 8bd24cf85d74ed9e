"""Finding people by words, and people to follow."""

from typing import TYPE_CHECKING, Any, cast

from django.db import connection
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    Value,
    When,
)

from accounts.models import Follow, FollowRequest, Mute, User
from accounts.models.user import UserQuerySet
from tiktok_clone.common.models import WORDS
from tiktok_clone.common.searching import CANDIDATES, KIND, prefix_query, sort_key, whole_query

if TYPE_CHECKING:
    from accounts.models.user import Viewer

# So many of the followed people are asked for so many whom they follow, the latest of each.
ASKED, NAMED = 100, 50


def search_people(viewer: "Viewer", typed: str) -> UserQuerySet:
    """Return people whose handle or name has words that begin as those typed.

    The handle itself comes first, then handles that begin with it, then people with the very
    words, then the others; in each the most followed first. Sort by `-sort_key`. Who is muted
    is found too, or they could not be unmuted.
    """
    query, whole = prefix_query(typed), whole_query(typed)
    if query is None or whole is None:
        return User.objects.annotate(sort_key=F("id")).none()
    handle = typed.strip().removeprefix("@").lower()
    people = User.objects.visible_to(viewer).alias(words=WORDS)
    best = [
        rows.order_by("-followers_count", "id").values("pk")[:CANDIDATES]
        for rows in (people.filter(words=query), people.filter(words=whole))
    ]
    itself = people.filter(handle=handle).values("pk")
    kind = Case(
        When(handle=handle, then=3),
        When(handle__startswith=handle, then=2),
        When(words=whole, then=1),
        default=0,
        output_field=BigIntegerField(),
    )
    found = User.objects.filter(pk__in=itself.union(*best)).alias(words=WORDS)
    ranked: Any = found.annotate(sort_key=sort_key(kind * Value(KIND) + F("followers_count")))
    return cast(UserQuerySet, ranked.order_by("-sort_key"))


def suggest(viewer: "Viewer", limit: int = 20) -> list[User]:
    """Return people to follow: first those whom the viewer's people follow, then the best known.

    Never who is blocked or muted, followed already or asked, nor private accounts. Each gets
    `mutual_count`, how many people whom the viewer follows follow them. Whoever hides their
    lists is not counted, since the number would tell.
    """
    people = _open_to(viewer)
    nearby = list(people.filter(pk__in=_friends_of_friends(viewer)))
    known = people.order_by("-followers_count", "id")[:limit]
    found = {person.pk: person for person in [*nearby, *known]}
    mutual = _mutual_counts(viewer, list(found))
    for person in found.values():
        person.mutual_count = mutual.get(person.pk, 0)  # type: ignore[attr-defined]
    ranked = sorted(
        found.values(),
        key=lambda person: (-mutual.get(person.pk, 0), -person.followers_count, person.pk),
    )
    return ranked[:limit]


def _open_to(viewer: "Viewer") -> UserQuerySet:
    people: UserQuerySet = User.objects.visible_to(viewer).filter(is_private=False)
    if viewer is None or viewer.pk is None:
        return people
    return people.exclude(
        Q(pk=viewer.pk)
        | Exists(Follow.objects.filter(follower=viewer.pk, followee=OuterRef("pk")))
        | Exists(FollowRequest.objects.filter(requester=viewer.pk, target=OuterRef("pk")))
        | Exists(Mute.objects.filter(muter=viewer.pk, muted=OuterRef("pk")))
    )


def _friends_of_friends(viewer: "Viewer") -> list[int]:
    """Return the ids of those whom most of the viewer's people follow; a bounded look."""
    if viewer is None or viewer.pk is None:
        return []
    values = {"viewer": viewer.pk, "asked": ASKED, "named": NAMED}
    with connection.cursor() as cursor:
        cursor.execute(_NEARBY, values)
        return [row[0] for row in cursor.fetchall()]


def _mutual_counts(viewer: "Viewer", people: list[int]) -> dict[int, int]:
    if viewer is None or viewer.pk is None or not people:
        return {}
    mine = Follow.objects.filter(follower=viewer.pk).values("followee")
    rows = Follow.objects.filter(
        followee__in=people, follower__in=mine, follower__follows_hidden=False
    )
    return dict(rows.order_by().values_list("followee").annotate(Count("id")))


_NEARBY = """
SELECT theirs.followee_id
FROM (
    SELECT mine.followee_id FROM accounts_follow AS mine
    JOIN accounts_user AS person ON person.id = mine.followee_id AND NOT person.follows_hidden
    WHERE mine.follower_id = %(viewer)s ORDER BY mine.id DESC LIMIT %(asked)s
) AS asked
CROSS JOIN LATERAL (
    SELECT followee_id FROM accounts_follow
    WHERE follower_id = asked.followee_id ORDER BY followee_id DESC LIMIT %(named)s
) AS theirs
WHERE theirs.followee_id <> %(viewer)s AND NOT EXISTS (
    SELECT FROM accounts_follow AS already
    WHERE already.follower_id = %(viewer)s AND already.followee_id = theirs.followee_id
)
GROUP BY theirs.followee_id
ORDER BY count(*) DESC, theirs.followee_id
LIMIT %(asked)s
"""
