"""The one shape of a video."""

import json

import pytest

from accounts.models import User
from tests.factories import UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from videos.captions import link_caption
from videos.models import Like, Rendition, Save, Video, Visibility
from videos.representation import reader_state, represent_video, represent_videos

pytestmark = pytest.mark.django_db

FIELDS = {
    "id", "status", "progress", "reason", "reason_code", "caption", "author", "hashtags",
    "visibility", "comments_from", "comments_held", "sources", "poster", "preview", "sprite",
    "subtitles", "placeholder",
    "duration", "width", "height",
    "likes_count", "comments_count", "saves_count", "shares_count", "views_count", "created_at",
    "published_at", "url", "share_url",
}  # fmt: skip


def loaded(video: Video) -> Video:
    return Video.objects.for_cards().get(pk=video.pk)


def test_a_card_has_these_fields_and_is_ready_for_json() -> None:
    video = VideoFactory(caption="#two #one")
    link_caption(video)
    card = represent_video(loaded(video))
    assert set(card) == FIELDS
    assert json.loads(json.dumps(card)) == card
    assert card["author"] == {
        "id": video.author.pk,
        "handle": video.author.handle,
        "name": video.author.name,
        "avatar": video.author.avatar_url,
        "url": f"/@{video.author.handle}",
    }
    assert card["hashtags"] == ["one", "two"]
    assert card["url"] == f"/@{video.author.handle}/video/{video.pk}"
    assert card["share_url"].startswith("http")
    assert card["published_at"].endswith("Z")


def test_a_card_never_shows_an_address() -> None:
    video = VideoFactory()
    assert video.author.email not in json.dumps(represent_video(loaded(video)))


def test_sources_go_from_small_to_large() -> None:
    video = VideoFactory()
    for rung in (720, 540):
        Rendition.objects.create(
            video=video, rung=rung, width=rung, height=rung * 16 // 9, bitrate=rung * 2000,
            size_bytes=1, name=f"{video.folder}/1/{rung}.mp4",
        )  # fmt: skip
    sources = represent_video(loaded(video))["sources"]
    assert [source["width"] for source in sources] == [360, 540, 720]
    assert set(sources[0]) == {"url", "width", "height", "type", "bitrate"}
    assert sources[0]["type"] == "video/mp4"
    assert f"{video.folder}/1/360.mp4" in sources[0]["url"]


def test_what_is_not_ready_has_no_sources_and_says_why() -> None:
    video = VideoFactory(
        draft=True, status="rejected", reason="It is too long.", reason_code="too_long"
    )
    card = represent_video(loaded(video))
    assert card["sources"] == []
    assert card["poster"] is None
    assert (card["reason"], card["reason_code"]) == ("It is too long.", "too_long")
    assert card["published_at"] is None


@pytest.mark.parametrize("wanted", [1, 20])
def test_cards_take_four_queries_and_one_for_the_reader(user: User, wanted: int) -> None:
    for _ in range(wanted):
        link_caption(VideoFactory(caption="#a #b"))
    videos = Video.objects.visible_to(user).for_cards()
    assert queries_of(lambda: represent_videos(videos.all(), None)) == 4
    assert queries_of(lambda: represent_videos(videos.all(), user.pk)) == 5


def test_the_state_of_a_reader_is_theirs_alone(user: User, other: User) -> None:
    first, second = VideoFactory.create_batch(2)
    Like.objects.create(user=user, video=first)
    Save.objects.create(user=user, video=second)
    Like.objects.create(user=other, video=second)
    ids = [first.pk, second.pk, 999_999]
    assert reader_state(user.pk, ids) == {
        first.pk: {"liked": True, "saved": False},
        second.pk: {"liked": False, "saved": True},
        999_999: {"liked": False, "saved": False},
    }
    assert reader_state(None, ids) == {}
    assert reader_state(user.pk, []) == {}


def test_only_public_files_are_addressed_as_public(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    class Store:
        def url(self, name: str, *, public: bool = True) -> str:
            asked.append(public)
            return name

    monkeypatch.setattr("videos.representation.store", lambda _name: Store())
    for visibility, private, public in [
        (Visibility.PUBLIC, False, True),
        (Visibility.PUBLIC, True, False),
        (Visibility.FRIENDS, False, False),
        (Visibility.PRIVATE, False, False),
    ]:
        author = UserFactory(is_private=private)
        represent_video(loaded(VideoFactory(author=author, visibility=visibility)))
        assert asked == [public, public]
        asked.clear()
