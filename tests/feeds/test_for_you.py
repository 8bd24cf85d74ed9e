"""For-you over HTTP: what is ranked, frozen, explained; what the eight invariants do not say."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Follow, User
from feeds import hits
from feeds.models import CacheReads, FeedSession, Impression, NotInterested
from feeds.recommender import candidates, sessions
from feeds.recommender.explaining import stored_terms
from feeds.recommender.exploring import KNOWN_AFTER
from feeds.seeds import LIFETIME, Seed, new_seed, read_token
from feeds.services import Watched, record_views
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, block
from tests.feeds.caching import Later, use_client
from tests.feeds.models import put_in_service
from tests.feeds.scroll import FEED, LATE, follow_up, ids, pages, scroll
from videos.models import Hashtag, Video, VideoHashtag, Visibility
from videos.services import comments, engagement, moderation

pytestmark = pytest.mark.django_db


@pytest.fixture
def clips() -> list[int]:
    """Forty clips of forty people, the newest last."""
    return [VideoFactory().pk for _ in range(40)]


def like(user: User, *videos: int) -> None:
    for pk in videos:
        engagement.like_video(user, pk)


def see(user: User, videos: Iterable[int], days: float = 0) -> None:
    """Have the user swipe past some videos, days ago."""
    record_views(user, [Watched(pk) for pk in videos])
    at = timezone.now() - timedelta(days=days)
    Impression.objects.filter(user=user, video__in=list(videos)).update(last_at=at)


def tag(name: str, *videos: int) -> Hashtag:
    made, _ = Hashtag.objects.get_or_create(name=name)
    VideoHashtag.objects.bulk_create(VideoHashtag(video_id=pk, hashtag=made) for pk in videos)
    return made


def sources(seed: str) -> dict[int, str]:
    """What brought each place of an order, by video."""
    rows = FeedSession.objects.filter(seed=read_token(seed).signed_key)
    return {
        pk: place["source"] for row in rows for pk, place in zip(row.ids, row.places, strict=False)
    }


class TestWhatComes:
    """Candidates and what they are worth."""

    def test_the_neighbours_of_what_was_liked_come_first(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[7]: 0.6, clips[3]: 0.4}})
        like(user, clips[0])
        page = as_user.get(FEED, {"limit": 4, "seed": LATE})
        known = [pk for pk in ids(page) if sources(page["seed"])[pk] == "taste"]
        assert ids(page)[:2] == known == [clips[7], clips[3]]

    def test_the_first_like_changes_the_next_seed_and_no_seed_before(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        page = as_user.get(FEED, {"limit": 5, "seed": LATE - 1})
        before = scroll(as_user, **follow_up(page))
        like(user, clips[0])
        assert scroll(as_user, **follow_up(page)) == before
        assert ids(as_user.get(FEED, {"seed": LATE}))[0] == clips[1] != ids(page)[0]

    def test_without_any_history_the_popular_and_the_new_come_first(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        Video.objects.filter(pk=clips[5]).update(trend=9)
        page = as_user.get(FEED, {"limit": 10, "seed": LATE})
        found = sources(page["seed"])
        assert found[clips[5]] == "popular"
        assert clips[5] in ids(page)[:2]
        assert {found[pk] for pk in ids(page)} == {"popular", "fresh", "explored"}

    def test_a_video_that_nobody_knows_is_found_by_hashtag_and_by_creator(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        liked = VideoFactory()
        by_creator = VideoFactory(author=liked.author)
        tag("cats", liked.pk, clips[2])
        VideoFactory.create_batch(candidates.NEWEST)  # neither is among the newest
        like(user, liked.pk)
        page = as_user.get(FEED, {"limit": 4, "seed": LATE})
        found = sources(page["seed"])
        assert found[clips[2]] == "tag"
        assert found[by_creator.pk] == "creator"
        assert {clips[2], by_creator.pk} <= set(ids(page))

    def test_what_the_followed_post_is_lifted(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        author = Video.objects.get(pk=clips[0]).author
        Follow.objects.create(follower=user, followee=author)
        page = as_user.get(FEED, {"limit": 3, "seed": LATE})
        assert clips[0] in ids(page)
        assert sources(page["seed"])[clips[0]] == "followed"

    @pytest.mark.parametrize("change", ["own", "hidden", "blocked", "private", "refused", "muted"])
    def test_what_must_not_come_does_not(
        self, change: str, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        video = VideoFactory()
        put_in_service({clips[0]: {video.pk: 1.0}})
        like(user, clips[0])
        CHANGES[change](user, video)
        assert sorted(scroll(as_user)) == sorted(clips)

    def test_what_is_refused_pulls_down_what_is_near(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[39]: 1.0}})
        Video.objects.filter(pk=clips[39]).update(trend=5)
        assert clips[39] in ids(as_user.get(FEED, {"limit": 3, "seed": LATE}))
        as_user.post(f"/videos/{clips[0]}/not-interested")
        assert clips[39] not in scroll(as_user, seed=LATE + 1)[:9]

    def test_skips_push_down_a_creator(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        skipped = VideoFactory.create_batch(10, author=UserFactory())
        last = VideoFactory(author=skipped[0].author).pk
        Video.objects.update(shown_count=KNOWN_AFTER)  # exploring puts some anywhere
        see(user, [video.pk for video in skipped])
        found = scroll(as_user, limit=50, seed=LATE)
        assert found.index(last) > 30
        assert found[41:] == [video.pk for video in skipped]

    def test_one_of_ten_is_explored(self, as_user: ApiClient, clips: list[int]) -> None:
        page = as_user.get(FEED, {"limit": 40})
        found = sources(page["seed"])
        assert sum(found[pk] == "explored" for pk in ids(page)) == 4

    def test_what_many_were_shown_is_explored_no_more(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        Video.objects.filter(pk__in=clips[1:]).update(shown_count=KNOWN_AFTER)
        explored = {pk for pk, source in sources_of_all(as_user).items() if source == "explored"}
        assert explored == {clips[0]}

    def test_creators_are_mixed(self, as_user: ApiClient, user: User) -> None:
        for _ in range(7):
            VideoFactory.create_batch(6, author=UserFactory())
        found = scroll(as_user, limit=30)[:30]
        author = dict(Video.objects.values_list("pk", "author"))
        assert all(author[one] != author[other] for one, other in pairwise(found))


def sources_of_all(client: ApiClient) -> dict[int, str]:
    page = client.get(FEED, {"limit": 50})
    return sources(page["seed"])


CHANGES: dict[str, Callable[[User, Video], object]] = {
    "own": lambda user, video: Video.objects.filter(pk=video.pk).update(author=user),
    "hidden": lambda _, video: moderation.hide_video(video.pk),
    "blocked": lambda user, video: block(video.author, user),
    "private": lambda _, video: Video.objects.filter(pk=video.pk).update(
        visibility=Visibility.PRIVATE
    ),
    "refused": lambda user, video: NotInterested.objects.create(user=user, video=video),
    "muted": lambda user, video: (
        user.mutes.create(muted=video.author) if hasattr(user, "mutes") else _mute(user, video)
    ),
}


GONE_FROM_SIGHT: dict[str, Callable[[User, Video], object]] = {
    "hidden": lambda _, video: moderation.hide_video(video.pk),
    "blocked": lambda user, video: block(video.author, user),
    "blocking": lambda user, video: block(user, video.author),
    "private account": lambda _, video: User.objects.filter(pk=video.author_id).update(
        is_private=True
    ),
    "friends only": lambda _, video: Video.objects.filter(pk=video.pk).update(
        visibility=Visibility.FRIENDS
    ),
    "only me": lambda _, video: Video.objects.filter(pk=video.pk).update(
        visibility=Visibility.PRIVATE
    ),
    "deleted": lambda _, video: video.delete(),
}


def _mute(user: User, video: Video) -> None:
    from accounts.models import Mute

    Mute.objects.create(muter=user, muted=video.author)


class TestTheOrderIsFrozen:
    """Likes, models and videos that come in the middle of a scroll."""

    @pytest.fixture(autouse=True)
    def _short_stretches(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sessions, "STRETCH", 10)
        monkeypatch.setattr(sessions.rank_next, "__defaults__", (10,))

    def test_what_comes_meanwhile_repeats_and_loses_nothing(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        found: list[int] = []
        for number, page in enumerate(pages(as_user, limit=4)):
            found += ids(page)
            like(user, found[-1])
            put_in_service({pk: {clips[-number]: 0.5} for pk in found})
            VideoFactory()
            see(user, clips[number : number + 2])
        assert sorted(found) == clips

    def test_the_same_place_of_the_same_seed_is_the_same(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        found = list(pages(as_user, seed=7, limit=6))
        like(user, clips[0])
        put_in_service({clips[0]: {clips[20]: 1.0}})
        cache.clear()
        again = as_user.get(FEED, {"seed": 7, "limit": 6})
        assert ids(again) == ids(found[0])
        for page in found[:-1]:
            after = as_user.get(FEED, follow_up(page))
            assert ids(after) == ids(found[found.index(page) + 1])

    def test_a_model_that_comes_later_counts_from_the_next_stretch(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        like(user, clips[39])
        page = as_user.get(FEED, {"limit": 5})
        taken = FeedSession.objects.get().ids
        wanted = next(pk for pk in clips if pk not in taken and pk != clips[39])
        put_in_service({clips[39]: {wanted: 1.0}})
        assert wanted in scroll(as_user, **follow_up(page))[5:8]

    def test_who_extends_at_the_same_time_gets_one_order(
        self, user: User, clips: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Both have ranked before one of them stores, and they ranked differently."""
        seed = replace(new_seed("for-you", "ranked", user.pk), key=LATE)
        first = sessions.order_of(seed, 0, 10)
        insert, ranked = sessions._insert, []

        def late(reader: User, seed: Seed, start: int, stretch: Any) -> bool:
            monkeypatch.setattr(sessions, "_insert", insert)
            like(user, clips[0])
            put_in_service({clips[0]: {clips[5]: 1.0}})
            ranked.append(sessions.order_of(seed, start, 10))
            ranked.append(stretch)
            return insert(reader, seed, start, stretch)

        monkeypatch.setattr(sessions, "_insert", late)
        order = sessions.order_of(seed, 10, 10)
        assert order == ranked[0]
        assert order.ids[:10] == first.ids
        assert len(set(order.ids)) == 20
        assert list(order.ids[10:]) != ranked[1].ids, "else this proves nothing"

    def test_a_number_of_ones_own_is_not_counted_up_to(
        self, as_user: ApiClient, clips: list[int]
    ) -> None:
        page = as_user.get(FEED, {"limit": 5})
        with CaptureQueriesContext(connection) as captured:
            beyond = as_user.get(FEED, follow_up(page, skip=2**62))
        assert (beyond["count"], beyond["end"], beyond["next_skip"]) == (0, True, 2**62)
        assert FeedSession.objects.count() == 1
        assert len(captured) < 10

    def test_who_jumps_gets_the_rest_unranked_and_each_once(
        self, as_user: ApiClient, clips: list[int], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sessions, "JUMP", 15)
        page = as_user.get(FEED, {"limit": 5})
        jumped = as_user.get(FEED, follow_up(page, skip=30))
        assert jumped["count"] == 5
        assert sorted(scroll(as_user, **follow_up(page)) + ids(page)) == clips


