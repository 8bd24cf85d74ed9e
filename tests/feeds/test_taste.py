"""What people control about their recommendations, and that it holds at once."""

from collections.abc import Iterable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import Follow, User
from accounts.purging import purge
from accounts.services import follow, unfollow
from feeds import affinity, prepared, taste
from feeds.export_parts import PARTS
from feeds.history import forget_watch
from feeds.models import (
    Affinity,
    FeedSession,
    Impression,
    NotInterested,
    RefusedCreator,
    RefusedTag,
    RemovedTaste,
)
from feeds.recommender import sessions
from feeds.seeds import Seed, read_token
from feeds.services import Watched, record_views
from tests.api_client import ApiClient
from tests.conftest import RunJobs
from tests.factories import VideoFactory
from tests.feeds.caching import Later
from tests.feeds.scroll import FEED, follow_up, ids, scroll
from videos.captions import link_caption
from videos.models import Like, Video
from videos.services.comments import add_comment
from videos.services.engagement import like_video, save_video, unlike_video

pytestmark = pytest.mark.django_db
MINE = "/user/recommendations"


def tagged(*captions: str, **fields: Any) -> list[Video]:
    """Clips with their hashtags."""
    made = [VideoFactory(caption=caption, **fields) for caption in captions]
    for video in made:
        link_caption(video)
    return made


def names(found: Iterable[dict[str, Any]]) -> list[str]:
    return [one.get("name") or one["handle"] for one in found]


def known(client: ApiClient) -> tuple[list[str], list[str]]:
    """Hashtags, and handles of creators, that were learned."""
    answer = client.get(MINE)
    return names(answer["hashtags"]), [one["handle"] for one in answer["creators"]]


class TestRefusing:
    """Less of a creator or a hashtag: at once, in what is recommended and nowhere else."""

    @pytest.mark.parametrize("what", ["creator", "hashtag"])
    def test_it_leaves_for_you_at_once_and_comes_back(
        self, what: str, as_user: ApiClient, other: User
    ) -> None:
        cats = tagged("#cats", "#cats too", author=other)
        dogs = tagged("#dogs", "#dogs too", "#dogs three", "#dogs four")
        page = as_user.get(FEED, {"limit": 1})
        wish = {"what": what} | ({"hashtag": "cats"} if what == "hashtag" else {})
        path = f"/videos/{cats[0].pk}/not-interested"
        assert as_user.post(path, wish) == {"not_interested": True}
        rest = ids(as_user.get(FEED, follow_up(page, limit=50)))
        assert set(rest) == {video.pk for video in dogs} - set(ids(page))
        assert set(scroll(as_user, limit=3)) == {video.pk for video in dogs}
        assert set(scroll(as_user, mode="all", limit=3)) > {video.pk for video in cats}
        query = "&".join(f"{name}={value}" for name, value in wish.items())
        assert as_user.delete(f"{path}?{query}") == {"not_interested": False}
        assert set(scroll(as_user, limit=3)) > {video.pk for video in cats}

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("what", ["creator", "hashtag"])
    def test_a_prepared_page_is_not_used(
        self, what: str, as_user: ApiClient, user: User, later: Later
    ) -> None:
        tagged(*[f"#tag{number}" for number in range(6)])
        page = as_user.get(FEED, {"limit": 2})
        later.run()
        slot = prepared.look(user.pk)
        assert slot is not None
        video = Video.objects.get(pk=slot.videos[0])
        taste.refuse(user, video.pk, what, video.caption)
        rest = ids(as_user.get(FEED, follow_up(page, limit=2)))
        assert len(rest) == 2
        assert video.pk not in rest

    def test_others_see_it(self, as_user: ApiClient, as_other: ApiClient) -> None:
        (clip,) = tagged("#cats")
        as_user.post(f"/videos/{clip.pk}/not-interested", {"what": "creator"})
        assert clip.pk in scroll(as_other)

    def test_whom_one_follows_stays_in_that_feed(self, as_user: ApiClient, user: User) -> None:
        (clip,) = tagged("#cats")
        Follow.objects.create(follower=user, followee=clip.author)
        as_user.post(f"/videos/{clip.pk}/not-interested", {"what": "creator"})
        assert clip.pk in scroll(as_user, mode="following")
        assert clip.pk not in scroll(as_user, mode="for-you")

    def test_why_says_so(self, as_user: ApiClient) -> None:
        (clip,) = tagged("#cats")
        path = f"/videos/{clip.pk}"
        as_user.post(f"{path}/not-interested", {"what": "creator"})
        as_user.post(f"{path}/not-interested", {"what": "hashtag", "hashtag": "cats"})
        codes = [reason["code"] for reason in as_user.get(f"{path}/why")["reasons"]]
        assert codes == ["less_of_creator", "less_of_hashtag", "shuffled"]

    def test_twice_is_once(self, as_user: ApiClient) -> None:
        (clip,) = tagged("#cats")
        for _ in range(2):
            as_user.post(f"/videos/{clip.pk}/not-interested", {"what": "creator"})
            as_user.post(
                f"/videos/{clip.pk}/not-interested", {"what": "hashtag", "hashtag": "cats"}
            )
        assert RefusedCreator.objects.count() == RefusedTag.objects.count() == 1
        answer = as_user.get(MINE)
        assert names(answer["refused_creators"]) == [clip.author.name]
        assert answer["refused_hashtags"] == ["cats"]
        for _ in range(2):
            as_user.delete(f"/user/refusals/creators/{clip.author.handle}", expect=204)
            as_user.delete("/user/refusals/hashtags/cats", expect=204)
        assert not RefusedCreator.objects.exists()
        assert not RefusedTag.objects.exists()

    def test_a_hashtag_must_be_the_videos(self, as_user: ApiClient) -> None:
        (clip,) = tagged("#cats")
        wish = {"what": "hashtag", "hashtag": "dogs"}
        answer = as_user.post(f"/videos/{clip.pk}/not-interested", wish, expect=400)
        assert answer["errors"]["hashtag"][0]["code"] == "not_its_hashtag"
        as_user.post(f"/videos/{clip.pk}/not-interested", {"what": "life"}, expect=400)

    def test_oneself_is_refused_by_name(self, as_user: ApiClient, user: User) -> None:
        video = VideoFactory(author=user)
        path = f"/videos/{video.pk}/not-interested"
        assert as_user.post(path, {"what": "creator"}, expect=400)["code"] == "own_video"


