"""The page of the administration that shows where somebody's feeds come from."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Follow, User
from feeds import cards, hits, prepared, timeline, tracing
from feeds.models import CacheReads, Impression, PendingFanout, PullAuthor
from feeds.options import read_options, seed_of
from feeds.paging import make_page
from feeds.seeds import new_seed
from feeds.timeline import List
from tests.factories import UserFactory, VideoFactory, befriend
from tests.feeds.caching import signed_in
from tests.feeds.models import put_in_service
from tests.feeds.scroll import FEED, ORDERS
from tests.videos.measuring import queries_of
from tiktok_clone.common import generation
from tiktok_clone.common.redis import client
from videos.captions import link_caption
from videos.services import engagement

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _cached(settings: Any) -> None:
    settings.FEED_CACHED_READERS = 10
    settings.FEED_PREFETCH_THREADS = 1


@pytest.fixture
def staff() -> Client:
    """A browser in which an administrator is signed in."""
    browser = Client()
    browser.force_login(UserFactory(is_staff=True, is_superuser=True))
    return browser


@pytest.fixture
def reader(user: User) -> User:
    """Whose feeds are looked at."""
    return user


@pytest.fixture
def author(reader: User) -> User:
    """Somebody whom the reader follows."""
    person: User = UserFactory()
    Follow.objects.create(follower=reader, followee=person)
    return person


def build(reader: User, *authors: User) -> None:
    lists = [List.of_reader("following", reader.pk), *(List.of_author(a.pk) for a in authors)]
    assert all(timeline.build(one) for one in lists)


def places(reader: User, title: str = "Following") -> dict[int, str]:
    (feed,) = [feed for feed in tracing.trace(reader).feeds if feed.title == title]
    return {piece.video.pk: piece.place for piece in feed.pieces}


def everything() -> tuple[Any, ...]:
    """All keys and values of Redis, but for how long they live, and the tables of the feeds."""
    redis = client()
    assert redis is not None
    held = {}
    for key in sorted(redis.keys("feeds:*")):
        kind: Any = redis.type(key)  # two dumps of one hash may differ
        held[key] = redis.hgetall(key) if kind == b"hash" else redis.dump(key)
    counts = (Impression.objects.count(), PendingFanout.objects.count())
    return held, counts


def test_it_says_where_each_place_comes_from(reader: User, author: User) -> None:
    star = UserFactory()
    Follow.objects.create(follower=reader, followee=star)
    pushed, pulled = VideoFactory(author=author), VideoFactory(author=star)
    PullAuthor.objects.create(author=star)
    build(reader, star)
    on_its_way = VideoFactory(author=author)
    PendingFanout.objects.create(
        video=on_its_way, author=author, published_at=on_its_way.published_at
    )
    found = places(reader)
    assert found == {on_its_way.pk: "pending", pulled.pk: "outbox", pushed.pk: "timeline"}


def test_below_the_list_and_without_one_it_is_the_database(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeline, "CAP", 2)
    videos = VideoFactory.create_batch(4, author=author)
    assert set(places(reader).values()) == {"database"}
    build(reader)
    found = places(reader)
    assert [found[video.pk] for video in reversed(videos)] == [
        "timeline", "database", "database", "database",
    ]  # fmt: skip


def test_what_it_shows_is_what_the_reader_would_get(reader: User, author: User) -> None:
    VideoFactory.create_batch(5, author=author)
    build(reader)
    asked = read_options({"mode": "following"})
    served = make_page(reader, seed_of(asked, reader.pk), 0, tracing.LIMIT)
    assert list(places(reader)) == [card.video for card in served.shown]


def test_for_you_shows_what_brought_each_place_and_the_parts_of_its_score(
    staff: Client, reader: User, author: User
) -> None:
    liked, *near = VideoFactory.create_batch(6)
    put_in_service({liked.pk: {video.pk: 0.1 * n for n, video in enumerate(near, 1)}})
    tagged = VideoFactory.create_batch(2, caption="#cats")
    for video in tagged:
        link_caption(video)
    by_creator = VideoFactory(author=liked.author)
    followed = VideoFactory(author=author)
    popular = VideoFactory(trend=9)
    VideoFactory.create_batch(8)
    engagement.like_video(reader, liked.pk)
    engagement.like_video(reader, tagged[0].pk)
    (feed,) = [feed for feed in tracing.trace(reader).feeds if feed.title == "For you"]
    assert len(feed.pieces) == 17
    for piece in feed.pieces:
        assert sum(term.value for term in piece.terms) == pytest.approx(piece.score, abs=1e-9)
        assert piece.place in {term.name for term in piece.terms}
    # What only one source can have named, unless its place is one of those for exploration.
    names = {"taste": near, "tag": tagged[1:], "creator": [by_creator], "followed": [followed]}
    expected = {video.pk: name for name, videos in names.items() for video in videos}
    expected[popular.pk] = "popular"
    found = {piece.video.pk: piece.place for piece in feed.pieces}
    assert {pk: found[pk] for pk in expected if found[pk] != "explored"}.items() <= expected.items()
    others = {place for pk, place in found.items() if pk not in expected}
    assert others <= {"fresh", "explored"}
    html = staff.get(reverse("admin:feeds_trace"), {"reader": f"@{reader.handle}"}).content.decode()
    assert "taste" in html
    assert "followed" in html


def test_it_shows_every_mode_in_every_order(reader: User) -> None:
    friend = UserFactory()
    befriend(reader, friend)
    videos = {video.pk for video in VideoFactory.create_batch(3, author=friend)}
    build(reader)
    for mode, order in ORDERS[1:]:
        shuffled = ", shuffled" if order == "shuffle" and mode != "all" else ""
        found = places(reader, mode.capitalize() + shuffled)
        assert set(found) == videos
        assert "timeline" not in found.values() or (mode, order) == ("following", "latest")


def test_places_are_counted_by_where_they_were(
    reader: User, author: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    star = UserFactory()
    Follow.objects.create(follower=reader, followee=star)
    monkeypatch.setattr(timeline, "CAP", 2)
    VideoFactory.create_batch(4, author=author)
    VideoFactory(author=star)
    PullAuthor.objects.create(author=star)
    build(reader, star)
    on_its_way = VideoFactory(author=author)
    PendingFanout.objects.create(
        video=on_its_way, author=author, published_at=on_its_way.published_at
    )
    before = counted_places()
    assert len(make_page(reader, new_seed("following", "latest", reader.pk), 0, 10).shown) == 6
    added = {source: count - before[source] for source, count in counted_places().items()}
    # The oldest one in the list marks how far down the list is complete.
    assert added == {"pending": 1, "outbox": 1, "timeline": 0, "database": 4}


def counted_places() -> dict[str, int]:
    sources = ("pending", "outbox", "timeline", "database")
    return {source: int(timeline.PLACES.labels(source)._value.get()) for source in sources}


def test_it_shows_cards_and_the_prepared_page(reader: User, author: User) -> None:
    videos = VideoFactory.create_batch(5, author=author)
    page = make_page(reader, seed_of(read_options({"mode": "following"}), reader.pk), 0, 2)
    assert prepared.prepare(reader.pk, page)
    shown = {piece.card for feed in tracing.trace(reader).feeds for piece in feed.pieces}
    assert "card" in shown
    prepared_ids = list(places(reader, "Prepared: following, after 2"))
    assert prepared_ids == [video.pk for video in videos[2::-1]]
    with transaction.atomic():
        cards.drop(videos[2].pk)
    held = tracing.trace(reader).feeds[0].pieces
    assert {piece.video.pk: piece.card for piece in held}[videos[2].pk] == "gone"


def test_to_look_changes_nothing(staff: Client, reader: User, author: User) -> None:
    VideoFactory.create_batch(3, author=author)
    build(reader)
    page = make_page(reader, seed_of(read_options({"mode": "following"}), reader.pk), 0, 2)
    prepared.prepare(reader.pk, page)
    redis, name = client(), generation.generation()
    assert redis is not None
    redis.delete(*redis.keys(f"feeds:{name}:card:*"))
    before = everything()
    answer = staff.get(reverse("admin:feeds_trace"), {"reader": f"@{reader.handle}"})
    assert answer.status_code == 200
    after = everything()
    assert {k: v for k, v in after[0].items() if before[0].get(k) != v} == {}
    assert after == before
    assert not redis.exists(List.of_reader("friends", reader.pk).key(name))


def test_without_redis_it_says_so(
    staff: Client, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    VideoFactory()
    monkeypatch.setattr(tracing, "client", lambda: None)
    html = staff.get(reverse("admin:feeds_trace"), {"reader": reader.email}).content.decode()
    assert "not set" in html
    assert "place: database" in html


def test_it_is_found_from_the_person_and_names_who_is_unknown(staff: Client, reader: User) -> None:
    page = staff.get(reverse("admin:accounts_user_change", args=[reader.pk])).content.decode()
    assert f"{reverse('admin:feeds_trace')}?reader=@{reader.handle}" in page
    answer = staff.get(reverse("admin:feeds_trace"), {"reader": "nobody"}).content.decode()
    assert "Nobody who is active has this handle" in answer


def test_only_who_may_see_people_and_what_they_watched_may_look(reader: User) -> None:
    browser = Client()
    browser.force_login(UserFactory(is_staff=True))
    assert browser.get(reverse("admin:feeds_trace")).status_code == 403


def test_its_queries_do_not_grow(reader: User, author: User) -> None:
    VideoFactory.create_batch(15, author=author)
    build(reader)
    assert queries_of(lambda: tracing.trace(reader)) <= 45


def test_hits_are_added_up_by_day_and_drawn(staff: Client, reader: User) -> None:
    hits.write()
    CacheReads.objects.all().delete()
    prepared.COUNTED.labels("hit").inc(3)
    prepared.COUNTED.labels("absent").inc()
    hits.write()
    hits.write()
    rows = CacheReads.objects.filter(kind="prepared").order_by("hit")
    assert [(row.day, row.hit, row.total) for row in rows] == [
        (timezone.now().date(), False, 1),
        (timezone.now().date(), True, 3),
    ]
    cache.clear()
    charts = staff.get(reverse("admin:index")).context["board"]["charts"]
    (chart,) = [chart for chart in charts if chart["key"] == "caches"]
    assert (chart["unit"], chart["today"]) == ("%", "75 %")


def test_hits_are_written_without_threads_that_prepare(
    reader: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    VideoFactory()
    settings.FEED_PREFETCH_THREADS = 0
    monkeypatch.setattr(hits, "_next", 0.0)
    signed_in(reader).get(FEED, {"mode": "all"})
    assert CacheReads.objects.filter(kind="cards").exists()


def test_the_rows_of_two_processes_add_up() -> None:
    today = timezone.now().date()
    for _ in range(2):
        hits._add([("cards", True, 5)])
    assert CacheReads.objects.get(day=today, kind="cards").total == 10
