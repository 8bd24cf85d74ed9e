"""The cards of a page: what everybody sees of each video, with what one reader did and follows."""

from typing import TYPE_CHECKING

from django.db.models import prefetch_related_objects

from accounts.models import Follow
from videos.models import Video
from videos.models.video import card_parts
from videos.representation import Card, reader_state, represent_video

if TYPE_CHECKING:
    from accounts.models.user import Viewer


def load_cards(videos: list[Video], viewer: "Viewer") -> dict[int, Card]:
    """Return the cards by id, in a number of queries that does not depend on how many.

    A video that was deleted since it was read has no renditions any more and gets no card.

    Args:
        videos: ready videos with their authors loaded.
        viewer: whose likes and follows are merged in; nobody's when not signed in.
    """
    prefetch_related_objects(videos, *card_parts())
    cards = {video.pk: represent_video(video) for video in videos}
    cards = {pk: card for pk, card in cards.items() if card["sources"]}
    reader = viewer.pk if viewer is not None else None
    if reader is not None and cards:
        _merge_reader(cards, reader)
    return cards


def _merge_reader(cards: dict[int, Card], reader: int) -> None:
    authors = {card["author"]["id"] for card in cards.values()}
    follows = Follow.objects.filter(follower=reader, followee__in=authors)
    followed = set(follows.values_list("followee", flat=True))
    for pk, state in reader_state(reader, cards).items():
        author = cards[pk]["author"]
        cards[pk] |= state | {"author": author | {"following": author["id"] in followed}}
