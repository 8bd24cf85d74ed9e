"""Every route × every kind of actor.

The owner's account is private, so that what is not meant for everybody shows itself:
the clip is public within that account (for followers), friends see it as followers do.
A route, or a method of an API route, that the table does not list fails the test.

Columns: anonymous, owner, other, blocked (by the owner), follower, friend, staff. Whoever asked
to follow and has no answer, and whoever followed once, are like any other; a follower whom the
owner mutes is like any follower.
Staff has no way around privacy outside of the administration.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Follow, FollowRequest, Mute, Session, User
from accounts.services import mute_word, unfollow, warn_person
from tests.factories import CommentFactory, UserFactory, VideoFactory, befriend, block
from videos.captions import link_caption
from videos.models import Comment, Subtitles, Video
from videos.services.uploads import reserve_upload

pytestmark = pytest.mark.django_db

COLUMNS = ("anonymous", "owner", "other", "blocked", "follower", "friend", "staff")
LIKE = {"requester": "other", "former": "other", "muted": "follower"}
ACTORS = (*COLUMNS, *LIKE)

OPEN = "200 200 200 200 200 200 200"  # for everybody
MEMBERS = "401 200 200 200 200 200 200"  # whoever is signed in
PAGE = "302 200 200 200 200 200 200"  # the same as a page: anonymous is sent to sign in
BACK = "302 302 302 302 302 302 302"  # a form of whoever is signed in: leads back
SEEN = "404 200 404 404 200 200 404"  # whoever may see the clip
ACT = "401 200 404 404 200 200 404"  # … and is signed in
FORM = "302 302 404 404 302 302 404"  # the same as a form
OWN = "401 200 404 404 403 403 404"  # the owner's alone; others see it, or not
OWN_GONE = "401 204 404 404 403 403 404"
OWN_PAGE = "302 200 404 404 404 404 404"
OWN_FORM = "302 302 404 404 404 404 404"
REFUSE = "401 400 404 404 200 200 404"  # what is not one's own
OWN_LIST = "401 204 204 204 204 204 204"
PERSON = "200 200 200 404 200 200 200"  # whoever is not blocked
PRIVATE = "403 200 403 404 200 200 403"  # lists of a private account


@dataclass(frozen=True)
class Row:
    """A request and what each actor gets."""

    method: str
    name: str
    expected: str
    args: tuple[str, ...] = ()
    query: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    form: bool = False
    accept: str = "*/*"

    def __str__(self) -> str:
        return f"{self.method} {self.name}{self.query}"


V = ("video",)
C = ("comment",)
HV = ("handle", "video")
VL = ("video", "language")
HVL = ("handle", "video", "language")
H = ("handle",)
R = ("reference",)
EDIT = {"caption": "new", "visibility": "public"}
TEXT = {"text": "hello"}
REPORT = {"reason": "spam"}
PIECE = b"all of a file"
PASSWORD = {"old_password": "x", "new_password": "y"}


def get(name: str, expected: str, /, *args: str, query: str = "") -> Row:
    return Row("get", name, expected, args, query)


def page(name: str, expected: str, /) -> Row:
    """What a browser gets at an address that the API has, too."""
    return Row("get", name, expected, accept="text/html,*/*")


def send(method: str, name: str, expected: str, /, *args: str, **data: Any) -> Row:
    return Row(method, name, expected, args, data=data)


def form(name: str, expected: str, /, *args: str, **data: Any) -> Row:
    return Row("post", name, expected, args, data=data, form=True)


# What is asked with nothing is refused as such: 400 shows that the actor was let in.
VIDEOS_API = [
    get("api-videos", OPEN),
    get("api-video", SEEN, *V),
    send("put", "api-video", OWN, *V, **EDIT),
    send("patch", "api-video", OWN, *V, **EDIT),
    send("delete", "api-video", OWN_GONE, *V),
    send("post", "api-video-like", ACT, *V),
    send("delete", "api-video-like", ACT, *V),
    send("post", "api-video-save", ACT, *V),
    send("delete", "api-video-save", ACT, *V),
    send("post", "api-video-share", ACT, *V),
    send("post", "api-video-report", "401 400 404 404 200 200 404", *V, **REPORT),
    send("post", "api-video-retry", "401 409 404 404 403 403 404", *V),
    send("put", "api-video-subtitles", "401 400 404 404 403 403 404", *VL),
    send("delete", "api-video-subtitles", OWN_GONE, *VL),
    get("api-comments", SEEN, *V),
    send("post", "api-comment-add", "401 201 404 404 201 201 404", *V, **TEXT),
    # The comment is the friend's; the owner of the clip may delete it too.
    send("delete", "api-comment", "401 204 404 404 403 204 404", *C),
    # What the author of the clip alone does with it; its own author sees it, and may not.
    send("post", "api-comment-approve", OWN, *C),
    send("post", "api-comment-hide", OWN, *C),
    send("delete", "api-comment-hide", OWN, *C),
    send("post", "api-comment-pin", OWN, *C),
    send("delete", "api-comment-pin", OWN, *C),
    get("api-held-comments", MEMBERS),
    send("post", "api-comment-like", ACT, *C),
    send("delete", "api-comment-like", ACT, *C),
    get("api-person-videos", PERSON, *R),
    get("api-liked", MEMBERS),
    get("api-saved", MEMBERS),
    send("post", "api-upload", "401 400 400 400 400 400 400"),
    send("post", "api-uploads", "401 201 201 201 201 201 201", size=1000),
    # Nobody but its author knows of an upload, whoever may see their clips.
    get("api-upload-state", "401 200 404 404 404 404 404", "upload"),
    send("delete", "api-upload-state", "401 204 404 404 404 404 404", "upload"),
    send("post", "api-upload-pieces", "401 200 404 404 404 404 404", "upload"),
]
ACCOUNTS_API = [
    send("post", "api-signup", "400 400 400 400 400 400 400"),
    send("post", "api-signin", "400 400 400 400 400 400 400"),
    send("post", "api-refresh", "400 400 400 400 400 400 400"),
    send("post", "api-reset", "400 400 400 400 400 400 400"),
    send("post", "api-reset-confirm", "400 400 400 400 400 400 400"),
    send("post", "api-signout", "401 204 204 204 204 204 204"),
    get("api-me", MEMBERS),
    send("post", "api-password", "401 400 400 400 400 400 400", **PASSWORD),
    get("api-suggestions", MEMBERS),
    get("api-sessions", MEMBERS),
    send("delete", "api-sessions-all", "401 204 204 204 204 204 204"),
    send("delete", "api-session", "401 204 404 404 404 404 404", "session"),
    get("api-decisions", MEMBERS),
    # Nobody but whom it concerns.
    get("api-decision", "401 200 404 404 404 404 404", "decision"),
    send("post", "api-decision-appeal", "401 201 404 404 404 404 404", "decision", **TEXT),
    send("post", "api-suspension-appeal", "400 400 400 400 400 400 400"),
    get("api-person", PERSON, *R),
    send("put", "api-person", "401 400 403 404 403 403 403", *R, name="New"),
    send("patch", "api-person", "401 200 403 404 403 403 403", *R, name="New"),
    send("delete", "api-person", "401 204 403 404 403 403 403", *R),
    send("post", "api-follow", "401 400 200 404 200 200 200", *R),
    send("delete", "api-follow", "401 400 200 404 200 200 200", *R),
    send("delete", "api-follower", "401 400 204 404 204 204 204", *R),
    send("post", "api-mute", "401 400 200 404 200 200 200", *R),
    send("delete", "api-mute", "401 200 200 404 200 200 200", *R),
    get("api-requests", MEMBERS),
    send("post", "api-request-accept", "401 204 404 404 404 404 404", "request"),
    send("post", "api-request-decline", "401 204 404 404 404 404 404", "request"),
    get("api-muted", MEMBERS),
    get("api-blocked", MEMBERS),
    get("api-muted-words", MEMBERS),
    send("post", "api-muted-words", "401 201 201 201 201 201 201", text="rain"),
    send("delete", "api-muted-word", "401 204 404 404 404 404 404", "word"),
    send("post", "api-mute-hashtag", MEMBERS, "tag"),
    send("delete", "api-mute-hashtag", MEMBERS, "tag"),
    send("post", "api-block", "401 400 200 404 200 200 200", *R),
    send("delete", "api-block", "401 200 200 404 200 200 200", *R),
    get("api-followers", PRIVATE, *R),
    get("api-following", PRIVATE, *R),
]
FEEDS_API = [
    get("api-feed", MEMBERS),
    send("post", "api-views", "401 400 400 400 400 400 400"),
    send("post", "api-not-interested", REFUSE, *V),
    send("post", "api-not-interested", REFUSE, *V, what="creator"),
    send("post", "api-not-interested", REFUSE, *V, what="hashtag", hashtag="sea"),
    send("delete", "api-not-interested", ACT, *V),
    get("api-people-search", OPEN, query="?q=x"),
    get("api-hashtags", OPEN),
    get("api-hashtags-trending", OPEN),
    get("api-history", MEMBERS),
    send("delete", "api-history", "401 204 204 204 204 204 204"),
    send("delete", "api-history-video", "401 204 204 204 204 204 204", *V),
    get("api-why", ACT, *V),
    get("api-recommendations", MEMBERS),
    send("patch", "api-recommendations", MEMBERS, profiling=False),
    send("post", "api-recommendations-reset", MEMBERS),
    # One's own lists: whose names these are does not matter.
    send("delete", "api-recommendations-creator", OWN_LIST, *H),
    send("delete", "api-recommendations-hashtag", OWN_LIST, "tag"),
    send("delete", "api-refusals-creator", OWN_LIST, *H),
    send("delete", "api-refusals-hashtag", OWN_LIST, "tag"),
    get("api-export", MEMBERS),
    send("post", "api-export", "401 202 202 202 202 202 202"),
    get("notifications", MEMBERS),
    get("api-unread-count", MEMBERS),
    send("post", "api-notifications-read", MEMBERS, all=True),
    get("api-notifications-settings", MEMBERS),
    send("patch", "api-notifications-settings", MEMBERS, like=False),
    get("api-notifications-group", MEMBERS, "topic"),
    get("api-bell", "401 200 200 404 200 200 200", *R),
    # Nobody but who follows has a bell.
    send("post", "api-bell", "401 409 409 404 200 200 409", *R),
    send("delete", "api-bell", "401 200 200 404 200 200 200", *R),
    get("api-export-download", "401 404 404 404 404 404 404"),
]
VIDEO_PAGES = [
    get("video", SEEN, *HV),
    get("video-comments", SEEN, *HV),
    form("video-like", FORM, *HV),
    form("video-save", FORM, *HV),
    form("video-share", FORM, *HV),
    get("video-report", "302 200 404 404 200 200 404", *HV),
    form("video-report", "302 400 404 404 302 302 404", *HV, **REPORT),
    form("video-comment", FORM, *HV, **TEXT),
    form("comment-delete", "302 302 404 404 403 302 404", *C),
    form("comment-like", FORM, *C),
    form("comment-approve", "302 302 404 404 403 403 404", *C),
    form("comment-hide", "302 302 404 404 403 403 404", *C),
    form("comment-pin", "302 302 404 404 403 403 404", *C),
    get("settings-comments", PAGE),
    get("profile-videos", PERSON, *H),
    get("profile-videos", "404 200 404 404 404 404 404", *H, query="?tab=liked"),
    get("shortcuts", OPEN),
    get("oembed", "404 404 404 404 404 404 404", query="?url=/@o/video/{video}"),
    get("upload", PAGE),
    form("upload", "302 400 400 400 400 400 400"),
    get("upload-status", OWN_PAGE, *HV),
    get("video-edit", OWN_PAGE, *HV),
    form("video-edit", OWN_FORM, *HV, **EDIT),
    form("video-delete", OWN_FORM, *HV),
    form("video-retry", "302 409 404 404 403 403 404", *HV),
    get("subtitles", SEEN, *HVL),
    form("subtitles-add", "302 400 404 404 404 404 404", *HV),
    form("subtitles-delete", "302 302 404 404 403 403 404", *HVL),
    # The object does not exist in this test; that it is private is told first.
    get("media", "404 404 404 404 404 404 404", "object"),
    # Where there is no Cloudinary; its signature is another test's matter.
    form("media-webhook", "404 404 404 404 404 404 404"),
]
ACCOUNT_PAGES = [
    get("signup", "200 302 302 302 302 302 302"),
    form("signup", "400 302 302 302 302 302 302"),
    get("signin", "200 302 302 302 302 302 302"),
    form("signin", "400 302 302 302 302 302 302"),
    form("signout", BACK),
    get("password-reset", OPEN),
    get("password-reset-confirm", "400 400 400 400 400 400 400", "uid", "token"),
    get("verify-email", "400 400 400 400 400 400 400", "token"),
    get("people", PAGE),
    get("follow-requests", PAGE),
    form("request-accept", BACK, "request"),
    form("request-decline", BACK, "request"),
    get("settings", PAGE),
    form("settings", "302 400 400 400 400 400 400"),
    get("settings-privacy", PAGE),
    form("settings-privacy", BACK),
    get("settings-people", PAGE),
    get("settings-words", PAGE),
    form("settings-words", BACK, text="rain"),
    get("settings-security", PAGE),
    form("send-verification", BACK),
    form("sessions-end-all", BACK),
    form("session-end", "302 302 404 404 404 404 404", "session"),
    get("settings-playback", PAGE),
    get("decisions", PAGE),
    get("decision", "302 200 404 404 404 404 404", "decision"),
    form("decision", "302 302 404 404 404 404 404", "decision", **TEXT),
    get("suspension", "400 400 400 400 400 400 400", "token"),
    get("settings-delete", PAGE),
    form("settings-delete", "302 400 400 400 400 400 400"),
    get("profile", PERSON, *H),
    get("profile-followers", PERSON, *H),
    get("profile-following", PERSON, *H),
    form("follow", "302 302 302 404 302 302 302", *H),
    form("remove-follower", "302 400 302 404 302 302 302", *H),
    form("mute", "302 400 302 404 302 302 302", *H),
    form("block", "302 400 302 404 302 302 302", *H),
]
FEED_PAGES = [
    get("feed", OPEN),
    get("feed-all", OPEN),
    get("feed-following", OPEN),
    get("feed-friends", OPEN),
    get("explore", OPEN),
    get("tag", OPEN, "tag"),
    get("search", OPEN),
    get("search-suggest", OPEN, query="?q=x"),
    get("history", PAGE),
    form("history-clear", BACK),
    get("settings-recommendations", PAGE),
    form("recommendations-switch", BACK),
    form("recommendations-reset", BACK),
    form("recommendations-forget-creator", BACK, *H),
    form("recommendations-forget-hashtag", BACK, "tag"),
    form("recommendations-allow-creator", BACK, *H),
    form("recommendations-allow-hashtag", BACK, "tag"),
    form("recommendations-allow-video", "302 302 404 404 302 302 404", *V),
    form("history-remove", BACK, *V),
    get("settings-export", PAGE),
    form("settings-export", BACK),
    page("notifications", PAGE),
    page("inbox", BACK),
    form("notifications-mark", BACK, all="1"),
    get("notification-group", PAGE, "topic"),
    get("settings-notifications", PAGE),
    form("settings-notifications", BACK),
    form("bell", "302 409 409 404 302 302 409", *H),
]
PROJECT = [
    get("healthz", OPEN),
    get("readyz", OPEN),
    # From this machine, as here; tests/project/test_metrics.py has everybody else.
    get("metrics", OPEN),
    get("schema", OPEN),
    get("docs", OPEN),
    get("terms", OPEN),
    get("privacy", OPEN),
]
MATRIX = [
    *VIDEOS_API, *ACCOUNTS_API, *FEEDS_API, *VIDEO_PAGES, *ACCOUNT_PAGES, *FEED_PAGES, *PROJECT,
]  # fmt: skip
ADMIN = "302 302 302 302 302 302 200"


@dataclass
class World:
    """The actors, and what stands in addresses."""

    actors: dict[str, User | None]
    values: dict[str, Any]

    def client(self, actor: str) -> Client:
        client = Client()
        user = self.actors[actor]
        if user is not None:
            client.force_login(user)
        return client


@pytest.fixture
def world() -> World:
    owner = UserFactory(is_private=True)
    people = {name: UserFactory() for name in ("other", "blocked", "follower", "friend", *LIKE)}
    staff = UserFactory(is_staff=True, is_superuser=True)
    block(owner, people["blocked"])
    for follower in ("follower", "muted"):
        Follow.objects.create(follower=people[follower], followee=owner)
    befriend(owner, people["former"])
    request = FollowRequest.objects.create(requester=people["requester"], target=owner)
    Mute.objects.create(muter=owner, muted=people["muted"])
    befriend(owner, people["friend"])
    video = VideoFactory(author=owner, caption="#sea")
    link_caption(video)
    Video.objects.filter(pk=video.pk).update(comments_count=1)
    User.objects.update(followers_count=2, following_count=2)  # enough to take one away
    comment: Comment = CommentFactory(video=video, author=people["friend"])
    unfollow(people["former"], owner)
    Subtitles.objects.create(video=video, language="en", label="English", vtt="WEBVTT")
    session = Session.objects.create(user=owner, kind=Session.Kind.API, token_id=uuid.uuid4())
    values = {
        "video": video.pk,
        "comment": comment.pk,
        "language": "en",
        "handle": owner.handle,
        "reference": f"@{owner.handle}",
        "session": session.pk,
        "request": request.pk,
        "word": mute_word(owner, "snow")[0].pk,
        "decision": warn_person(owner.pk, staff).pk,
        "upload": reserve_upload(owner, len(PIECE)).video.uuid,
        "object": f"{video.folder}/1/360.mp4",
        "tag": "sea",
        "topic": "follow-0-20000",
        "uid": "x",
        "token": "x",
    }
    return World({"anonymous": None, "owner": owner, **people, "staff": staff}, values)


def ask(world: World, row: Row, actor: str) -> int:
    """Send a row's request as an actor, undo what it did, and return the status."""
    path = reverse(row.name, args=[world.values[name] for name in row.args])
    path += row.query.format(**world.values)
    client = world.client(actor)
    with transaction.atomic():
        if row.method == "get":
            response = client.get(path, headers={"Accept": row.accept})
        elif row.form:
            response = client.post(path, row.data)
        else:
            body = json.dumps(row.data)
            if row.name == "api-upload":
                response = client.post(path, {})
            elif row.name == "api-upload-pieces":
                headers = {"Content-Range": f"bytes 0-{len(PIECE) - 1}/{len(PIECE)}"}
                response = client.post(path, {"file": ContentFile(PIECE, "p")}, headers=headers)
            elif row.name == "api-video-subtitles":
                form_data = encode_multipart(BOUNDARY, {})
                response = client.generic(row.method.upper(), path, form_data, MULTIPART_CONTENT)
            else:
                response = client.generic(row.method.upper(), path, body, "application/json")
        transaction.set_rollback(True)
    return response.status_code


