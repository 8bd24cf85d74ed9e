"""Who may comment, what waits for approval, and what an author hides and pins."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client

from accounts.models import CommentsFrom, CommentsHeld, Follow, User
from feeds.models import Affinity
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory, befriend
from tests.videos.measuring import run_together
from tiktok_clone.common.counting import Drift
from tiktok_clone.common.errors import DomainError
from videos import signals
from videos.counters import reconcile
from videos.forgetting import forget_person
from videos.models import Comment, CommentState, Video
from videos.services import comments, curating

pytestmark = pytest.mark.django_db


@pytest.fixture
def video(user: User) -> Video:
    """A clip of the user's own."""
    return VideoFactory(author=user)


def comments_path(video: Video) -> str:
    return f"/videos/{video.pk}/comments"


def say(client: ApiClient, video: Video, expect: int = 201, **data: Any) -> Any:
    return client.post(f"/videos/{video.pk}/comment", {"text": "hello", **data}, expect=expect)


def texts(client: ApiClient, video: Video) -> list[str]:
    return [row["text"] for row in client.get(comments_path(video))["results"]]


def drift() -> list[Drift]:
    """What counters of comments say that the rows do not."""
    return [one for one in reconcile() if one.field in ("comments_count", "replies_count")]


def count_of(video: Video) -> int:
    video.refresh_from_db()
    return video.comments_count


@contextmanager
def news() -> Iterator[list[str]]:
    """The names of the signals about comments that are sent."""
    heard: list[str] = []
    names = ("comment_held", "comment_added", "comment_hidden", "comment_shown", "comment_deleted")
    listeners: dict[str, Callable[..., None]] = {
        name: (lambda name=name, **_: heard.append(name)) for name in names
    }
    for name, listener in listeners.items():
        getattr(signals, name).connect(listener)
    yield heard
    for name, listener in listeners.items():
        getattr(signals, name).disconnect(listener)


class TestWhoMayComment:
    """By account, and by clip."""

    @pytest.mark.parametrize(
        ("rule", "code", "allowed"),
        [
            ("everybody", None, "stranger follower friend author"),
            ("followers", "comments_followers_only", "follower friend author"),
            ("friends", "comments_friends_only", "friend author"),
            ("nobody", "comments_closed", "author"),
        ],
    )
    def test_those_whom_the_clip_says(
        self, user: User, video: Video, rule: str, code: str | None, allowed: str
    ) -> None:
        people = {"stranger": UserFactory(), "follower": UserFactory(), "friend": UserFactory()}
        Follow.objects.create(follower=people["follower"], followee=user)
        Follow.objects.create(follower=user, followee=people["stranger"])  # the other way round
        befriend(user, people["friend"])
        Video.objects.update(comments_from=rule)
        for name, person in (people | {"author": user}).items():
            if name in allowed.split():
                say(ApiClient(person), video)
            else:
                body = say(ApiClient(person), video, expect=403)
                assert (body["code"], user.handle in body["detail"]) == (code, True)
        assert count_of(video) == len(allowed.split())

    def test_the_box_says_so_before_anybody_types(
        self, client: Client, user: User, other: User, video: Video
    ) -> None:
        page = f"{video.get_absolute_url()}/comments"
        Video.objects.update(comments_from=CommentsFrom.FOLLOWERS)
        client.force_login(other)
        text = client.get(page).content.decode()
        assert f"Only followers of @{user.handle} may comment here." in text
        assert 'name="text"' not in text
        answer = client.post(page[:-1], {"text": "anyway"})
        assert answer.status_code == 403
        assert "Only followers" in answer.content.decode()
        client.force_login(user)
        assert 'name="text"' in client.get(page).content.decode()

    def test_an_account_has_rules_for_its_new_clips(self, as_user: ApiClient, user: User) -> None:
        old = VideoFactory(author=user)
        rules = {"comments_from": "friends", "comments_held": "strangers"}
        assert rules.items() <= as_user.patch(f"/users/@{user.handle}", rules).items()
        size = {"size": 1000}
        upload = as_user.post("/video/upload", size, expect=201)
        made = as_user.get(f"/videos/{upload['video']}")
        assert rules.items() <= made.items()
        assert as_user.get(f"/videos/{old.pk}")["comments_from"] == "everybody"

    def test_a_clip_has_rules_of_its_own(self, as_user: ApiClient, video: Video) -> None:
        path = f"/videos/{video.pk}"
        assert as_user.patch(path, {"comments_from": "nobody"})["comments_from"] == "nobody"
        assert as_user.patch(path, {"comments_held": "everybody"})["comments_from"] == "nobody"
        body = as_user.patch(path, {"comments_from": "me"}, expect=400)
        assert body["errors"]["comments_from"][0]["code"] == "invalid_choice"

    def test_the_pages_change_both(self, client: Client, user: User, video: Video) -> None:
        client.force_login(user)
        client.post("/settings/privacy", {"comments_from": "friends", "comments_held": "strangers"})
        client.post("/settings/privacy", {"is_private": "on"})  # a choice that is left out stays
        user.refresh_from_db()
        found = (user.is_private, user.comments_from, user.comments_held)
        assert found == (True, "friends", "strangers")
        form = {"caption": "x", "visibility": "public", "comments_from": "followers"}
        client.post(f"{video.get_absolute_url()}/edit", form)
        video.refresh_from_db()
        assert (video.comments_from, video.comments_held) == ("followers", "nobody")