@pytest.mark.django_db(transaction=True)
def test_threads_that_extend_together_agree(user: User, clips: list[int]) -> None:
    seed = new_seed("for-you", "ranked", user.pk)
    start = Barrier(4)

    def extend(_: int) -> sessions.Order:
        start.wait()
        try:
            return sessions.order_of(seed, 0, 40)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        orders = set(pool.map(extend, range(4)))
    assert len(orders) == 1
    assert sorted(orders.pop().ids) == clips


class TestEverythingSeen:
    """New ones first; then a card says so, and those come that were seen longest ago."""

    def test_the_longest_ago_come_after_all_that_is_new(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        old = clips[:20]
        for number, pk in enumerate(old):
            see(user, [pk], days=20 - number)
        found = list(pages(as_user, limit=7))
        order = [pk for page in found for pk in ids(page)]
        assert order[20:] == old
        assert sorted(order[:20]) == clips[20:]
        assert [page["seen_from"] for page in found] == [None, None, 6, None, None, None]

    @pytest.mark.parametrize("limit", [1, 3, 4, 10])
    def test_the_card_is_on_one_page_wherever_it_begins(
        self, limit: int, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        see(user, clips[:28])
        found = list(pages(as_user, limit=limit))
        marks = [
            page["skip"] + page["seen_from"] for page in found if page["seen_from"] is not None
        ]
        assert marks == [12]

    def test_it_is_said_too_where_the_first_of_them_has_gone(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        see(user, clips[:36])
        page = as_user.get(FEED, {"limit": 4})
        Video.objects.filter(pk__in=clips[:2]).delete()
        assert as_user.get(FEED, follow_up(page))["seen_from"] == 0

    def test_who_has_seen_everything_is_told_at_once(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        see(user, clips)
        page = as_user.get(FEED, {"limit": 10})
        assert page["seen_from"] == 0
        assert scroll(as_user, limit=10) == clips

    def test_what_is_seen_in_the_middle_does_not_come_again(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        found: list[int] = []
        for page in pages(as_user, limit=6):
            found += ids(page)
            see(user, ids(page))
        assert sorted(found) == clips

    def test_forgetting_the_history_does_not_bring_it_back_as_new(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        see(user, clips[:5])
        as_user.delete("/user/history", expect=204)
        assert scroll(as_user, limit=10)[-5:] == clips[:5]

    def test_the_page_says_so(self, user: User, clips: list[int]) -> None:
        see(user, clips[:36])
        browser = Client()
        browser.force_login(user)
        first = browser.get("/").content.decode()
        assert first.count("You have seen everything new") == 1
        address = first.split('data-next="')[1].split('"')[0].replace("&amp;", "&")
        assert "You have seen everything new" not in browser.get(address).content.decode()


class TestWhy:
    """The terms of the score, in words."""

    def reasons(self, client: ApiClient, video: int) -> dict[str, dict[str, Any]]:
        told = client.get(f"/videos/{video}/why")["reasons"]
        return {reason["code"]: reason for reason in told if reason["mode"] == "for-you"}

    def test_every_place_has_a_reason_and_its_terms_are_the_score(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[n]: n / 800 for n in range(1, 30)}})
        tag("cats", clips[0], *clips[5:12])
        Video.objects.filter(pk__in=clips[10:20]).update(trend=3)
        as_user.post(f"/videos/{clips[33]}/not-interested")
        like(user, clips[0])
        page = as_user.get(FEED, {"limit": 38})
        row = FeedSession.objects.get(start=0)
        assert len(row.ids) == len(row.places) == 38
        for pk, place in zip(row.ids, row.places, strict=True):
            terms = stored_terms(user, pk)
            assert terms is not None
            assert sum(term.value for term in terms) == pytest.approx(place["score"], abs=1e-9)
            best = max(terms, key=lambda term: term.value)
            assert next(iter(self.reasons(as_user, pk))) == best.name == place["source"]
        assert set(ids(page)) <= set(row.ids)

    def test_what_was_liked_is_named_as_long_as_it_is_visible(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        like(user, clips[0])
        as_user.get(FEED, {"seed": LATE})
        liked = Video.objects.get(pk=clips[0])
        text = self.reasons(as_user, clips[1])["taste"]["text"]
        assert text == f"Because you liked “{liked.caption}” by @{liked.author.handle}."

    @pytest.mark.parametrize("why", GONE_FROM_SIGHT)
    def test_what_may_not_be_seen_any_more_is_not_named(
        self, why: str, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        like(user, clips[0])
        as_user.get(FEED, {"seed": LATE})
        liked = Video.objects.select_related("author").get(pk=clips[0])
        GONE_FROM_SIGHT[why](user, liked)
        text = self.reasons(as_user, clips[1])["taste"]["text"]
        assert text == "People who like what you like have liked it."

    @pytest.mark.parametrize("did", ["liked", "saved", "shared", "commented on", "watched"])
    def test_what_was_done_is_said_as_it_was(
        self, did: str, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        acts: dict[str, Callable[[], object]] = {
            "liked": lambda: like(user, clips[0]),
            "saved": lambda: engagement.save_video(user, clips[0]),
            "shared": lambda: engagement.share_video(user, clips[0]),
            "commented on": lambda: comments.add_comment(user, clips[0], "again!"),
            "watched": lambda: record_views(user, [Watched(clips[0], 8.0, True)]),
        }
        acts[did]()
        as_user.get(FEED, {"seed": LATE})
        text = self.reasons(as_user, clips[1])["taste"]["text"]
        assert text.startswith(f"Because you {did} “")

    def test_what_was_taken_back_is_not_named(
        self, as_user: ApiClient, user: User, clips: list[int]
    ) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        like(user, clips[0])
        as_user.get(FEED, {"seed": LATE})
        engagement.unlike_video(user, clips[0])
        text = self.reasons(as_user, clips[1])["taste"]["text"]
        assert text == "People who like what you like have liked it."

    def test_the_other_reasons(self, as_user: ApiClient, user: User, clips: list[int]) -> None:
        cats = tag("cats", clips[0], clips[1])
        followed = Video.objects.get(pk=clips[2])
        Follow.objects.create(follower=user, followee=followed.author)
        Video.objects.filter(pk=clips[3]).update(trend=5)
        like(user, clips[0])
        page = as_user.get(FEED, {"limit": 40, "seed": LATE})
        explored = next(pk for pk, why in sources(page["seed"]).items() if why == "explored")
        told = self.reasons(as_user, clips[1])["tag"]
        assert (told["text"], told["less"], told["hashtag"]) == (
            "Because you like clips with #cats.", "hashtag", cats.name,
        )  # fmt: skip
        told = self.reasons(as_user, clips[2])["followed"]
        who = followed.author.handle
        assert (told["text"], told["less"]) == (f"It is from @{who}, whom you follow.", "creator")
        assert self.reasons(as_user, clips[3])["popular"]["text"] == "It is popular now."
        text = self.reasons(as_user, explored)["explored"]["text"]
        assert text == "It is new: we are finding out who likes it."

    def test_what_is_in_no_order_of_the_reader_has_no_such_reason(
        self, as_user: ApiClient, as_other: ApiClient, clips: list[int]
    ) -> None:
        as_other.get(FEED)
        assert self.reasons(as_user, clips[0]) == {}


class TestNoProfiling:
    """Popularity and follows; what one likes is neither read nor written."""

    def test_no_affinity_is_read(self, as_user: ApiClient, user: User, clips: list[int]) -> None:
        put_in_service({clips[0]: {clips[1]: 1.0}})
        like(user, clips[0])
        User.objects.filter(pk=user.pk).update(profiling=False)
        with CaptureQueriesContext(connection) as captured:
            page = as_user.get(FEED, {"limit": 39})
        assert not [query for query in captured if "feeds_affinity" in query["sql"]]
        assert not [query for query in captured if "feeds_neighbours" in query["sql"]]
        assert set(sources(page["seed"]).values()) <= {"popular", "followed", "fresh"}

    def test_otherwise_it_is(self, as_user: ApiClient, clips: list[int]) -> None:
        with CaptureQueriesContext(connection) as captured:
            as_user.get(FEED)
        assert [query for query in captured if "feeds_affinity" in query["sql"]]


class TestBehindTheAnswer:
    """Orders are ranked before the reader gets there, and what was served is counted."""

    def test_the_order_is_ranked_ahead(
        self, as_user: ApiClient, later: Later, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        VideoFactory.create_batch(3 * sessions.STRETCH)
        page = as_user.get(FEED, {"limit": 20})
        assert FeedSession.objects.count() == 1
        later.run()
        assert FeedSession.objects.count() == 2
        with CaptureQueriesContext(connection) as captured:
            scroll_on = as_user.get(FEED, follow_up(page, limit=50))
        assert scroll_on["count"] == 50
        assert not [query for query in captured if "INSERT" in query["sql"]]

    def test_without_redis_too(
        self, as_user: ApiClient, later: Later, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        VideoFactory.create_batch(2 * sessions.STRETCH)
        use_client(monkeypatch, None)
        as_user.get(FEED, {"limit": 20})
        later.run()
        assert FeedSession.objects.count() == 2

    def test_what_was_served_is_counted_by_source(
        self, as_user: ApiClient, later: Later, clips: list[int], user: User
    ) -> None:
        see(user, clips[:20])
        before = {name: sessions.SERVED.labels(name)._value.get() for name in sessions.SOURCES}
        served = scroll(as_user, limit=7)
        later.run()
        now = {name: sessions.SERVED.labels(name)._value.get() for name in sessions.SOURCES}
        added = {name: now[name] - before[name] for name in now}
        assert sum(added.values()) == len(served) == 40
        assert (added["seen"], added["explored"]) == (20, 2)
        CacheReads.objects.all().delete()
        hits._written.clear()
        hits.write()
        rows = CacheReads.objects.filter(kind="explored")
        assert rows.get(hit=True).total >= 2
        assert rows.get(hit=False).total >= 38


def test_old_orders_are_forgotten(as_user: ApiClient, clips: list[int]) -> None:
    as_user.get(FEED)
    assert sessions.forget_old_sessions() == 0
    old = timezone.now() - LIFETIME - timedelta(hours=2)
    FeedSession.objects.update(created_at=old)
    assert sessions.forget_old_sessions() == 1


def test_visitors_see_everybodys(client: Client, clips: list[int]) -> None:
    answer = client.get("/")
    assert answer.context["page"].mode == "all"
    assert FeedSession.objects.count() == 0


def test_it_is_the_first_page_of_who_is_signed_in(user: User, clips: list[int]) -> None:
    browser = Client()
    browser.force_login(user)
    assert browser.get("/").context["page"].mode == "for-you"
    assert browser.get("/all").context["page"].mode == "all"


def test_nothing_at_all_is_an_empty_page(as_user: ApiClient) -> None:
    page = as_user.get(FEED)
    assert (page["count"], page["end"], page["seen_from"]) == (0, True, None)
