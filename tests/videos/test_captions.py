"""Rows for what a caption refers to."""

import pytest

from accounts.models import User
from accounts.services import update_profile
from tests.conftest import RunJobs
from tests.factories import UserFactory, VideoFactory, block
from tests.videos.measuring import run_together
from videos.captions import link_caption, recount_tags, tag_ids
from videos.models import Hashtag, Mention, Status, Video, Visibility

pytestmark = pytest.mark.django_db


def tags_of(video: Video) -> set[str]:
    return set(video.hashtags.values_list("name", flat=True))


def count(name: str) -> int:
    return Hashtag.objects.get(name=name).videos_count


def test_tags_and_people_are_linked_and_calling_again_changes_nothing(user: User) -> None:
    video = VideoFactory(caption=f"#Sea and #東京 with @{user.handle} and @nobody.at.all")
    for _ in range(2):
        link_caption(video)
        assert tags_of(video) == {"sea", "東京"}
        assert set(video.mentions.values_list("user", flat=True)) == {user.pk}
        assert count("sea") == 1


def test_an_edit_moves_tags_and_mentions(user: User, other: User) -> None:
    video = VideoFactory(caption=f"#one #two @{user.handle}")
    link_caption(video)
    kept = Hashtag.objects.get(name="two").pk
    video.caption = f"#two #three @{other.handle}"
    link_caption(video)
    assert tags_of(video) == {"two", "three"}
    assert Hashtag.objects.get(name="two").pk == kept
    assert [count(name) for name in ("one", "two", "three")] == [0, 1, 1]
    assert set(video.mentions.values_list("user", flat=True)) == {other.pk}


@pytest.mark.parametrize("blocker_is_author", [True, False])
def test_nobody_is_mentioned_across_a_block(user: User, blocker_is_author: bool) -> None:
    video = VideoFactory(caption=f"@{user.handle}")
    block(*((video.author, user) if blocker_is_author else (user, video.author)))
    link_caption(video)
    assert not Mention.objects.exists()


def test_nobody_mentions_themselves(user: User) -> None:
    link_caption(VideoFactory(author=user, caption=f"me, @{user.handle}"))
    assert not Mention.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"visibility": Visibility.FRIENDS},
        {"visibility": Visibility.PRIVATE},
        {"draft": True},
        {"status": Status.FAILED},
    ],
)
def test_a_tag_counts_only_what_everybody_may_see(fields: dict[str, object]) -> None:
    link_caption(VideoFactory(caption="#sea", **fields))
    assert count("sea") == 0


def test_a_deleted_video_is_not_counted() -> None:
    video = VideoFactory(caption="#sea")
    link_caption(video)
    ids = tag_ids(video)
    video.delete()
    recount_tags(ids)
    assert count("sea") == 0


def test_a_caption_of_nothing_but_tags_links_thirty() -> None:
    video = VideoFactory(caption=" ".join(f"#t{number}" for number in range(100)))
    link_caption(video)
    assert len(tags_of(video)) == 30


@pytest.mark.django_db(transaction=True)
def test_videos_with_the_same_new_tags_are_counted_exactly_when_linked_at_once() -> None:
    author = UserFactory()
    names = [f"#tag{number}" for number in range(8)]
    videos = []
    for turn in range(10):
        shuffled = names[turn % 8 :] + names[: turn % 8]
        videos.append(VideoFactory(author=author, caption=" ".join(shuffled)))
    run_together(lambda number: link_caption(videos[number]), 10)
    assert set(Hashtag.objects.values_list("videos_count", flat=True)) == {10}


@pytest.mark.django_db(transaction=True)
def test_a_tag_stops_counting_an_account_that_becomes_private(run_jobs: RunJobs) -> None:
    author = UserFactory()
    link_caption(VideoFactory(author=author, caption="#hidden"))
    assert Hashtag.objects.get(name="hidden").videos_count == 1
    update_profile(author, {"is_private": True})
    run_jobs()
    assert Hashtag.objects.get(name="hidden").videos_count == 0
    update_profile(author, {"is_private": False})
    run_jobs()
    assert Hashtag.objects.get(name="hidden").videos_count == 1