class TestHeld:
    """What waits for approval."""

    @pytest.fixture(autouse=True)
    def _held(self, video: Video) -> None:
        Video.objects.update(comments_held=CommentsHeld.EVERYBODY)

    def test_only_those_concerned_see_it_and_nobody_counts_it(
        self, api: ApiClient, as_user: ApiClient, as_other: ApiClient, video: Video, other: User
    ) -> None:
        with news() as heard:
            made = say(as_other, video)
        assert (made["state"], heard) == ("held", ["comment_held"])
        assert count_of(video) == 0
        assert not Affinity.objects.filter(user=other).exists()
        for client, seen in ((as_user, 1), (as_other, 1), (api, 0), (ApiClient(UserFactory()), 0)):
            assert len(texts(client, video)) == seen
        ApiClient(UserFactory()).post(f"/comments/{made['id']}/like", expect=404)
        assert [row["id"] for row in as_user.get("/user/held-comments")["results"]] == [made["id"]]
        assert as_other.get("/user/held-comments")["results"] == []

    def test_approving_shows_and_counts_it_once(
        self, api: ApiClient, as_user: ApiClient, as_other: ApiClient, video: Video, other: User
    ) -> None:
        made = say(as_other, video)
        path = f"/comments/{made['id']}/approve"
        assert as_other.post(path, expect=403)["code"] == "permission_denied"
        with news() as heard:
            for _ in range(2):
                assert as_user.post(path)["state"] == "shown"
        assert heard == ["comment_added"]
        assert count_of(video) == 1
        assert texts(api, video) == ["hello"]
        assert Affinity.objects.get(user=other, video=video).strength > 0
        assert as_user.get("/user/held-comments")["results"] == []

    def test_nobody_replies_to_it_hides_or_pins_it(
        self, as_user: ApiClient, as_other: ApiClient, video: Video
    ) -> None:
        made = say(as_other, video)
        for client in (as_user, as_other):
            say(client, video, expect=400, parent=made["id"])
        path = f"/comments/{made['id']}"
        assert as_user.post(f"{path}/hide", expect=409)["code"] == "comment_held"
        assert as_user.post(f"{path}/pin", expect=409)["code"] == "cannot_pin"
        as_user.delete(path, expect=204)
        assert count_of(video) == 0

    def test_of_strangers_alone(self, user: User, video: Video) -> None:
        Video.objects.update(comments_held=CommentsHeld.STRANGERS)
        known, fan = UserFactory(), UserFactory()
        Follow.objects.create(follower=user, followee=known)
        Follow.objects.create(follower=fan, followee=user)
        states = [say(ApiClient(person), video)["state"] for person in (known, fan, user)]
        assert states == ["shown", "held", "shown"]

    def test_the_pages_approve(self, client: Client, user: User, other: User, video: Video) -> None:
        client.force_login(other)
        page = video.get_absolute_url()
        assert "shown once" in client.get(f"{page}/comments").content.decode()
        client.post(f"{page}/comment", {"text": "Please"})
        assert "Waits for approval" in client.get(f"{page}/comments").content.decode()
        client.force_login(user)
        assert "Please" in client.get("/settings/comments").content.decode()
        client.post(f"/comment/{Comment.objects.get().pk}/approve")
        assert "No comments wait." in client.get("/settings/comments").content.decode()
        assert count_of(video) == 1


