"""GET /videos, /videos/:id and the lists of a person."""

import base64
from typing import Any

import pytest

from accounts.models import Follow, User
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend, block
from tests.videos.measuring import queries_of
from videos.captions import link_caption
from videos.models import Video, Visibility
from videos.services import engagement

pytestmark = pytest.mark.django_db


def ids(page: dict[str, Any]) -> list[int]:
    return [card["id"] for card in page["results"]]


def walk(client: ApiClient, url: str | None) -> list[int]:
    """Follow `next` to the end."""
    found: list[int] = []
    while url:
        page = client.get(url)
        found += ids(page)
        url = page["next"]
    return found


def test_a_video_tells_whether_the_asker_likes_it(
    api: ApiClient, as_user: ApiClient, user: User
) -> None:
    video = VideoFactory()
    engagement.like_video(user, video.pk)
    path = f"/videos/{video.pk}"
    body = as_user.get(path)
    assert (body["liked"], body["saved"], body["likes_count"]) == (True, False, 1)
    assert "liked" not in api.get(path)


@pytest.mark.parametrize("status", ["reserved", "stored", "processing", "failed", "rejected"])
def test_ones_own_video_is_seen_in_every_state_and_by_nobody_else(
    status: str, api: ApiClient, as_user: ApiClient, as_other: ApiClient, user: User
) -> None:
    video = VideoFactory(author=user, draft=True, status=status)
    path = f"/videos/{video.pk}"
    assert as_user.get(path)["status"] == status
    as_other.get(path, expect=404)
    assert api.get(path, expect=404)["code"] == "not_found"


def test_a_friends_video_is_for_friends(as_user: ApiClient, api: ApiClient, user: User) -> None:
    video = VideoFactory(visibility=Visibility.FRIENDS)
    as_user.get(f"/videos/{video.pk}", expect=404)
    befriend(user, video.author)
    assert as_user.get(f"/videos/{video.pk}")["visibility"] == "friends"
    api.get(f"/videos/{video.pk}", expect=404)


def test_the_list_has_what_the_asker_may_see_latest_first(
    api: ApiClient, as_user: ApiClient, user: User
) -> None:
    first, second = VideoFactory.create_batch(2)
    VideoFactory(draft=True)
    VideoFactory(visibility=Visibility.PRIVATE)
    followed = UserFactory(is_private=True)
    Follow.objects.create(follower=user, followee=followed)
    third = VideoFactory(author=followed)
    block(second.author, user)
    assert ids(api.get("/videos")) == [second.pk, first.pk]
    assert ids(as_user.get("/videos")) == [third.pk, first.pk]


def test_the_list_is_filtered_by_author_tag_and_words(api: ApiClient) -> None:
    ann = UserFactory(handle="ann", email="ann@example.org", name="Ann Shore")
    sea = VideoFactory(author=ann, caption="Waves #Sea")
    hill = VideoFactory(author=ann, caption="Up the #hill 100%")
    bob = VideoFactory(caption="more waves")
    for video in (sea, hill, bob):
        link_caption(video)
    for author in ("ann", "@ann", "@ANN", "ann@example.org", "Ann@Example.org"):
        assert ids(api.get("/videos", {"author": author})) == [hill.pk, sea.pk], author
    for author in ("nobody", "no@example.org"):
        assert ids(api.get("/videos", {"author": author})) == []
    for tag in ("sea", "#SEA"):
        assert ids(api.get("/videos", {"tag": tag})) == [sea.pk]
    assert ids(api.get("/videos", {"q": "WAVES"})) == [bob.pk, sea.pk]
    assert ids(api.get("/videos", {"q": "waves shore"})) == [sea.pk]
    assert ids(api.get("/videos", {"q": "100%"})) == [hill.pk]
    assert ids(api.get("/videos", {"q": "1_0"})) == []
    assert ids(api.get("/videos", {"author": "ann", "tag": "sea", "q": "waves"})) == [sea.pk]