class TestLearned:
    """What the feed goes by, and taking it out."""

    @pytest.fixture
    def clips(self, user: User) -> list[Video]:
        """Two of cats, one of dogs, all liked; by three people."""
        made = tagged("#cats", "#cats #sun", "#dogs")
        for video in made:
            like_video(user, video.pk)
        return made

    def test_the_strongest_comes_first(self, as_user: ApiClient, clips: list[Video]) -> None:
        answer = as_user.get(MINE)
        assert names(answer["hashtags"])[0] == "cats"
        assert answer["hashtags"][0]["strength"] == pytest.approx(1, abs=0.01)
        assert [one["strength"] for one in answer["hashtags"][1:]] == [
            pytest.approx(0.5, abs=0.01)
        ] * 2
        assert {one["handle"] for one in answer["creators"]} == {
            clip.author.handle for clip in clips
        }

    def test_a_hashtag_goes_and_comes_back_with_a_new_act(
        self, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        for _ in range(2):
            as_user.delete(f"{MINE}/hashtags/cats", expect=204)
        assert known(as_user) == (["dogs"], [clips[2].author.handle])
        like_video(user, tagged("#cats again")[0].pk)
        assert set(known(as_user)[0]) == {"cats", "dogs"}

    def test_a_creator_goes(self, as_user: ApiClient, clips: list[Video]) -> None:
        as_user.delete(f"{MINE}/creators/{clips[0].author.handle}", expect=204)
        assert clips[0].author.handle not in known(as_user)[1]
        assert len(known(as_user)[1]) == 2
        as_user.delete(f"{MINE}/creators/nobody", expect=204)
        assert RemovedTaste.objects.count() == 1

    def test_reset_forgets_all_but_what_was_refused(
        self, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        taste.refuse(user, clips[2].pk, taste.CREATOR)
        as_user.delete(f"{MINE}/hashtags/dogs", expect=204)
        answer = as_user.post(f"{MINE}/reset", expect=200)
        assert (answer["hashtags"], answer["creators"]) == ([], [])
        assert answer["since"] is not None
        assert len(answer["refused_creators"]) == 1
        assert not RemovedTaste.objects.exists()
        assert Like.objects.count() == 3
        like_video(user, tagged("#birds")[0].pk)
        assert known(as_user)[0] == ["birds"]

    def test_for_you_does_not_go_by_what_was_forgotten(
        self, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        fresh = tagged("#cats new")[0]
        terms = lambda: {  # noqa: E731
            reason["code"] for reason in as_user.get(f"/videos/{fresh.pk}/why")["reasons"]
        }
        as_user.get(FEED)
        assert "tag" in terms()
        taste.reset(user)
        as_user.get(FEED)
        assert "tag" not in terms()

    def test_refused_ones_are_not_shown_as_learned(
        self, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        taste.refuse(user, clips[0].pk, taste.HASHTAG, "cats")
        assert "cats" not in known(as_user)[0]


class TestNoProfiling:
    """No affinity is read or written."""

    def test_switching_off_deletes_and_switching_on_starts_from_the_acts(
        self, as_user: ApiClient, user: User, other: User, run_jobs: RunJobs
    ) -> None:
        cats, dogs = tagged("#cats", "#dogs")
        like_video(user, cats.pk)
        like_video(other, cats.pk)
        answer = as_user.patch(MINE, {"profiling": False})
        assert (answer["profiling"], answer["hashtags"]) == (False, [])
        assert list(Affinity.objects.values_list("user", flat=True)) == [other.pk]
        like_video(user, dogs.pk)
        assert as_user.patch(MINE, {"profiling": True})["profiling"] is True
        run_jobs()
        assert Affinity.objects.filter(user=user).count() == 2
        assert set(known(as_user)[0]) == {"cats", "dogs"}

    def test_nothing_asks_for_affinities(self, as_user: ApiClient, user: User, other: User) -> None:
        clips = tagged(*["#cats"] * 5)
        for clip in clips[:2]:
            like_video(user, clip.pk)
        taste.set_profiling(user, False)
        with CaptureQueriesContext(connection) as captured:
            as_user.get(FEED)
            like_video(user, clips[3].pk)
            unlike_video(user, clips[3].pk)
            save_video(user, clips[3].pk)
            add_comment(user, clips[3].pk, "hello")
            record_views(user, [Watched(clips[4].pk, 5.0, True)])
            follow(user, clips[4].author)
            unfollow(user, clips[4].author)
            taste.refuse(user, clips[0].pk, taste.VIDEO)
            taste.allow(user, taste.VIDEO, str(clips[0].pk))
            forget_watch(user, clips[4].pk)
            assert affinity.rebuild(user.pk) == 0
            as_user.get(MINE)
            as_user.get(f"/videos/{clips[1].pk}/why")
        asked = [query["sql"] for query in captured if "feeds_affinity" in query["sql"]]
        assert asked == []
        assert not Affinity.objects.exists()
        assert Impression.objects.filter(user=user).exists()

    def test_acts_of_others_are_learned_from_meanwhile(self, user: User, other: User) -> None:
        (clip,) = tagged("#cats")
        taste.set_profiling(user, False)
        affinity.settle_pairs([(user.pk, clip.pk), (other.pk, clip.pk)])
        assert Affinity.objects.get().user_id == other.pk

    @pytest.mark.parametrize("wrong", [{}, {"profiling": "perhaps"}, {"profiling": None}])
    def test_a_wrong_wish_is_refused_by_name(
        self, wrong: dict[str, Any], as_user: ApiClient
    ) -> None:
        assert "profiling" in as_user.patch(MINE, wrong, expect=400)["errors"]


@pytest.mark.parametrize("change", ["switched off", "switched on", "reset"])
class TestOrdersEnd:
    """Whoever takes back what the feed goes by gets nothing of before."""

    def change(self, change: str, user: User) -> None:
        if change == "reset":
            taste.reset(user)
        else:
            taste.set_profiling(user, change == "switched on")

    @pytest.fixture
    def clips(self, change: str, user: User) -> list[Video]:
        """The first one is liked."""
        if change == "switched on":
            taste.set_profiling(user, False)
        made = tagged(*["#cats"] * 30)
        like_video(user, made[0].pk)
        return made

    def test_the_next_page_says_to_refresh(
        self, change: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        page, numbered = as_user.get(FEED, {"limit": 5}), as_user.get(FEED, {"limit": 5, "seed": 7})
        self.change(change, user)
        for old in (page, numbered):
            answer = as_user.get(FEED, follow_up(old), expect=400)
            assert answer["code"] == "seed_ended"
            assert "Refresh the feed" in answer["detail"]
        again = as_user.get(FEED, {"limit": 5, "seed": 7})
        assert len(scroll(as_user, **follow_up(again, limit=9))) == 25
        assert len(scroll(as_user, limit=9)) == 30

    def test_no_reason_of_before_is_told(
        self, change: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        video = ids(as_user.get(FEED, {"limit": 5}))[0]
        told = lambda: {  # noqa: E731
            reason["mode"] for reason in as_user.get(f"/videos/{video}/why")["reasons"]
        }
        assert "for-you" in told()
        self.change(change, user)
        assert "for-you" not in told()

    def test_what_is_ranked_at_that_moment_is_ranked_anew(
        self, change: str, as_user: ApiClient, user: User, clips: list[Video],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """Somebody asks for a first page; it is ranked, and then they change it elsewhere."""
        insert, before = sessions._insert, []

        def late(reader: User, seed: Seed, start: int, stretch: Any) -> bool:
            monkeypatch.setattr(sessions, "_insert", insert)
            before.append(stretch)
            self.change(change, User.objects.get(pk=user.pk))
            return insert(reader, seed, start, stretch)

        monkeypatch.setattr(sessions, "_insert", late)
        page = as_user.get(FEED, {"limit": 5})
        if change != "switched on":  # the acts are computed by a job
            assert FeedSession.objects.get().places != before[0].places
        assert len(scroll(as_user, **follow_up(page, limit=9))) == 25

    def test_what_is_ranked_ahead_then_does_not_begin_it_anew(
        self, change: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        page = as_user.get(FEED, {"limit": 5})
        self.change(change, user)
        sessions.extend_ahead(read_token(page["seed"]), 5)
        assert as_user.get(FEED, follow_up(page), expect=400)["code"] == "seed_ended"

    @pytest.mark.django_db(transaction=True)
    def test_a_number_begins_anew_whatever_redis_has(
        self, change: str, as_user: ApiClient, user: User, clips: list[Video]
    ) -> None:
        as_user.get(FEED, {"limit": 5, "seed": 7})
        self.change(change, user)
        assert not FeedSession.objects.exists()
        page = as_user.get(FEED, {"limit": 5, "seed": 7})
        assert FeedSession.objects.get().ids[:5] == ids(page)

    def test_orders_of_others_and_other_modes_go_on(
        self, change: str, as_user: ApiClient, as_other: ApiClient, user: User,
        clips: list[Video],
    ) -> None:  # fmt: skip
        page = as_user.get(FEED, {"mode": "all", "limit": 5})
        of_other = as_other.get(FEED, {"limit": 5})
        self.change(change, user)
        assert as_user.get(FEED, follow_up(page))["count"] == 5
        assert as_other.get(FEED, follow_up(of_other))["count"] == 5


class TestPage:
    """The settings page, without JavaScript."""

    URL = "/settings/recommendations"

    @pytest.fixture
    def browser(self, user: User) -> Client:
        browser = Client()
        browser.force_login(user)
        return browser

    def test_shows_removes_and_takes_back(self, browser: Client, user: User) -> None:
        cats, dogs = tagged("#cats", "#dogs")
        like_video(user, cats.pk)
        taste.refuse(user, dogs.pk, taste.HASHTAG, "dogs")
        taste.refuse(user, dogs.pk, taste.CREATOR)
        taste.refuse(user, cats.pk, taste.VIDEO)
        like_video(user, tagged("#cats and more")[0].pk)
        text = browser.get(self.URL).content.decode()
        for shown in ("#cats", "#dogs", f"@{dogs.author.handle}", "<meter"):
            assert shown in text
        browser.post(f"{self.URL}/hashtag/cats/forget")
        browser.post(f"{self.URL}/hashtag/dogs/allow")
        browser.post(f"{self.URL}/creator/{dogs.author.handle}/allow")
        browser.post(f"{self.URL}/video/{cats.pk}/allow")
        assert "<meter" not in browser.get(self.URL).content.decode()
        for model in (RefusedTag, RefusedCreator, NotInterested):
            assert not model.objects.exists()

    def test_switches_and_resets(self, browser: Client, user: User) -> None:
        like_video(user, tagged("#cats")[0].pk)
        answer = browser.post(f"{self.URL}/switch", follow=True)
        assert "What it knew from 1 clip is deleted" in answer.content.decode()
        user.refresh_from_db()
        assert not user.profiling
        browser.post(f"{self.URL}/switch", {"profiling": "on"})
        browser.post(f"{self.URL}/reset")
        user.refresh_from_db()
        assert user.profiling
        assert user.taste_since is not None
        assert "Last reset on" in browser.get(self.URL).content.decode()


def test_the_copy_of_ones_data_has_it(user: User, other: User) -> None:
    (clip,) = tagged("#cats", author=other)
    taste.refuse(user, clip.pk, taste.CREATOR)
    taste.refuse(user, clip.pk, taste.HASHTAG, "cats")
    taste.forget_one(user, taste.HASHTAG, "cats")
    assert next(PARTS["refused_creators"](user))["handle"] == other.handle
    assert next(PARTS["refused_hashtags"](user))["name"] == "cats"
    assert next(PARTS["removed_tastes"](user))["name"] == "cats"
    assert next(PARTS["profile"](user))["profiling"] is True


@pytest.mark.parametrize("who", ["user", "creator"])
def test_it_goes_with_the_account(who: str, user: User, other: User) -> None:
    (clip,) = tagged("#cats", author=other)
    taste.refuse(user, clip.pk, taste.CREATOR)
    taste.forget_one(user, taste.CREATOR, other.handle)
    gone = user if who == "user" else other
    gone.mark_deleted()
    purge(gone.pk)
    assert not RefusedCreator.objects.exists()
    assert not RemovedTaste.objects.exists()