@pytest.mark.parametrize("row", MATRIX, ids=str)
def test_each_actor_gets_what_the_table_says(row: Row, world: World) -> None:
    found = {actor: ask(world, row, actor) for actor in ACTORS}
    assert found == expected_of(row.expected)


def expected_of(statuses: str) -> dict[str, int]:
    """What each actor gets, from the columns of a row."""
    listed = dict(zip(COLUMNS, map(int, statuses.split()), strict=True))
    return listed | {actor: listed[column] for actor, column in LIKE.items()}


def routes(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    """All routes by name; those of the administration have `admin:` before it."""
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, entry.namespace or namespace)
        else:
            yield f"{namespace}:{entry.name}" if namespace else str(entry.name), entry


def test_no_route_and_no_method_of_the_api_is_missing_in_the_table() -> None:
    listed = {(row.method, row.name) for row in MATRIX}
    names = {row.name for row in MATRIX}
    missing = []
    for name, route in routes(get_resolver().url_patterns):
        if name.startswith("admin:"):
            continue
        actions = getattr(route.callback, "actions", None)
        if actions is None:
            missing += [] if name in names else [name]
        else:
            missing += [f"{m} {name}" for m in actions if (m, name) not in listed and m != "head"]
    assert missing == []


def test_the_table_lists_no_route_that_is_gone() -> None:
    assert {row.name for row in MATRIX} <= {n for n, _ in routes(get_resolver().url_patterns)}


def admin_lists() -> list[str]:
    return [
        name
        for name, _ in routes(get_resolver().url_patterns)
        if name.startswith("admin:") and name.endswith(("_changelist", "_add", ":index"))
    ]


def test_the_administration_is_for_staff_alone(world: World) -> None:
    for name in admin_lists():
        found = {actor: world.client(actor).get(reverse(name)).status_code for actor in ACTORS}
        expected = expected_of(ADMIN)
        if name.endswith("_add") and found["staff"] == 403:
            expected["staff"] = 403  # rows that nobody makes by hand
        assert found == expected, name
