"""The cards in Redis: the same as from PostgreSQL, gone at once when they should, never back."""

import time
from typing import Any

import pytest
from django.db import transaction

from accounts import services as people
from accounts.models import Follow, User
from accounts.services import profiles, suspension
from feeds import cards
from feeds.cards import GONE, Entry, SharedCard, audience_of, drop, drop_all_of, show
from feeds.paging import make_page
from feeds.seeds import new_seed
from feeds.shelf import Shelf
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.caching import (
    Silence,
    connected,
    end_cards,
    nobody_there,
    use_client,
    without_postgresql,
)
from tiktok_clone.common.generation import generation
from videos.captions import link_caption
from videos.models import Video, Visibility
from videos.representation import represent_videos
from videos.services import engagement, moderation, publishing

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("lasting_names"),
]
MARK_SECONDS = 35  # five longer than a card


def rows(*ids: int) -> list[Video]:
    return list(Video.objects.filter(pk__in=ids).select_related("author"))


def cards_of(*videos: Video) -> dict[int, SharedCard]:
    """The cards as a page takes them that has looked at these rows."""
    return Shelf().cards([Entry(video.pk, audience_of(video)) for video in videos])


def kept(video: Video) -> bytes | None:
    """What Redis has of a video now."""
    value: bytes | None = connected().get(cards.key(generation(), video.pk))
    return value


def stored(video: Video) -> None:
    """Have the card of a video kept."""
    cards_of(*rows(video.pk))
    assert kept(video)


@pytest.fixture
def video() -> Video:
    clip = VideoFactory(caption="“quotes”, a #tag and \\ \u2028 <b>🎈</b>")
    link_caption(clip)
    stored(clip)
    return clip


@pytest.fixture
def admin() -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def test_a_card_is_the_same_from_redis_and_from_postgresql(video: Video, user: User) -> None:
    engagement.like_video(user, video.pk)
    Follow.objects.create(follower=user, followee=video.author)
    row = rows(video.pk)
    connected().delete(cards.key(generation(), video.pk))
    fresh = cards_of(*row)
    with without_postgresql():
        held = cards_of(*row)
    assert held == fresh
    [expected] = represent_videos(Video.objects.filter(pk=video.pk).for_cards(), user.pk)
    expected["author"]["following"] = True
    [shown] = show(held, user.pk)
    assert shown.as_dict() == expected
    assert expected["liked"] is True
    [expected] = represent_videos(Video.objects.filter(pk=video.pk).for_cards(), None)
    [shown] = show(held, None)
    assert shown.as_dict() == expected


@pytest.mark.parametrize("bits", range(8))
def test_each_part_of_the_reader_stands_in_its_place(bits: int, video: Video) -> None:
    card = cards.ShownCard(video.pk, cards_of(*rows(video.pk))[video.pk], bits).as_dict()
    assert card["liked"] is bool(bits & cards.LIKED)
    assert card["saved"] is bool(bits & cards.SAVED)
    assert card["author"]["following"] is bool(bits & cards.FOLLOWING)


def test_cards_live_for_a_while_only(video: Video, settings: Any) -> None:
    assert 0 < connected().ttl(cards.key(generation(), video.pk)) <= settings.FEED_CARD_SECONDS


