"""Where muted words and hashtags hold, and what counts as having one."""

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import mute_word
from tests.api_client import ApiClient
from tests.factories import CommentFactory, UserFactory, VideoFactory
from videos.captions import link_caption
from videos.models import Comment, Hashtag, Video

pytestmark = pytest.mark.django_db

# muted, what has it, what has not
CASES = [
    ("cat", "A CAT!", "category concatenate"),
    ("cafe", "Café au lait", "cafeteria"),
    ("Straße", "STRASSE 7", "strassen"),
    ("red apple", "a Red, apple", "red sweet apple"),
    ("don't", "I don’t know", "do not"),
    ("sea", "#Sea", "#seaside"),
    ("#sea", "by the #Sea", "by the sea"),
    ("#red_apple", "#red_apple", "#redxapple"),
    ("日本", "#日本語の歌", "本日 中国"),
    ("음악", "음악을 듣다", "은악"),
    ("ไทย", "ภาษาไทยง่าย", "ภาษา"),
    ("100", "100% sure", "1000"),
]


@pytest.mark.parametrize(("muted", "having", "lacking"), CASES)
def test_whole_words_whatever_their_case_and_accents(
    user: User, muted: str, having: str, lacking: str
) -> None:
    clips = [VideoFactory(caption=caption) for caption in (having, lacking)]
    for clip in clips:
        link_caption(clip)
    talk = [CommentFactory(video=clips[1], text=clip.caption) for clip in clips]
    mute_word(user, muted)
    assert list(Video.objects.not_muted_by(user)) == clips[1:]
    assert list(Comment.objects.not_muted_by(user)) == talk[1:]
    assert Video.objects.not_muted_by(UserFactory()).count() == 2
    assert Comment.objects.not_muted_by(None).count() == 2


def test_what_one_writes_oneself_is_never_hidden(user: User) -> None:
    video = VideoFactory(author=user, caption="rain")
    comment = CommentFactory(video=video, author=user, text="rain")
    mute_word(user, "rain")
    assert list(Video.objects.not_muted_by(user)) == [video]
    assert list(Comment.objects.not_muted_by(user)) == [comment]


@pytest.fixture
def wet(user: User) -> Video:
    """A clip of a hashtag, with a trend, which the user mutes by a word of the same name."""
    video = VideoFactory(caption="loop #rain", trend=3)
    link_caption(video)
    Hashtag.objects.update(trend=3)
    return video


@pytest.mark.parametrize("muted", ["rain", "#rain"])
@pytest.mark.parametrize(
    "path", ["/explore", "/search?q=loop", "/search?q=rain&tab=hashtags", "/tag/rain", "/"]
)
def test_pages_leave_it_out_for_the_muter_alone(
    client: Client, user: User, other: User, wet: Video, path: str, muted: str
) -> None:
    mute_word(user, muted)

    def shown_to(person: User) -> bool:
        client.force_login(person)
        text = client.get(path).content.decode()
        return f"/video/{wet.pk}" in text or ">#rain</" in text

    assert shown_to(other)
    assert shown_to(user) == (path == "/tag/rain")  # its heading alone
    assert client.get(path).context.get("cards", []) == []


@pytest.mark.parametrize("muted", ["rain", "#rain"])
def test_the_api_leaves_it_out(as_user: ApiClient, user: User, wet: Video, muted: str) -> None:
    paths = ["/videos", "/videos?q=loop", "/videos?tag=rain", "/hashtags", "/hashtags?q=ra",
             "/hashtags/trending"]  # fmt: skip
    for path in paths:
        assert as_user.get(path)["results"] != []
    mute_word(user, muted)
    for path in paths:
        assert as_user.get(path)["results"] == [], path
    # Where one goes to look for it, it stays, as a muted person's clips do.
    handle = wet.author.handle
    assert len(as_user.get(f"/videos?author={handle}")["results"]) == 1
    assert len(as_user.get(f"/users/@{handle}/videos")["results"]) == 1


def test_comments_with_it_are_not_listed(as_user: ApiClient, client: Client, user: User) -> None:
    root = CommentFactory(replies_count=1, text="fine")
    reply = CommentFactory(video=root.video, parent=root, text="Rain #météo")
    path = f"/videos/{root.video_id}/comments"
    client.force_login(user)
    for muted, hidden in (("snow", False), ("RAIN", True)):
        mute_word(user, muted)
        replies = as_user.get(path, {"parent": root.pk})["results"]
        (shown,) = client.get(f"{root.video.get_absolute_url()}/comments").context["comments"]
        assert [row["id"] for row in replies] == ([] if hidden else [reply.pk])
        assert len(shown["replies"]) == (0 if hidden else 1)


def test_a_tag_page_offers_to_mute_and_to_unmute(client: Client, user: User, wet: Video) -> None:
    client.force_login(user)
    assert "Mute this hashtag" in client.get("/tag/rain").content.decode()
    form = {"text": "#rain", "action": "mute", "next": "/tag/rain"}
    page = client.post("/settings/words", form, follow=True).content.decode()
    assert "You mute this hashtag" in page
    client.post("/settings/words", form | {"action": "unmute"})
    assert f"/video/{wet.pk}" in client.get("/tag/rain").content.decode()


def test_words_are_read_once_a_query_and_not_at_all_by_who_mutes_none(user: User) -> None:
    author = UserFactory()
    Video.objects.bulk_create(Video(author=author, caption=f"clip {n}") for n in range(500))

    def reads() -> list[str]:
        plan = Video.objects.not_muted_by(user).order_by().explain(analyze=True)
        return [line for line in plan.splitlines() if "accounts_mutedword" in line]

    assert reads() == []
    mute_word(user, "rain")
    assert reads()
    assert all("loops=1)" in line for line in reads())
