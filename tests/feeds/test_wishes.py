"""What a reader does not want to see, and why a feed shows what it shows."""

from typing import Any

import pytest

from accounts.models import Follow, Mute, MutedWord, Reason, User
from accounts.services import mute_word
from feeds import prepared
from feeds.models import NotInterested
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.caching import Later
from tests.feeds.scroll import FEED, ORDERS, follow_up, ids, scroll
from videos.models import Report, Video, Visibility
from videos.services.engagement import report_video
from videos.services.moderation import answer_reports
from videos.services.publishing import edit_video

pytestmark = pytest.mark.django_db


@pytest.fixture
def clips(user: User) -> list[Video]:
    """Six clips of friends: they are in every mode."""
    made = VideoFactory.create_batch(6)
    for video in made:
        befriend(user, video.author)
    return made


@pytest.mark.parametrize(("mode", "order"), ORDERS)
class TestEveryFeed:
    """At once, in every mode, and for seeds of before."""

    def test_leaves_out_what_one_said_no_to(
        self, mode: str, order: str, as_user: ApiClient, clips: list[Video]
    ) -> None:
        page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 2})
        unseen = [video for video in clips if video.pk not in ids(page)]
        answer = as_user.post(f"/videos/{unseen[0].pk}/not-interested")
        assert answer == {"not_interested": True}
        rest = ids(as_user.get(FEED, follow_up(page, limit=50)))
        assert set(rest) == {video.pk for video in unseen[1:]}
        assert unseen[0].pk not in scroll(as_user, mode=mode, order=order, limit=2)

    def test_shows_it_again_once_that_is_taken_back(
        self, mode: str, order: str, as_user: ApiClient, clips: list[Video]
    ) -> None:
        path = f"/videos/{clips[0].pk}/not-interested"
        as_user.post(path)
        assert as_user.delete(path) == {"not_interested": False}
        assert clips[0].pk in scroll(as_user, mode=mode, order=order, limit=2)

    def test_leaves_out_what_one_reported_whatever_becomes_of_it(
        self, mode: str, order: str, as_user: ApiClient, as_other: ApiClient, clips: list[Video],
    ) -> None:  # fmt: skip
        page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 2})
        unseen = [video for video in clips if video.pk not in ids(page)]
        as_user.post(f"/videos/{unseen[0].pk}/report", {"reason": "spam"})
        rest = ids(as_user.get(FEED, follow_up(page, limit=50)))
        assert set(rest) == {video.pk for video in unseen[1:]}
        answer_reports(unseen[0].pk, Report.Outcome.DISMISSED, UserFactory())
        assert unseen[0].pk not in scroll(as_user, mode=mode, order=order, limit=2)
        assert unseen[0].pk in scroll(as_other, mode="all", limit=2)

    def test_leaves_out_whom_one_mutes(
        self, mode: str, order: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 2})
        unseen = [video for video in clips if video.pk not in ids(page)]
        Mute.objects.create(muter=user, muted=unseen[0].author)
        rest = ids(as_user.get(FEED, follow_up(page, limit=50)))
        assert set(rest) == {video.pk for video in unseen[1:]}

    @pytest.mark.parametrize("muted", ["Rain", "#météo"])
    def test_leaves_out_what_has_a_muted_word_or_hashtag(
        self, mode: str, order: str, muted: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 2})
        [hit, *rest] = [video for video in clips if video.pk not in ids(page)]
        edit_video(hit.author, hit.pk, caption="It rains. RAIN again #Météo")
        as_user.post("/user/muted-words", {"text": muted}, expect=201)
        found = ids(as_user.get(FEED, follow_up(page, limit=50)))
        assert set(found) == {video.pk for video in rest}
        as_user.delete(f"/user/muted-words/{MutedWord.objects.get().pk}", expect=204)
        assert hit.pk in scroll(as_user, mode=mode, order=order, limit=2)

    def test_of_others_is_not_touched(
        self, mode: str, order: str, as_user: ApiClient, as_other: ApiClient, other: User,
        clips: list[Video],
    ) -> None:  # fmt: skip
        for video in clips:
            befriend(other, video.author)
        as_user.post(f"/videos/{clips[0].pk}/not-interested")
        Mute.objects.create(muter=clips[0].author, muted=other)  # the other way round
        assert clips[0].pk in scroll(as_other, mode=mode, order=order, limit=3)


