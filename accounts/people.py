"""Finding people, and how they relate to whoever looks."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, OuterRef, QuerySet

from accounts import throttling
from accounts.clients import Client
from accounts.models import Block, Follow, FollowRequest, Mute, MutedWord, User
from accounts.models.user import UserQuerySet
from tiktok_clone.common.errors import DomainError, not_found

if TYPE_CHECKING:
    from accounts.models.user import Viewer


@dataclass(frozen=True)
class Relation:
    """How the viewer and another person relate."""

    following: bool = False
    requested: bool = False
    followed_by: bool = False
    muted: bool = False
    blocked: bool = False


def find_person(reference: str, viewer: "Viewer", client: Client) -> User:
    """Find by `@handle` or by e-mail address.

    Look-ups of other people by address are counted. Who does not exist, who blocks the
    viewer and who is not to be found by address all get the same answer.

    Raises:
        DomainError: `not_found`, or `throttled`.
    """
    if "\0" in reference:
        raise not_found("person")
    by_address = not reference.startswith("@")
    own_address = getattr(viewer, "email", None)
    if by_address and own_address and reference.lower() == own_address.lower():
        by_address = False
    if by_address:
        _count_lookup(viewer, client)
    people = not_hidden_from(viewer).by_reference(reference)
    if by_address:
        people = people.filter(findable_by_email=True)
    person = people.first()
    if person is None:
        raise not_found("person")
    return person


def _count_lookup(viewer: "Viewer", client: Client) -> None:
    if viewer is not None and viewer.pk is not None:
        throttling.check("lookup_user", str(viewer.pk))
    else:
        throttling.check("lookup_ip", client.network)


def not_hidden_from(viewer: "Viewer") -> UserQuerySet:
    """Active people who do not block the viewer.

    Those whom the viewer blocks are among them, since a block must be seen to be undone;
    lists and content use `visible_to`, which hides both directions.
    """
    people = User.objects.active()
    if viewer is None or viewer.pk is None:
        return people
    blocking = Block.objects.filter(blocker=OuterRef("pk"), blocked=viewer.pk)
    return people.exclude(Exists(blocking))


def relations(viewer: "Viewer", people: Iterable[int]) -> dict[int, Relation]:
    """How the viewer relates to each of the people, in one query; {} for nobody."""
    ids = list(people)
    if viewer is None or viewer.pk is None or not ids:
        return {}
    found = User.objects.filter(pk__in=ids).values_list(
        "pk",
        Exists(Follow.objects.filter(follower=viewer.pk, followee=OuterRef("pk"))),
        Exists(FollowRequest.objects.filter(requester=viewer.pk, target=OuterRef("pk"))),
        Exists(Follow.objects.filter(follower=OuterRef("pk"), followee=viewer.pk)),
        Exists(Mute.objects.filter(muter=viewer.pk, muted=OuterRef("pk"))),
        Exists(Block.objects.filter(blocker=viewer.pk, blocked=OuterRef("pk"))),
    )
    return {pk: Relation(*facts) for pk, *facts in found}


def check_can_see_lists(person: User, viewer: "Viewer") -> None:
    """Raise when the viewer may not see whom a person follows.

    Raises:
        DomainError: `not_found` for a block, `private_account` (403) for a stranger,
            `lists_hidden` (403) for everybody but the person.
    """
    viewer_id = viewer.pk if viewer is not None else None
    if viewer_id == person.pk:
        return
    if viewer_id and Block.objects.between(viewer_id, person.pk).exists():
        raise not_found("person")
    if person.is_private and not (
        viewer_id and Follow.objects.filter(follower=viewer_id, followee=person).exists()
    ):
        raise DomainError(
            "private_account", "This account is private: its lists are too.", status=403
        )
    if person.follows_hidden:
        raise DomainError(
            "lists_hidden", "This person keeps these lists to themselves.", status=403
        )


def followers_of(person: User, viewer: "Viewer") -> "QuerySet[Follow]":
    """Follow rows with `follower` loaded, without people hidden from the viewer."""
    return _rows(Follow.objects.filter(followee=person), "follower", viewer)


def followed_by(person: User, viewer: "Viewer") -> "QuerySet[Follow]":
    """Follow rows with `followee` loaded, without people hidden from the viewer."""
    return _rows(Follow.objects.filter(follower=person), "followee", viewer)


def _rows(rows: "QuerySet[Follow]", side: str, viewer: "Viewer") -> "QuerySet[Follow]":
    visible = User.objects.visible_to(viewer).filter(pk=OuterRef(side))
    return rows.filter(Exists(visible)).select_related(side).order_by("-id")


def requests_to(user: User) -> "QuerySet[FollowRequest]":
    """Who waits for an answer, with `requester` loaded, the latest first."""
    visible = User.objects.visible_to(user).filter(pk=OuterRef("requester"))
    requests = user.requests_received.filter(Exists(visible))
    return requests.select_related("requester").order_by("-id")


def blocked_by(user: User) -> "QuerySet[Block]":
    """Whom the user blocks, with `blocked` loaded, the latest first."""
    rows = Block.objects.filter(blocker=user, blocked__is_active=True)
    return rows.select_related("blocked").order_by("-id")


def muted_by(user: User) -> "QuerySet[Mute]":
    """Whom the user mutes, with `muted` loaded, the latest first; whoever blocks them is hidden."""
    found = not_hidden_from(user).filter(pk=OuterRef("muted"))
    rows = Mute.objects.filter(Exists(found), muter=user)
    return rows.select_related("muted").order_by("-id")


def muted_words_of(user: User) -> "QuerySet[MutedWord]":
    """The words and hashtags that the user mutes, the latest first."""
    return MutedWord.objects.filter(user=user).order_by("-id")


def mutes_tag(viewer: "Viewer", name: str) -> bool:
    """Whether the viewer mutes a hashtag, given as it is kept."""
    if viewer is None or viewer.pk is None:
        return False
    return MutedWord.objects.filter(user=viewer.pk, tag=name).exists()