CHANGES: dict[str, Any] = {
    "edited": lambda video, _: publishing.edit_video(video.author, video.pk, caption="new"),
    "for friends": lambda video, _: publishing.edit_video(
        video.author, video.pk, visibility=Visibility.FRIENDS
    ),
    "hidden": lambda video, by: moderation.hide_video(video.pk, by),
    "deleted": lambda video, _: publishing.delete_video(video.author, video.pk),
    "renamed": lambda video, _: profiles.update_profile(video.author, {"name": "Other"}),
    "handle": lambda video, _: profiles.update_profile(video.author, {"handle": "another"}),
    "private": lambda video, _: profiles.update_profile(video.author, {"is_private": True}),
    "picture": lambda video, _: profiles.remove_avatar(video.author),
    "suspended": lambda video, by: suspension.suspend_person(video.author_id, by),
    "account deleted": lambda video, _: profiles.delete_account(video.author),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_puts_a_mark_that_nothing_is_written_over(
    change: str, video: Video, admin: User
) -> None:
    """Somebody has read the row before the change, and would keep the card after it."""
    shelf, before = Shelf(), rows(video.pk)
    connected().delete(cards.key(generation(), video.pk))
    CHANGES[change](video, admin)
    assert kept(video) == GONE
    shelf.load(before)
    assert kept(video) == GONE
    assert 0 < connected().ttl(cards.key(generation(), video.pk)) <= MARK_SECONDS


def test_showing_again_and_restoring_are_changes_too(video: Video, admin: User) -> None:
    moderation.hide_video(video.pk)
    connected().delete(cards.key(generation(), video.pk))
    moderation.show_video(video.pk)
    assert kept(video) == GONE
    suspension.suspend_person(video.author_id, admin)
    connected().delete(cards.key(generation(), video.pk))
    suspension.restore_person(video.author_id, admin)
    assert kept(video) == GONE


def test_what_was_read_long_ago_is_not_kept(
    video: Video, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was stopped for so long may write when the mark is over."""
    long_ago = time.time() - settings.FEED_CARD_SECONDS
    with monkeypatch.context() as patch:
        patch.setattr("feeds.shelf.time.time", lambda: long_ago)
        shelf, before = Shelf(), rows(video.pk)
    drop(video.pk)
    end_cards()
    shelf.load(before)
    assert kept(video) is None


def test_a_card_that_a_frozen_redis_reads_late_does_not_come_back(
    video: Video, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was sent in time, and is read when the mark of what was hidden is over."""
    frozen, now = Silence("frozen"), time.time()
    end_cards()
    with monkeypatch.context() as patch:
        patch.setattr("feeds.shelf.time.time", lambda: now - settings.FEED_CARD_SECONDS - 1)
        shelf, before = Shelf(), rows(video.pk)
        moderation.hide_video(video.pk)
        use_client(patch, frozen.client)
        shelf.load(before)
    end_cards()
    frozen.end()
    assert kept(video) is None


def test_a_mark_outlives_each_card_that_was_begun_before_it(video: Video) -> None:
    end_cards()
    shelf, before = Shelf(), rows(video.pk)
    shelf.load(before)
    card_has = connected().pttl(cards.key(generation(), video.pk))
    drop(video.pk)
    assert kept(video) == GONE
    assert connected().pttl(cards.key(generation(), video.pk)) > card_has


def test_a_mark_that_cannot_be_put_begins_a_new_generation(
    video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf, before, old = Shelf(), rows(video.pk), generation()
    with monkeypatch.context() as patch:
        use_client(patch, nobody_there())
        publishing.edit_video(video.author, video.pk, caption="new")
    assert generation() != old
    shelf.load(before)
    assert kept(video) is None
    [shown] = show(cards_of(*rows(video.pk)), None)
    assert shown.as_dict()["caption"] == "new"


def test_a_change_that_is_taken_back_puts_no_mark(video: Video) -> None:
    with transaction.atomic():
        publishing.edit_video(video.author, video.pk, caption="new")
        transaction.set_rollback(True)
    assert kept(video)


def test_all_cards_of_an_author_are_marked_in_chunks(
    video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "CHUNK", 2)
    others = [VideoFactory(author=video.author) for _ in range(4)]
    stranger = VideoFactory()
    for one in (*others, stranger):
        stored(one)
    drop_all_of(video.author_id)
    assert {kept(one) for one in (video, *others)} == {GONE}
    assert kept(stranger)


def test_an_author_of_too_many_begins_a_new_generation(
    video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "MOST", 1)
    VideoFactory(author=video.author)
    before = generation()
    drop_all_of(video.author_id)
    assert generation() != before


def test_a_card_for_other_people_is_not_used(video: Video) -> None:
    """Somebody else's change of the audience is committed and its mark is not there yet."""
    User.objects.filter(pk=video.author_id).update(is_private=True, name="After")
    [card] = cards_of(*rows(video.pk)).values()
    assert card.audience.endswith("private")
    assert b"After" in card.json


def test_a_like_is_counted_at_once(video: Video, user: User) -> None:
    stored(video)
    engagement.like_video(user, video.pk)
    assert kept(video) is None
    [card] = cards_of(*rows(video.pk)).values()
    assert b'"likes_count":1' in card.json


def test_many_likes_in_a_second_leave_the_card(
    video: Video, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cards, "COUNTED_A_SECOND", 0)
    stored(video)
    before = kept(video)
    engagement.like_video(user, video.pk)
    assert kept(video) == before


def test_a_like_takes_no_mark_away(video: Video, user: User) -> None:
    publishing.edit_video(video.author, video.pk, caption="Anew")
    engagement.like_video(user, video.pk)
    assert kept(video) == GONE


def test_a_video_without_files_gets_no_card(video: Video) -> None:
    publishing.delete_video(video.author, video.pk)
    assert cards_of(video) == {}


@pytest.mark.parametrize("away", [None, nobody_there])
def test_without_redis_cards_come_from_postgresql(
    away: Any, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = cards_of(*rows(video.pk))
    use_client(monkeypatch, away and away())
    assert cards_of(*rows(video.pk)) == expected
    drop(video.pk)


@pytest.mark.parametrize("away", [None, nobody_there])
def test_while_redis_is_away_the_process_keeps_cards_of_its_own(
    away: Any, video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = rows(video.pk)
    use_client(monkeypatch, away and away())
    expected = cards_of(*listed)
    with without_postgresql():
        assert cards_of(*listed) == expected


@pytest.mark.parametrize("change", [{"caption": "new"}, {"visibility": Visibility.FRIENDS}])
def test_cards_at_hand_are_not_used_for_a_video_that_has_changed(
    change: dict[str, Any], video: Video, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_client(monkeypatch, None)
    cards_of(*rows(video.pk))
    publishing.edit_video(video.author, video.pk, **change)
    [shown] = show(cards_of(*rows(video.pk)), None)
    assert shown.as_dict().items() >= change.items()


def test_an_edit_shows_at_once_in_the_feed(as_user: Any, user: User, video: Video) -> None:
    befriend(user, video.author)
    for mode in ("all", "following", "friends"):
        [card] = as_user.get("/videos/feed", {"mode": mode})["results"]
        assert card["caption"] == video.caption
    publishing.edit_video(video.author, video.pk, caption="second")
    people.update_profile(video.author, {"name": "Second"})
    for mode in ("all", "following", "friends"):
        [card] = as_user.get("/videos/feed", {"mode": mode})["results"]
        assert (card["caption"], card["author"]["name"]) == ("second", "Second")


@pytest.mark.parametrize("change", ["edited", "for friends", "hidden", "deleted"])
def test_what_changes_between_the_look_and_the_card_is_looked_at_again(
    change: str, video: Video, user: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader may not see it any more, or it has become another card for the same reader."""
    other, act = VideoFactory(author=video.author), [CHANGES[change]]
    fetch = Shelf.fetch

    def change_and_fetch(self: Shelf, ids: list[int]) -> dict[int, SharedCard]:
        while act:
            act.pop()(video, admin)
        return fetch(self, ids)

    end_cards()
    monkeypatch.setattr(Shelf, "fetch", change_and_fetch)
    page = make_page(user, new_seed("all", "shuffle", user.pk), 0, 10)
    captions = {card["id"]: card["caption"] for card in page.results}
    assert other.pk in captions
    assert captions.get(video.pk) == ("new" if change == "edited" else None)
