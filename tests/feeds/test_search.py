"""What is found by words, in which order, for whom, and how the database finds it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.finding import search_people
from accounts.models import Follow, User
from feeds.search import find_tags
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend, block
from videos.captions import link_caption
from videos.models import Hashtag, Video, Visibility
from videos.relevance import ranked, with_words

pytestmark = pytest.mark.django_db
# Signs of the query language, of SQL and of LIKE, and what is no word at all.
SIGNS = [
    "'", "''", "\\", "\\'", ":", ":*", "&", "|", "!", "<->", "(", ")", "%", "_", "*", "#", "@", "-",
    "''':*", "a' & 'b", "a:b", "a & | b", "x'); DROP TABLE videos_video; --", "😀",
    "👩‍🚀🏳️‍🌈", "…", "\u200d",
    "the", "a", "i", "0", "1e99", "٣", "ﷺ", "한국", "中文", "ไทย", "हिन्दी", "İ", "ß", "ǆ", "\u0301",
    "word " * 20, "x" * 100, "é" * 100, "ﷺ" * 100, "ẞ" * 100,
]  # fmt: skip


def found(api: ApiClient, **options: Any) -> list[int]:
    return [card["id"] for card in api.get("/videos", options)["results"]]


def handles(people: Any) -> list[str]:
    return [person.handle for person in people]


class TestVideos:
    """`GET /videos?q=`."""

    @pytest.mark.parametrize(
        ("caption", "typed"),
        [
            ("The OCEAN at night", "oce"),
            ("The ocean at night", "oce nig"),
            ("The ocean at night", "night ocean"),
            ("un CAFE noir", "café"),
            ("un café noir", "CAFE"),
            ("die Straße", "strasse"),
            ("DIE STRASSE", "straße"),
            ("off to the #BigSea", "bigsea"),
            ("off to the #BigSea", "#bigs"),
            ("thanks @mia.waves", "@mia.waves"),
            ("waves.So good", "so"),
            ("surf/skate", "skate"),
            ("don’t look down", "don't"),
            ("my café☕️!", "café☕️"),
            ("한국 여행", "한국"),
            ("вечерний Город", "город"),
        ],
    )
    def test_words_are_found_by_their_beginnings(
        self, caption: str, typed: str, api: ApiClient
    ) -> None:
        video = VideoFactory(caption=caption)
        VideoFactory(caption="zebra")
        assert found(api, q=typed) == [video.pk]

    @pytest.mark.parametrize("typed", ["cean", "oceans", "ocean zzz", "nightocean"])
    def test_what_does_not_begin_so_is_not_found(self, typed: str, api: ApiClient) -> None:
        VideoFactory(caption="The ocean at night")
        assert found(api, q=typed) == []

    def test_the_author_may_have_some_of_the_words(self, api: ApiClient) -> None:
        mia = UserFactory(handle="mia.waves", name="Mia Rey")
        video = VideoFactory(author=mia, caption="ocean")
        VideoFactory(author=mia, caption="hills")
        VideoFactory(caption="ocean")
        assert found(api, q="rey oce") == [video.pk]
        assert len(found(api, q="waves")) == 2

    @pytest.mark.parametrize("typed", SIGNS, ids=range(len(SIGNS)))
    def test_signs_are_only_signs(self, typed: str, api: ApiClient) -> None:
        VideoFactory(caption="plain")
        api.get("/videos", {"q": typed})
        api.get("/users", {"q": typed})
        api.get("/hashtags", {"q": typed})

    def test_what_has_no_word_finds_nothing(self, api: ApiClient) -> None:
        VideoFactory(caption="😀 plain")
        for typed in ("😀", "#", "…"):
            assert found(api, q=typed) == []

    @pytest.mark.parametrize(
        ("typed", "code"),
        [("x" * 101, "max_length"), ("a\0b", "control_characters"), ("a\nb", "control_characters")],
    )
    @pytest.mark.parametrize("path", ["/videos", "/users", "/hashtags"])
    def test_nonsense_is_refused_by_name(
        self, path: str, typed: str, code: str, api: ApiClient
    ) -> None:
        problem = api.get(path, {"q": typed}, expect=400)
        assert problem["errors"]["q"][0]["code"] in (code, "null_characters_not_allowed")

    def test_an_edited_caption_is_found_by_its_new_words(self, api: ApiClient) -> None:
        video = VideoFactory(caption="before")
        ApiClient(video.author).patch(f"/videos/{video.pk}", {"caption": "after"})
        assert found(api, q="before") == []
        assert found(api, q="after") == [video.pk]

    def test_the_very_word_comes_before_one_that_begins_with_it(self, api: ApiClient) -> None:
        word = VideoFactory(caption="cat")
        longer = VideoFactory(caption="catalog")
        assert found(api, q="cat") == [word.pk, longer.pk]

    def test_what_is_popular_now_comes_first(self, api: ApiClient) -> None:
        trending, liked, plain = (VideoFactory(caption="cat") for _ in range(3))
        Video.objects.filter(pk=trending.pk).update(trend=30)
        Video.objects.filter(pk=liked.pk).update(likes_count=30)
        assert found(api, q="cat") == [trending.pk, liked.pk, plain.pk]

    def test_a_caption_about_it_comes_before_a_heap_of_hashtags(self, api: ApiClient) -> None:
        about = VideoFactory(caption="cat")
        heap = VideoFactory(caption="#cat " + " ".join(f"#tag{n}" for n in range(60)))
        assert found(api, q="cat") == [about.pk, heap.pk]

    def test_new_comes_before_old(self, api: ApiClient) -> None:
        old, new = VideoFactory(caption="cat"), VideoFactory(caption="cat")
        long_ago = timezone.now() - timedelta(days=60)
        Video.objects.filter(pk=new.pk).update(published_at=long_ago)
        assert found(api, q="cat") == [old.pk, new.pk]

    def test_pages_by_relevance_fit_together(self, api: ApiClient) -> None:
        videos = [VideoFactory(caption="cat", likes_count=n % 4) for n in range(23)]
        seen, page = [], api.get("/videos", {"q": "cat", "limit": 5})
        while True:
            seen += [card["id"] for card in page["results"]]
            if page["next"] is None:
                break
            page = api.get(page["next"])
        assert len(seen) == len(set(seen)) == len(videos)
        back = api.get(page["previous"])
        assert [card["id"] for card in back["results"]] == seen[15:20]

    def test_the_order_may_be_chosen(self, api: ApiClient) -> None:
        first = VideoFactory(caption="cat", likes_count=9)
        second = VideoFactory(caption="cat", trend=3.5)
        assert found(api, q="cat", ordering="-published_at") == [second.pk, first.pk]
        assert found(api, q="cat", ordering="-likes_count") == [first.pk, second.pk]
        assert found(api, ordering="-trend") == [second.pk, first.pk]
        assert found(api, ordering="-relevance") == [second.pk, first.pk]

    def test_filters_work_together(self, api: ApiClient) -> None:
        ann = UserFactory(handle="ann")
        video = VideoFactory(author=ann, caption="cat")
        VideoFactory(author=ann, caption="dog")
        VideoFactory(caption="cat")
        assert found(api, q="cat", author="@ann") == [video.pk]
        assert found(api, q="cat", author="nobody") == []
        assert found(api, q="cat", tag="nothing") == []


class TestWhoIsMeant:
    """Everything that a viewer may not see is not found either."""

    @pytest.fixture
    def seen(self, as_user: ApiClient) -> Any:
        return lambda: bool(found(as_user, q="cat"))

    def test_blocks_work_both_ways(self, seen: Any, user: User, other: User) -> None:
        video = VideoFactory(caption="cat")
        assert seen()
        block(user, video.author)
        assert not seen()
        user.blocking_rows.all().delete()
        block(video.author, user)
        assert not seen()

    def test_muted_people_are_not_come_across_but_can_be_asked_for(
        self, seen: Any, as_user: ApiClient, user: User
    ) -> None:
        video = VideoFactory(caption="cat")
        user.muting_rows.create(muted=video.author)
        assert not seen()
        assert found(as_user, author=video.author.handle) == [video.pk]
        people = as_user.get("/users", {"q": video.author.handle})["results"]
        assert [person["id"] for person in people] == [video.author_id]

    @pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.FRIENDS])
    def test_what_is_not_for_everybody(self, visibility: str, seen: Any, user: User) -> None:
        video = VideoFactory(caption="cat", visibility=visibility)
        assert not seen()
        befriend(user, video.author)
        assert seen() == (visibility == Visibility.FRIENDS)

    def test_private_accounts_are_for_their_followers(self, seen: Any, user: User) -> None:
        video = VideoFactory(caption="cat", author__is_private=True)
        assert not seen()
        Follow.objects.create(follower=user, followee=video.author)
        assert seen()

    def test_hidden_unfinished_and_deleted_ones(self, seen: Any) -> None:
        VideoFactory(caption="cat", draft=True)
        VideoFactory(caption="cat", hidden_at=timezone.now())
        VideoFactory(caption="cat", author__deleted_at=timezone.now())
        VideoFactory(caption="cat", author__is_active=False)
        VideoFactory(caption="cat").delete()
        assert not seen()

    def test_gone_and_blocked_people(self, as_user: ApiClient, user: User) -> None:
        UserFactory(name="Cat", deleted_at=timezone.now())
        UserFactory(name="Cat", is_active=False)
        block(UserFactory(name="Cat"), user)
        block(user, UserFactory(name="Cat"))
        private = UserFactory(name="Cat", is_private=True)
        people = as_user.get("/users", {"q": "cat"})["results"]
        assert [person["id"] for person in people] == [private.pk]
        assert "email" not in people[0]


class TestPeople:
    """`GET /users?q=`."""

    def test_the_handle_comes_first_then_its_beginning_then_the_word(self) -> None:
        by_beginning = UserFactory(handle="zoe", name="Miapolis", followers_count=999)
        by_name = UserFactory(handle="xen", name="Mia Rey", followers_count=20)
        by_handle = UserFactory(handle="mia.waves", name="Zed", followers_count=1)
        itself = UserFactory(handle="mia", name="Zed")
        UserFactory(handle="maria", name="Maria")
        expected = handles([itself, by_handle, by_name, by_beginning])
        assert handles(search_people(None, "mia")) == expected
        assert handles(search_people(None, "@MIA")) == expected

    @pytest.mark.parametrize("typed", ["@mia.wa", "mia.waves_92", "waves", "92", "josé", "JOSE"])
    def test_parts_of_handle_and_name_are_found(self, typed: str) -> None:
        person = UserFactory(handle="mia.waves_92", name="José María")
        assert handles(search_people(None, typed)) == [person.handle]

    def test_among_the_same_the_most_followed_comes_first(self) -> None:
        for n, followers in enumerate((3, 9, 5)):
            UserFactory(handle=f"mia{n}", followers_count=followers)
        assert handles(search_people(None, "mia")) == ["mia1", "mia2", "mia0"]

    def test_somebody_little_known_is_found_by_the_handle_among_very_many(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.finding.CANDIDATES", 2)
        for n in range(4):
            UserFactory(handle=f"mia{n}", name="Mia", followers_count=9)
        UserFactory(handle="mia")
        assert handles(search_people(None, "mia")) == ["mia", "mia1", "mia0"]

    def test_the_api_pages_and_tells_the_relation(self, as_user: ApiClient, user: User) -> None:
        people = [UserFactory(handle=f"mia{n}") for n in range(5)]
        Follow.objects.create(follower=user, followee=people[4])
        page = as_user.get("/users", {"q": "mia", "limit": 3})
        assert [p["handle"] for p in page["results"]] == ["mia4", "mia3", "mia2"]
        assert [p["following"] for p in page["results"]] == [True, False, False]
        rest = as_user.get(page["next"])
        assert [p["handle"] for p in rest["results"]] == ["mia1", "mia0"]
        assert rest["next"] is None

    def test_words_are_required(self, api: ApiClient) -> None:
        assert api.get("/users", expect=400)["errors"]["q"][0]["code"] == "required"
        api.get("/users", {"q": "x", "name": "y"}, expect=400)


class TestHashtags:
    """`GET /hashtags?q=`."""

    @pytest.fixture(autouse=True)
    def _tags(self) -> None:
        for name, count in [("ocean", 3), ("oceanic", 9), ("océan", 1), ("deepocean", 5), ("x", 0)]:
            Hashtag.objects.create(name=name, videos_count=count)

    @pytest.mark.parametrize(
        ("typed", "names"),
        [
            ("ocean", ["ocean", "océan", "oceanic"]),
            ("#OCÉAN", ["océan", "ocean", "oceanic"]),
            ("oceani", ["oceanic"]),
            ("deep", ["deepocean"]),
            ("x", []),
            ("#", []),
            ("", ["oceanic", "deepocean", "ocean", "océan"]),
        ],
    )
    def test_they_are_found_by_their_beginning(self, typed: str, names: list[str]) -> None:
        assert [tag.name for tag in find_tags(None, typed)] == names

    def test_a_tag_is_found_as_soon_as_a_caption_has_it(self, api: ApiClient) -> None:
        link_caption(VideoFactory(caption="What an #Élan!"))
        assert [tag["name"] for tag in api.get("/hashtags", {"q": "#elan"})["results"]] == ["élan"]

    def test_the_api_pages(self, api: ApiClient) -> None:
        page = api.get("/hashtags", {"limit": 3})
        assert page["results"][0] == {"name": "oceanic", "videos_count": 9, "url": "/tag/oceanic"}
        assert [tag["name"] for tag in api.get(page["next"])["results"]] == ["océan"]


class TestPlans:
    """What the database does among very many rows."""

    @pytest.fixture(autouse=True)
    def _rows(self) -> None:
        now = timezone.now()
        people = User.objects.bulk_create(
            User(email=f"p{n}@example.org", handle=f"p{n}", name=f"Word{n}", password="!")
            for n in range(3000)
        )
        Video.objects.bulk_create(
            Video(
                author=people[n],
                caption=f"word{n} among many",
                status="ready",
                published_at=now - timedelta(minutes=n),
            )
            for n in range(3000)
        )
        Hashtag.objects.bulk_create(Hashtag(name=f"word{n}", videos_count=1) for n in range(3000))
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE videos_video, accounts_user, videos_hashtag")

    def test_videos_are_found_in_the_index(self, user: User) -> None:
        videos = Video.objects.published().visible_to(user).not_muted_by(user)
        found = with_words(videos, "word77", user)
        assert {video.caption for video in found} > {"word77 among many", "word771 among many"}
        for rows in (found.order_by("-published_at")[:20], ranked(found, "word77")[:20]):
            plan = rows.explain()
            assert "video_search" in plan
            assert "Seq Scan on videos_video" not in plan

    def test_what_is_everywhere_is_read_in_order_until_there_is_enough(self, user: User) -> None:
        videos = Video.objects.published().visible_to(user)
        plan = with_words(videos, "many", user).order_by("-published_at")[:20].explain()
        assert "video_by_time" in plan

    def test_people_are_found_in_the_index(self, user: User) -> None:
        # With so few people the planner may scan to fetch those found; finding them must not.
        plan = search_people(user, "word77")[:20].explain()
        assert "user_search" in plan

    def test_hashtags_are_found_in_the_index(self) -> None:
        plan = find_tags(None, "word77")[:20].explain()
        assert "hashtag_by_prefix" in plan