def test_an_author_who_is_not_to_be_found_by_address_is_not_found_so(api: ApiClient) -> None:
    hidden = UserFactory(email="hidden@example.org", findable_by_email=False)
    VideoFactory(author=hidden)
    assert ids(api.get("/videos", {"author": "hidden@example.org"})) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("sort=new", "sort"),
        ("ordering=caption", "ordering"),
        ("limit=0", "limit"),
        ("limit=1e9", "limit"),
        ("cursor=cD1ub3QtYS1udW1iZXI%3D", "cursor"),
        ("q=a%00b", "q"),
        ("tag=a%1bb", "tag"),
        ("author=" + "x" * 101, "author"),
    ],
)
def test_a_wrong_option_is_refused_by_name(query: str, field: str, api: ApiClient) -> None:
    answer = api.get(f"/videos?{query}", expect=400)
    assert field in answer["errors"]
    assert api.response["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["likes_count", "views_count", "comments_count"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_ordering_by_a_count_pages_through_many_equal_counts(
    name: str, sign: str, api: ApiClient
) -> None:
    author = UserFactory()
    videos = [VideoFactory(author=author, **{name: number % 3}) for number in range(14)]
    expected = sorted(
        (video.pk for video in videos),
        key=lambda pk: next((getattr(v, name), v.pk) for v in videos if v.pk == pk),
        reverse=sign == "-",
    )
    assert walk(api, f"/videos?ordering={sign}{name}&limit=4") == expected


@pytest.mark.parametrize("ordering", ["published_at", "-published_at"])
def test_pages_neither_repeat_nor_skip_while_videos_are_posted(
    ordering: str, api: ApiClient
) -> None:
    made = [video.pk for video in VideoFactory.create_batch(9)]
    page = api.get(f"/videos?ordering={ordering}&limit=4")
    posted = VideoFactory().pk
    seen = ids(page) + walk(api, page["next"])
    if ordering == "published_at":
        assert seen == [*made, posted]
    else:
        assert seen == made[::-1]


def test_previous_leads_back(api: ApiClient) -> None:
    VideoFactory.create_batch(6)
    first = api.get("/videos?limit=3")
    second = api.get(first["next"])
    assert ids(api.get(second["previous"])) == ids(first)
    assert second["next"] is None


def test_a_persons_videos_show_drafts_only_to_them(
    api: ApiClient, as_user: ApiClient, user: User
) -> None:
    shown = VideoFactory(author=user)
    draft = VideoFactory(author=user, draft=True)
    for reference in (f"@{user.handle}", user.email):
        assert ids(api.get(f"/users/{reference}/videos")) == [shown.pk]
        assert ids(as_user.get(f"/users/{reference}/videos")) == [draft.pk, shown.pk]


def test_the_videos_of_who_blocks_the_asker_are_not_found(as_user: ApiClient, user: User) -> None:
    author = VideoFactory().author
    block(author, user)
    as_user.get(f"/users/@{author.handle}/videos", expect=404)
    as_user.get("/users/@nobody/videos", expect=404)


@pytest.mark.parametrize(
    ("path", "act"), [("liked", engagement.like_video), ("saved", engagement.save_video)]
)
def test_liked_and_saved_list_what_was_last_first_and_only_ones_own(
    path: str, act: Any, api: ApiClient, as_user: ApiClient, as_other: ApiClient, user: User
) -> None:
    videos = VideoFactory.create_batch(5)
    order = [videos[index] for index in (2, 0, 4, 1)]
    for video in order:
        act(user, video.pk)
        act(UserFactory(), video.pk)
    assert walk(as_user, f"/user/{path}?limit=3") == [video.pk for video in reversed(order)]
    assert as_user.get(f"/user/{path}")["results"][0][path] is True
    assert ids(as_other.get(f"/user/{path}")) == []
    api.get(f"/user/{path}", expect=401)
    as_user.get(f"/user/{path}?x=1", expect=400)
    block(order[0].author, user)
    Video.objects.filter(pk=order[1].pk).update(visibility=Visibility.PRIVATE)
    assert ids(as_user.get(f"/user/{path}")) == [videos[1].pk, videos[4].pk]