def test_saying_no_twice_is_saying_it_once(as_user: ApiClient) -> None:
    video = VideoFactory()
    for _ in range(2):
        as_user.post(f"/videos/{video.pk}/not-interested")
    assert NotInterested.objects.count() == 1
    for _ in range(2):
        as_user.delete(f"/videos/{video.pk}/not-interested")
    assert not NotInterested.objects.exists()


def test_ones_own_video_is_refused_by_name(as_user: ApiClient, user: User) -> None:
    video = VideoFactory(author=user)
    answer = as_user.post(f"/videos/{video.pk}/not-interested", expect=400)
    assert answer["code"] == "own_video"


class TestWhy:
    """True reasons."""

    def codes(self, client: ApiClient, video: Video) -> list[Any]:
        reasons = client.get(f"/videos/{video.pk}/why")["reasons"]
        assert all(reason["text"] for reason in reasons)
        return [(reason["mode"], reason["code"]) for reason in reasons]

    def test_everybodys_shuffled_order(self, as_user: ApiClient) -> None:
        assert self.codes(as_user, VideoFactory()) == [("all", "shuffled")]

    def test_people_whom_one_follows(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory()
        Follow.objects.create(follower=user, followee=video.author)
        assert self.codes(as_user, video) == [("following", "following"), ("all", "shuffled")]

    def test_friends(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory(visibility=Visibility.FRIENDS)
        befriend(user, video.author)
        expected = [("following", "following"), ("friends", "friend")]
        assert self.codes(as_user, video) == expected

    def test_what_is_left_out_says_so(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory()
        Mute.objects.create(muter=user, muted=video.author)
        as_user.post(f"/videos/{video.pk}/not-interested")
        assert self.codes(as_user, video) == [(None, "not_interested"), (None, "muted")]

    def test_a_report_says_so(self, as_user: ApiClient, as_other: ApiClient) -> None:
        video = VideoFactory()
        as_user.post(f"/videos/{video.pk}/report", {"reason": "spam"})
        assert self.codes(as_user, video) == [(None, "reported")]
        assert self.codes(as_other, video) == [("all", "shuffled")]

    def test_a_muted_word_says_so(self, as_user: ApiClient, user: User) -> None:
        video, own = VideoFactory(caption="Rain!"), VideoFactory(author=user, caption="Rain!")
        mute_word(user, "rain")
        assert self.codes(as_user, video) == [(None, "muted_word")]
        assert self.codes(as_user, own) == [(None, "own"), ("all", "shuffled")]

    def test_ones_own(self, as_user: ApiClient, user: User) -> None:
        assert self.codes(as_user, VideoFactory(author=user)) == [
            (None, "own"),
            ("all", "shuffled"),
        ]
        draft = VideoFactory(author=user, draft=True)
        assert self.codes(as_user, draft) == [(None, "not_published")]

    @pytest.mark.parametrize(("mode", "order"), ORDERS)
    def test_agrees_with_what_the_feeds_show(
        self, mode: str, order: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        as_user.post(f"/videos/{clips[0].pk}/not-interested")
        Follow.objects.filter(follower=user, followee=clips[1].author).delete()
        clips[2].visibility = Visibility.PRIVATE
        clips[2].save()
        shown = set(scroll(as_user, mode=mode, order=order, limit=3))
        for video in [*clips[:2], *clips[3:]]:
            modes = {named for named, _ in self.codes(as_user, video)}
            assert (mode in modes) == (video.pk in shown)

    def test_costs_one_query_and_one_for_the_ranking(
        self, as_user: ApiClient, django_assert_num_queries: Any
    ) -> None:
        video = VideoFactory()
        with django_assert_num_queries(2):
            as_user.get(f"/videos/{video.pk}/why")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("mode", "order"), ORDERS)
def test_a_prepared_page_is_not_used_after_a_report(
    mode: str, order: str, as_user: ApiClient, user: User, clips: list[Video], later: Later
) -> None:
    page = as_user.get(FEED, {"mode": mode, "order": order, "limit": 2})
    later.run()
    slot = prepared.look(user.pk)
    assert slot is not None
    report_video(user, slot.videos[0], Reason.SPAM)
    rest = ids(as_user.get(FEED, follow_up(page, limit=2)))
    assert len(rest) == 2
    assert slot.videos[0] not in rest
