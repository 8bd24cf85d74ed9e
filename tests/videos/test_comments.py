"""Comments, replies, and likes of comments."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory, block
from tests.videos.measuring import queries_of, run_together
from tiktok_clone.common.errors import DomainError
from videos.models import Comment, CommentLike, Video, Visibility
from videos.services import comments

pytestmark = pytest.mark.django_db


@pytest.fixture
def video() -> Video:
    return VideoFactory()


def test_a_comment_has_this_shape(as_user: ApiClient, user: User, video: Video) -> None:
    body = as_user.post(f"/videos/{video.pk}/comment", {"text": " nice #sea \n"}, expect=201)
    assert body.pop("created_at").endswith("Z")
    assert body.pop("author") == {
        "id": user.pk,
        "handle": user.handle,
        "name": user.name,
        "avatar": user.avatar_url,
        "url": f"/@{user.handle}",
    }
    assert body == {
        "id": Comment.objects.get().pk,
        "video": video.pk,
        "text": "nice #sea",
        "parent": None,
        "state": "shown",
        "pinned": False,
        "likes_count": 0,
        "replies_count": 0,
        "liked": False,
    }
    video.refresh_from_db()
    assert video.comments_count == 1


def test_a_reply_to_a_reply_joins_the_thread(as_user: ApiClient, video: Video) -> None:
    path = f"/videos/{video.pk}/comment"
    root = as_user.post(path, {"text": "root"}, expect=201)
    reply = as_user.post(path, {"text": "reply", "parent": root["id"]}, expect=201)
    deeper = as_user.post(path, {"text": "deeper", "parent": reply["id"]}, expect=201)
    assert reply["parent"] == deeper["parent"] == root["id"]
    listed = as_user.get(f"/videos/{video.pk}/comments")["results"]
    assert [(row["text"], row["replies_count"]) for row in listed] == [("root", 2)]
    replies = as_user.get(f"/videos/{video.pk}/comments?parent={root['id']}")["results"]
    assert [row["text"] for row in replies] == ["reply", "deeper"]
    assert as_user.get(f"/videos/{video.pk}")["comments_count"] == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "blank"),
        ("  \n", "blank"),
        ("x" * 1001, "max_length"),
        ("a\x00b", "null_characters_not_allowed"),
        ("a\x1bb", "control_characters"),
        (None, "null"),
        (["a"], "invalid_type"),
    ],
)
def test_a_text_is_refused_by_name(
    text: object, code: str, as_user: ApiClient, video: Video
) -> None:
    answer = as_user.post(f"/videos/{video.pk}/comment", {"text": text}, expect=400)
    assert answer["errors"]["text"][0]["code"] == code
    assert not Comment.objects.exists()


def test_a_reply_needs_a_comment_of_the_same_video(as_user: ApiClient, video: Video) -> None:
    elsewhere = CommentFactory()
    for parent in (elsewhere.pk, 999_999):
        body = {"text": "hm", "parent": parent}
        answer = as_user.post(f"/videos/{video.pk}/comment", body, expect=400)
        assert answer["errors"]["parent"][0]["code"] == "not_found"


def test_nobody_replies_in_a_thread_that_a_block_hides(
    as_user: ApiClient, user: User, video: Video
) -> None:
    root = CommentFactory(video=video)
    reply = CommentFactory(video=video, parent=root)
    block(root.author, user)
    for parent in (root, reply):
        body = {"text": "hm", "parent": parent.pk}
        as_user.post(f"/videos/{video.pk}/comment", body, expect=400)


def test_comments_of_blocked_people_are_hidden(
    as_user: ApiClient, user: User, video: Video
) -> None:
    shown, blocking, blocked = CommentFactory.create_batch(3, video=video)
    block(blocking.author, user)
    block(user, blocked.author)
    listed = as_user.get(f"/videos/{video.pk}/comments")["results"]
    assert [row["id"] for row in listed] == [shown.pk]
    for hidden in (blocking, blocked):
        as_user.post(f"/comments/{hidden.pk}/like", expect=404)
        as_user.delete(f"/comments/{hidden.pk}", expect=404)


def test_comments_of_a_hidden_video_are_hidden(as_user: ApiClient) -> None:
    comment = CommentFactory(video=VideoFactory(visibility=Visibility.PRIVATE))
    as_user.get(f"/videos/{comment.video_id}/comments", expect=404)
    as_user.post(f"/videos/{comment.video_id}/comment", {"text": "hi"}, expect=404)
    as_user.post(f"/comments/{comment.pk}/like", expect=404)


def test_comments_are_paged_without_a_repeat(api: ApiClient, video: Video) -> None:
    made = [comment.pk for comment in CommentFactory.create_batch(25, video=video)]
    first = api.get(f"/videos/{video.pk}/comments?limit=10")
    CommentFactory(video=video)  # a new one does not move the pages
    seen = [row["id"] for row in first["results"]]
    url = first["next"]
    while url:
        page = api.get(url)
        seen += [row["id"] for row in page["results"]]
        url = page["next"]
    assert seen == sorted(made, reverse=True)
    assert "liked" not in first["results"][0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("color=red", "color"),
        ("limit=51", "limit"),
        ("limit=0000011000", "limit"),
        pytest.param(f"limit={'1'.zfill(6)}{'1' * 5000}", "limit", id="limit of 5006 digits"),
        ("limit=x", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=cD1ub3QtYS1udW1iZXI%3D", "cursor"),
        ("parent=x", "parent"),
    ],
)
def test_a_wrong_option_is_refused_by_name(
    query: str, field: str, api: ApiClient, video: Video
) -> None:
    assert field in api.get(f"/videos/{video.pk}/comments?{query}", expect=400)["errors"]


def test_a_comment_is_deleted_with_its_replies_and_likes(as_user: ApiClient, user: User) -> None:
    video = VideoFactory()
    root = comments.add_comment(user, video.pk, "root")
    stays = comments.add_comment(user, video.pk, "stays")
    replier = UserFactory()
    reply = comments.add_comment(replier, video.pk, "reply", root.pk)
    for comment in (root, reply):
        comments.like_comment(replier, comment.pk)
    as_user.delete(f"/comments/{root.pk}", expect=204)
    assert list(Comment.objects.values_list("pk", flat=True)) == [stays.pk]
    assert not CommentLike.objects.exists()
    video.refresh_from_db()
    assert video.comments_count == 1
    as_user.delete(f"/comments/{root.pk}", expect=404)


def test_a_deleted_reply_is_taken_from_its_thread(user: User, video: Video) -> None:
    root = comments.add_comment(user, video.pk, "root")
    reply = comments.add_comment(user, video.pk, "reply", root.pk)
    assert comments.delete_comment(user, reply.pk) == 1
    root.refresh_from_db()
    video.refresh_from_db()
    assert (root.replies_count, video.comments_count) == (0, 1)


def test_the_author_of_the_video_may_delete_what_is_under_it(
    as_user: ApiClient, user: User
) -> None:
    comment = CommentFactory(video=VideoFactory(author=user, comments_count=1))
    as_user.delete(f"/comments/{comment.pk}", expect=204)


def test_nobody_else_may_delete_a_comment(as_user: ApiClient, video: Video) -> None:
    comment = CommentFactory(video=video)
    assert as_user.delete(f"/comments/{comment.pk}", expect=403)["code"] == "permission_denied"


def test_ones_own_words_can_be_deleted_when_the_video_is_out_of_sight(
    as_user: ApiClient, user: User, video: Video
) -> None:
    comment = comments.add_comment(user, video.pk, "mine")
    block(video.author, user)
    as_user.delete(f"/comments/{comment.pk}", expect=204)


def test_a_comment_is_liked_once(as_user: ApiClient, video: Video) -> None:
    comment = CommentFactory(video=video)
    for _ in range(2):
        answer = as_user.post(f"/comments/{comment.pk}/like")
        assert answer == {"liked": True, "likes_count": 1}
    assert as_user.get(f"/videos/{video.pk}/comments")["results"][0]["liked"] is True
    for _ in range(2):
        answer = as_user.delete(f"/comments/{comment.pk}/like")
        assert answer == {"liked": False, "likes_count": 0}


@pytest.mark.parametrize("signed_in", [True, False])
def test_listing_comments_takes_the_same_number_of_queries_for_1_and_20(
    signed_in: bool, user: User, video: Video
) -> None:
    client = ApiClient(user if signed_in else None)
    counts = []
    for wanted in (1, 20):
        CommentFactory.create_batch(wanted - Comment.objects.count(), video=video)
        counts.append(queries_of(lambda: client.get(f"/videos/{video.pk}/comments")))
    assert counts[0] == counts[1] <= 4


@pytest.mark.django_db(transaction=True)
def test_counts_equal_rows_after_comments_likes_and_deletions_at_once() -> None:
    video = VideoFactory()
    people = UserFactory.create_batch(5)
    root = comments.add_comment(video.author, video.pk, "root")
    refusals: set[int] = set()

    def talk(number: int) -> None:
        person = people[number % 5]
        for turn in range(3):
            try:
                mine = comments.add_comment(person, video.pk, "a", root.pk if turn % 2 else None)
                reply = comments.add_comment(person, video.pk, "b", mine.pk)
                comments.like_comment(person, reply.pk)
                comments.like_comment(person, root.pk)
                if turn != 1:
                    comments.delete_comment(person, mine.pk)
                if number == 7 and turn == 1:
                    comments.delete_comment(video.author, root.pk)
            except DomainError as refused:
                # The root goes in the middle; what hung below it is not there any more.
                refusals.add(refused.status)

    run_together(talk, 20)
    assert refusals <= {400, 404}
    video.refresh_from_db()
    assert video.comments_count == Comment.objects.filter(video=video).count()
    for comment in Comment.objects.all():
        assert comment.replies_count == comment.replies.count()
        assert comment.likes_count == comment.likes.count()


@pytest.mark.django_db(transaction=True)
def test_a_comment_deleted_by_two_at_once_is_counted_once() -> None:
    video = VideoFactory()
    comment = comments.add_comment(UserFactory(), video.pk, "x")

    def delete(person: User) -> bool:
        try:
            return bool(comments.delete_comment(person, comment.pk))
        except DomainError:
            return False
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(delete, [video.author, comment.author])) == 1
    video.refresh_from_db()
    assert video.comments_count == 0


def test_replies_to_somebody_blocked_are_not_listed(
    as_user: ApiClient, user: User, video: Video
) -> None:
    root = CommentFactory(video=video)
    CommentFactory(video=video, parent=root)
    block(user, root.author)
    as_user.get(f"/videos/{video.pk}/comments", {"parent": root.pk}, expect=404)


def test_a_parent_of_thousands_of_digits_is_no_comment(user: User, video: Video) -> None:
    browser, digits = Client(), "9" * 5000
    browser.force_login(user)
    page = f"{video.get_absolute_url()}/comments"
    assert browser.get(f"{page}?parent={digits}").status_code == 404
    assert browser.post(page[:-1], {"text": "x", "parent": digits}).status_code == 400
    assert not Comment.objects.exists()


def test_ones_own_comment_can_be_deleted_where_one_may_not_look_any_more(
    user: User, video: Video
) -> None:
    mine = comments.add_comment(user, video.pk, "mine")
    block(video.author, user)
    browser = Client()
    browser.force_login(user)
    answer = browser.post(f"/comment/{mine.pk}/delete")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert not Comment.objects.filter(pk=mine.pk).exists()
