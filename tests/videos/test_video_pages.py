"""The pages of videos, as a browser without JavaScript sees them."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Follow, User
from tests.factories import CommentFactory, UserFactory, VideoFactory, block
from tests.videos.measuring import queries_of
from videos.models import Comment, Like, Report, Save, Share, Video, Visibility
from videos.services import comments, engagement

pytestmark = pytest.mark.django_db


@pytest.fixture
def visitor(user: User) -> Client:
    """A browser in which `user` is signed in."""
    client = Client()
    client.force_login(user)
    return client


def page_of(video: Video, act: str = "") -> str:
    return video.get_absolute_url() + (f"/{act}" if act else "")


def test_the_page_shows_clip_comments_and_links_for_previews(client: Client) -> None:
    video = VideoFactory(caption='"Waves" <b> #sea')
    CommentFactory(video=video, text="<i>first</i>")
    html = " ".join(client.get(page_of(video)).content.decode().split())
    assert 'property="og:title" content="&quot;Waves&quot; &lt;b&gt; #sea"' in html
    assert 'property="og:video"' in html
    assert 'property="og:image"' in html
    assert "application/json+oembed" in html
    assert "&lt;i&gt;first&lt;/i&gt;" in html
    assert "<i>first" not in html
    assert 'href="/tag/sea"' in html


def tags_of(client: Client, path: str) -> dict[str, str]:
    """The tags that other sites read for a preview, by name."""
    html = client.get(path).content.decode()
    found = re.findall(r'<meta (?:property|name)="([^"]+)"\s+content="([^"]*)"', html)
    return {name: unescape(text) for name, text in found}


def test_previews_of_a_clip_have_absolute_addresses(client: Client, settings: Any) -> None:
    settings.SITE_URL = "https://loopy.example"
    video = VideoFactory()
    tags = tags_of(client, page_of(video))
    assert tags["og:type"] == "video.other"
    assert tags["og:video:type"] == "video/mp4"
    assert tags["twitter:card"] == "summary_large_image"
    for name in ("og:url", "og:image", "og:video"):
        assert tags[name].startswith("https://loopy.example/"), name
    assert "robots" not in tags


def test_what_is_not_for_everybody_has_no_previews(visitor: Client, user: User) -> None:
    private = VideoFactory(author=user, visibility=Visibility.PRIVATE)
    hermit = UserFactory(is_private=True)
    followed = VideoFactory(author=hermit)
    Follow.objects.create(follower=user, followee=hermit)
    for path in (page_of(private), page_of(followed), hermit.get_absolute_url()):
        tags = tags_of(visitor, path)
        assert not [name for name in tags if name.startswith(("og:", "twitter:", "video:"))]
        assert tags["robots"] == "noindex"
        assert "oembed" not in visitor.get(path).content.decode()


def test_previews_of_a_profile(client: Client) -> None:
    person = UserFactory(handle="milo", name="Milo", bio="Loops.")
    tags = tags_of(client, person.get_absolute_url())
    assert tags["og:title"] == "Milo (@milo)"
    assert tags["og:description"] == "Loops."
    assert tags["og:url"].startswith("http")


def test_the_wrong_handle_leads_to_the_right_address(client: Client) -> None:
    video = VideoFactory()
    response = client.get(f"/@somebody/video/{video.pk}")
    assert response.status_code == 302
    assert response["Location"] == page_of(video)


def test_what_may_not_be_seen_is_not_found(client: Client, visitor: Client, user: User) -> None:
    private = VideoFactory(visibility=Visibility.PRIVATE)
    draft = VideoFactory(draft=True)
    blocking = VideoFactory()
    block(blocking.author, user)
    for video in (private, draft, blocking):
        for path in ("", "comments"):
            assert visitor.get(page_of(video, path)).status_code == 404
    assert client.get(page_of(private)).status_code == 404
    assert client.get(f"/@x/video/{10**25}").status_code == 404


@pytest.mark.parametrize(("act", "model"), [("like", Like), ("save", Save)])
def test_a_form_toggles_and_leads_back(
    act: str, model: type[Like] | type[Save], visitor: Client
) -> None:
    video = VideoFactory()
    for rows in (1, 0):
        response = visitor.post(page_of(video, act), {"next": "/explore"})
        assert (response.status_code, response["Location"]) == (302, "/explore")
        assert model.objects.count() == rows
    for _ in range(2):  # sent twice, but meant once
        visitor.post(page_of(video, act), {"on": "1"})
    assert model.objects.count() == 1


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"]
)
def test_a_form_never_leads_to_another_site(wanted: str, visitor: Client) -> None:
    video = VideoFactory()
    response = visitor.post(page_of(video, "like"), {"next": wanted})
    assert response["Location"] == page_of(video)


@pytest.mark.parametrize("act", ["like", "save", "share", "report", "comment"])
def test_who_is_not_signed_in_is_sent_to_sign_in(act: str, client: Client) -> None:
    response = client.post(page_of(VideoFactory(), act))
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("signin"))


@pytest.mark.parametrize("act", ["like", "save", "share", "comment"])
def test_acts_are_only_posted(act: str, visitor: Client) -> None:
    assert visitor.get(page_of(VideoFactory(), act)).status_code == 405


def test_forms_need_the_csrf_token(user: User) -> None:
    visitor = Client(enforce_csrf_checks=True)
    visitor.force_login(user)
    assert visitor.post(page_of(VideoFactory(), "like")).status_code == 403
    assert not Like.objects.exists()


def test_a_share_is_counted_and_shows_the_address(visitor: Client) -> None:
    video = VideoFactory()
    html = visitor.post(page_of(video, "share"), follow=True).content.decode()
    assert f"{page_of(video)}" in html
    assert Share.objects.count() == 1


def test_a_report_is_asked_for_refused_without_reason_and_thanked_for(visitor: Client) -> None:
    video = VideoFactory()
    path = page_of(video, "report")
    assert visitor.get(path).status_code == 200
    assert visitor.post(path).status_code == 400
    assert visitor.post(path, {"reason": "spam", "text": "a\x1bb"}).status_code == 400
    response = visitor.post(path, {"reason": "spam", "text": "look"})
    assert response["Location"] == page_of(video)
    assert Report.objects.get().text == "look"


def test_ones_own_video_cannot_be_reported(visitor: Client, user: User) -> None:
    video = VideoFactory(author=user)
    response = visitor.post(page_of(video, "report"), {"reason": "spam"})
    assert response.status_code == 400
    assert "your own video" in response.content.decode()


def test_a_comment_is_posted_and_the_page_shows_it(visitor: Client) -> None:
    video = VideoFactory()
    html = visitor.post(page_of(video, "comment"), {"text": "hello"}, follow=True).content.decode()
    assert "hello" in html
    root = Comment.objects.get()
    visitor.post(page_of(video, "comment"), {"text": "answer", "parent": root.pk})
    assert Comment.objects.get(parent=root).text == "answer"


def test_a_refused_comment_keeps_what_was_written(visitor: Client) -> None:
    video = VideoFactory()
    text = "long " * 300
    response = visitor.post(page_of(video, "comment"), {"text": text})
    assert response.status_code == 400
    html = unescape(response.content.decode())
    assert "at most 1000 characters" in html
    assert text.strip() in html
    response = visitor.post(
        page_of(video, "comment"), {"text": " "}, headers={"HX-Request": "true"}
    )
    assert response.status_code == 200
    assert "Write something" in response.content.decode()


def test_htmx_gets_the_comments_alone(visitor: Client) -> None:
    video = VideoFactory()
    htmx = {"HX-Request": "true"}
    posted = visitor.post(page_of(video, "comment"), {"text": "hello"}, headers=htmx)
    shown = visitor.get(page_of(video, "comments"), headers=htmx)
    for response in (posted, shown):
        html = response.content.decode()
        assert "hello" in html
        assert "<html" not in html
    assert "HX-Request" in shown["Vary"]
    assert "<html" in visitor.get(page_of(video, "comments")).content.decode()


def test_comments_continue_on_the_next_page_without_a_repeat(client: Client) -> None:
    video = VideoFactory()
    made = [comment.pk for comment in CommentFactory.create_batch(45, video=video)]
    seen: list[int] = []
    url: str | None = page_of(video, "comments")
    while url:
        response = client.get(url)
        seen += [comment["id"] for comment in response.context["comments"]]
        url = response.context["comments_next_url"]
    assert seen == made[::-1]
    assert client.get(page_of(video, "comments") + "?after=x").status_code == 400


def test_top_comments_come_by_their_likes_and_then_the_newest(client: Client) -> None:
    video = VideoFactory()
    likes = [index % 5 for index in range(25)]
    rows = [CommentFactory(video=video, likes_count=count) for count in likes]
    wanted = [row.pk for row in sorted(rows, key=lambda row: (-row.likes_count, -row.pk))]
    seen: list[int] = []
    url = f"{page_of(video, 'comments')}?sort=top"
    while url:
        context = client.get(url).context
        seen += [comment["id"] for comment in context["comments"]]
        url = context["comments_next_url"]
    assert seen == wanted


def test_a_thread_shows_its_first_replies_and_leads_to_all(client: Client, user: User) -> None:
    video = VideoFactory()
    root = comments.add_comment(user, video.pk, "root")
    replies = [comments.add_comment(user, video.pk, f"r{n}", root.pk).pk for n in range(25)]
    [shown] = client.get(page_of(video, "comments")).context["comments"]
    assert [reply["id"] for reply in shown["replies"]] == replies[:3]
    url, seen = shown["replies_url"], []
    while url:
        context = client.get(url).context
        seen += [reply["id"] for reply in context["comments"][0]["replies"]]
        url = context["comments_next_url"]
    assert seen == replies


def test_only_who_may_delete_sees_the_button(visitor: Client, client: Client, user: User) -> None:
    video = VideoFactory()
    mine = CommentFactory(video=video, author=user)
    CommentFactory(video=video)
    shown = visitor.get(page_of(video, "comments")).context["comments"]
    assert [row["id"] for row in shown if row["can_delete"]] == [mine.pk]
    shown = client.get(page_of(video, "comments")).context["comments"]
    assert not any(row["can_delete"] for row in shown)


def test_a_comment_is_liked_and_deleted_by_forms(visitor: Client, user: User) -> None:
    video = VideoFactory(author=user)
    comment = comments.add_comment(UserFactory(), video.pk, "x")
    response = visitor.post(reverse("comment-like", args=[comment.pk]))
    assert response["Location"] == f"{page_of(video)}#comment-{comment.pk}"
    comment.refresh_from_db()
    assert comment.likes_count == 1
    visitor.post(reverse("comment-delete", args=[comment.pk]))
    assert not Comment.objects.exists()
    assert visitor.post(reverse("comment-delete", args=[comment.pk])).status_code == 404


def test_a_strangers_comment_cannot_be_deleted_by_form(visitor: Client) -> None:
    comment = CommentFactory()
    assert visitor.post(reverse("comment-delete", args=[comment.pk])).status_code == 403


def test_the_grid_of_a_profile(client: Client, visitor: Client, user: User) -> None:
    shown, draft = VideoFactory(author=user), VideoFactory(author=user, draft=True)
    liked = VideoFactory()
    engagement.like_video(user, liked.pk)
    engagement.save_video(user, shown.pk)
    path = f"/@{user.handle}/videos"

    def grid(who: Client, tab: str) -> list[int]:
        return [card["id"] for card in who.get(f"{path}?tab={tab}").context["cards"]]

    assert grid(visitor, "videos") == [draft.pk, shown.pk]
    assert grid(client, "videos") == [shown.pk]
    assert grid(visitor, "liked") == [liked.pk]
    assert grid(visitor, "saved") == [shown.pk]
    for tab in ("liked", "saved", "nonsense"):
        assert client.get(f"{path}?tab={tab}").status_code == 404
    assert client.get("/@nobody/videos").status_code == 404
    fragment = visitor.get(path, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment
    assert fragment.count('class="tile"') == 2


@pytest.mark.parametrize("tab", ["videos", "liked", "saved"])
def test_the_grid_continues_without_a_repeat(tab: str, visitor: Client, user: User) -> None:
    videos = VideoFactory.create_batch(30, author=user)
    for video in videos:
        engagement.like_video(user, video.pk)
        engagement.save_video(user, video.pk)
    seen: list[int] = []
    url: str | None = f"/@{user.handle}/videos?tab={tab}"
    while url:
        context = visitor.get(url).context
        seen += [card["id"] for card in context["cards"]]
        url = context["next_url"]
    assert seen == [video.pk for video in reversed(videos)]


@pytest.mark.parametrize("path", ["{}", "{}/comments", "/@{handle}/videos"])
def test_pages_take_the_same_number_of_queries_for_1_and_20(
    path: str, visitor: Client, user: User
) -> None:
    author = UserFactory()
    video = VideoFactory(author=author)
    path = path.format(page_of(video), handle=author.handle)
    counts = []
    for wanted in (1, 20):
        for _ in range(wanted - Comment.objects.filter(parent=None).count()):
            root = comments.add_comment(UserFactory(), video.pk, "root")
            comments.add_comment(UserFactory(), video.pk, "reply", root.pk)
        VideoFactory.create_batch(wanted - author.videos.count(), author=author)
        counts.append(queries_of(lambda: visitor.get(path)))
    assert counts[0] == counts[1]
    assert counts[1] <= 14


def test_oembed_describes_a_public_video(client: Client) -> None:
    video = VideoFactory(caption="Waves")
    url = f"http://testserver{page_of(video)}"
    about = client.get("/oembed", {"url": url, "format": "json"}).json()
    assert (about["version"], about["type"], about["title"]) == ("1.0", "link", "Waves")
    assert about["thumbnail_url"].startswith("http://testserver/")
    private = VideoFactory(visibility=Visibility.PRIVATE)
    assert client.get("/oembed", {"url": page_of(private)}).status_code == 404
    for bad in ("", "https://example.org/", "http://[", "/explore"):
        assert client.get("/oembed", {"url": bad}).status_code == 400, bad
    assert client.get("/oembed", {"url": url, "format": "xml"}).status_code == 501


@pytest.mark.parametrize("status", ["stored", "processing", "failed", "rejected"])
def test_the_page_of_an_unfinished_clip_leads_its_author_to_its_state(
    client: Client, user: User, other: User, status: str
) -> None:
    video = VideoFactory(author=user, status=status)
    url = f"/@{user.handle}/video/{video.pk}"
    client.force_login(user)
    assert client.get(url).headers["Location"] == f"{url}/status"
    client.force_login(other)
    assert client.get(url).status_code == 404