class TestHidden:
    """What the author of a clip hides."""

    def test_a_thread_goes_and_comes_back_with_its_count(
        self, api: ApiClient, as_user: ApiClient, as_other: ApiClient, video: Video
    ) -> None:
        root, single = say(as_other, video), say(as_other, video)
        reply = say(as_user, video, parent=root["id"])
        path = f"/comments/{root['id']}/hide"
        with news() as heard:
            for _ in range(2):
                assert as_user.post(path)["state"] == "hidden"
        assert (heard, count_of(video)) == (["comment_hidden"], 1)
        assert [row["id"] for row in api.get(comments_path(video))["results"]] == [single["id"]]
        api.get(comments_path(video), {"parent": root["id"]}, expect=404)
        ApiClient(UserFactory()).post(f"/comments/{reply['id']}/like", expect=404)
        assert len(texts(as_other, video)) == 2  # who wrote it is not told
        with news() as heard:
            assert as_user.delete(path)["state"] == "shown"
        assert (heard, count_of(video)) == (["comment_shown"], 3)
        assert drift() == []

    def test_it_says_nothing_of_what_its_author_cares_for(
        self, user: User, other: User, video: Video
    ) -> None:
        comment = comments.add_comment(other, video.pk, "hm")

        def strength() -> float:
            return Affinity.objects.get(user=other, video=video).strength

        before = strength()
        curating.hide_comment(user, comment.pk)
        assert strength() == 0
        curating.show_comment(user, comment.pk)
        assert strength() == before > 0

    def test_a_reply_counts_only_below_what_is_shown(self, user: User, video: Video) -> None:
        root = comments.add_comment(UserFactory(), video.pk, "root")
        reply = comments.add_comment(UserFactory(), video.pk, "reply", root.pk)
        for act, on, left in (
            (curating.hide_comment, reply, 1),
            (curating.hide_comment, root, 0),
            (curating.show_comment, reply, 0),
            (curating.show_comment, root, 2),
        ):
            act(user, on.pk)
            assert count_of(video) == left
            assert drift() == []
        curating.hide_comment(user, root.pk)
        comments.delete_comment(user, reply.pk)
        comments.delete_comment(user, root.pk)
        assert (count_of(video), drift()) == (0, [])

    def test_whoever_goes_takes_only_what_was_counted(self, user: User, video: Video) -> None:
        person = UserFactory()
        root = comments.add_comment(person, video.pk, "root")
        kept = comments.add_comment(UserFactory(), video.pk, "kept")
        hidden = comments.add_comment(person, video.pk, "hidden", kept.pk)
        comments.add_comment(UserFactory(), video.pk, "below", root.pk)
        curating.hide_comment(user, root.pk)
        curating.hide_comment(user, hidden.pk)
        forget_person(person.pk)
        assert (count_of(video), drift()) == (1, [])


class TestPinned:
    """What stands above the others."""

    def test_three_at_most_on_top_of_the_first_page(
        self, as_user: ApiClient, client: Client, video: Video
    ) -> None:
        rows = CommentFactory.create_batch(5, video=video)
        for row in rows[:3]:
            assert as_user.post(f"/comments/{row.pk}/pin")["pinned"] is True
            as_user.post(f"/comments/{row.pk}/pin")
        body = as_user.post(f"/comments/{rows[3].pk}/pin", expect=409)
        assert body["code"] == "too_many_pinned"
        wanted = [rows[n].pk for n in (2, 1, 0, 4, 3)]
        page = as_user.get(comments_path(video), {"limit": 1})
        found = [row["id"] for row in page["results"]]
        found += [row["id"] for row in as_user.get(page["next"])["results"]]
        assert found == wanted
        shown = client.get(f"{video.get_absolute_url()}/comments").context["comments"]
        assert [row["id"] for row in shown] == wanted
        as_user.delete(f"/comments/{rows[2].pk}/pin")
        assert as_user.get(comments_path(video))["results"][0]["id"] == rows[1].pk

    def test_hiding_unpins_and_replies_cannot_be_pinned(self, user: User, video: Video) -> None:
        root = comments.add_comment(user, video.pk, "root")
        reply = comments.add_comment(user, video.pk, "reply", root.pk)
        with pytest.raises(DomainError, match="no replies"):
            curating.pin_comment(user, reply.pk)
        curating.pin_comment(user, root.pk)
        curating.hide_comment(user, root.pk)
        assert curating.show_comment(user, root.pk).pinned_at is None


@pytest.mark.django_db(transaction=True)
def test_counts_equal_rows_after_all_that_is_done_to_comments_at_once() -> None:
    video = VideoFactory(comments_held=CommentsHeld.STRANGERS)
    author = video.author
    people = UserFactory.create_batch(4)
    Follow.objects.create(follower=author, followee=people[0])
    root = comments.add_comment(author, video.pk, "root")
    refusals: set[int] = set()

    def act(number: int) -> None:
        person = people[number % 4]
        for turn in range(3):
            try:
                mine = comments.add_comment(person, video.pk, "a", root.pk if turn % 2 else None)
                curating.show_comment(author, mine.pk)
                comments.like_comment(author, mine.pk)
                [curating.hide_comment, curating.show_comment][number % 2](author, root.pk)
                curating.hide_comment(author, mine.pk)
                if number % 3 == 0:
                    comments.delete_comment(person, mine.pk)
                elif turn:
                    curating.show_comment(author, mine.pk)
            except DomainError as refused:
                refusals.add(refused.status)  # the root is hidden at that moment

    run_together(act, 12)
    assert refusals <= {400, 404}
    states = set(Comment.objects.values_list("state", flat=True))
    assert states >= {CommentState.SHOWN, CommentState.HIDDEN}
    assert drift() == []