@pytest.mark.parametrize(
    "path", ["/videos", "/videos?ordering=-likes_count", "/users/{}/videos", "/user/liked",
             "/user/saved"],
)  # fmt: skip
def test_each_list_takes_the_same_number_of_queries_for_1_and_20(
    path: str, as_user: ApiClient, user: User
) -> None:
    author = UserFactory()
    path = path.format(f"@{author.handle}")
    counts = []
    for wanted in (1, 20):
        for number in range(wanted - Video.objects.count()):
            video = VideoFactory(author=author, caption=f"#a #b{number}")
            link_caption(video)
            engagement.like_video(user, video.pk)
            engagement.save_video(user, video.pk)
        counts.append(queries_of(lambda: as_user.get(path)))
        assert len(as_user.get(path)["results"]) == wanted
    assert counts[0] == counts[1] <= 6


def test_put_needs_every_field_and_a_known_visibility(as_user: ApiClient, user: User) -> None:
    video = VideoFactory(author=user)
    answer = as_user.put(f"/videos/{video.pk}", {"caption": "x"}, expect=400)
    assert "visibility" in answer["errors"]
    answer = as_user.patch(f"/videos/{video.pk}", {"visibility": "secret"}, expect=400)
    assert answer["errors"]["visibility"][0]["code"] == "invalid_choice"


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_only_the_author_changes_a_video(
    method: str, api: ApiClient, as_other: ApiClient, user: User
) -> None:
    video = VideoFactory(author=user)
    body = {"caption": "mine now", "visibility": "public"}
    path = f"/videos/{video.pk}"
    api.request(method, path, body, expect=401)
    assert as_other.request(method, path, body, expect=403)["code"] == "permission_denied"
    hidden = VideoFactory(author=user, visibility=Visibility.PRIVATE)
    as_other.request(method, f"/videos/{hidden.pk}", body, expect=404)


def test_an_edit_answers_the_video_and_links_its_new_tags(as_user: ApiClient, user: User) -> None:
    video = VideoFactory(author=user, caption="#old")
    link_caption(video)
    body = as_user.patch(f"/videos/{video.pk}", {"caption": " #New \r\n day"})
    assert (body["caption"], body["hashtags"]) == ("#New \n day", ["new"])
    body = as_user.put(f"/videos/{video.pk}", {"caption": "", "visibility": "friends"})
    assert (body["caption"], body["hashtags"], body["visibility"]) == ("", [], "friends")


@pytest.mark.parametrize(
    ("caption", "code"), [("x" * 2201, "max_length"), ("a\x1bb", "control_characters")]
)
def test_an_edit_refuses_a_caption_by_name(
    caption: str, code: str, as_user: ApiClient, user: User
) -> None:
    video = VideoFactory(author=user, caption="old")
    answer = as_user.patch(f"/videos/{video.pk}", {"caption": caption}, expect=400)
    assert answer["errors"]["caption"][0]["code"] == code
    assert Video.objects.get(pk=video.pk).caption == "old"


def test_a_deleted_video_is_gone(as_user: ApiClient, user: User) -> None:
    video = VideoFactory(author=user)
    as_user.delete(f"/videos/{video.pk}", expect=204)
    as_user.get(f"/videos/{video.pk}", expect=404)
    as_user.delete(f"/videos/{video.pk}", expect=404)


def test_the_browsers_session_acts_only_with_the_csrf_token(user: User) -> None:
    from django.test import Client

    video = VideoFactory()
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    path = f"/videos/{video.pk}/like"
    assert browser.post(path).status_code == 403
    token = "x" * 32
    browser.cookies["csrftoken"] = token
    assert browser.post(path, headers={"X-CSRFToken": token}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("position", ["1e999999", "-1e131073", "NaN", "1" * 41])
def test_a_forged_cursor_is_refused_by_name(position: str, api: ApiClient) -> None:
    VideoFactory()
    cursor = base64.b64encode(f"p={position}".encode()).decode()
    answer = api.get("/videos", {"ordering": "likes_count", "cursor": cursor}, expect=400)
    assert list(answer["errors"]) == ["cursor"]
