"""Subtitles: what is taken in, what players get, and who."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import User
from tests.api_client import ApiClient
from tests.factories import UserFactory, VideoFactory, befriend
from tests.videos.measuring import queries_of
from tiktok_clone.common.errors import DomainError
from videos.media.subtitling import to_vtt
from videos.models import Subtitles, Video, Visibility
from videos.services.subtitles import language_name, language_tag, languages

VTT = b"""WEBVTT - a title

NOTE nobody needs this

STYLE
::cue { background: url(https://example.org/spy) }

first
00:01.000 --> 00:02.500 align:start line:90% onclick:alert(1)
<v Anna>Hello <b>you</b> &amp; <c.red>me</c>

00:00:03.000 --> 00:00:04.000
<script>alert(1)</script> 1 < 2
"""
SRT = (
    "\ufeff2\r\n00:00:05,000 --> 00:00:06,5\r\n{\\an8}Zweite\r\nZeile\r\n\r\n"
    "1\r\n00:00:01,000 --> 00:00:02,000\r\nÄrste\r\n"
)


def text_of(content: bytes) -> str:
    return to_vtt(content).removeprefix("WEBVTT\n\n")


def refusal(content: bytes) -> str:
    with pytest.raises(DomainError) as caught:
        to_vtt(content)
    assert caught.value.fields["file"][0][0] == caught.value.code
    return caught.value.code


def test_webvtt_is_written_anew_without_what_could_act() -> None:
    assert text_of(VTT) == (
        "00:00:01.000 --> 00:00:02.500 align:start line:90%\n"
        "Hello <b>you</b> &amp; me\n\n"
        "00:00:03.000 --> 00:00:04.000\n"
        "alert(1) 1 &lt; 2\n"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_subrip_becomes_webvtt_in_the_order_of_time(encoding: str) -> None:
    text = SRT if encoding == "utf-8" else SRT.removeprefix("\ufeff")
    assert text_of(text.encode(encoding)) == (
        "00:00:01.000 --> 00:00:02.000\nÄrste\n\n00:00:05.000 --> 00:00:06.500\nZweite\nZeile\n"
    )


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "subtitles_no_cues"),
        (b"WEBVTT\n\nNOTE nothing here", "subtitles_no_cues"),
        (b"1\n00:00:01,000 --> soon\nHello", "subtitles_bad_time"),
        (b"\xff\xd8\xff\xe0 JFIF", "subtitles_not_text"),
        (b"00:01.000 --> 00:02.000\na\0b", "subtitles_not_text"),
        ("00:01.000 --> 00:02.000\nmañana".encode("latin-1"), "subtitles_not_text"),
        (b"00:01.000 --> 00:02.000\na\n\n" * 5001, "subtitles_too_many_cues"),
        (b"x" * 300_000, "subtitles_too_large"),
    ],
)
def test_a_file_that_is_none_is_refused(content: bytes, code: str) -> None:
    assert refusal(content) == code


def test_a_wrong_time_is_named_by_its_line() -> None:
    with pytest.raises(DomainError, match="Line 5"):
        to_vtt(b"WEBVTT\n\n00:01.000 --> 00:02.000\na\n1 --> 2\nb")


@given(st.text(max_size=300))
def test_whatever_the_text_is_it_stays_text(text: str) -> None:
    try:
        made = text_of(f"00:01.000 --> 00:02.000\nbefore {text}".encode("utf-8", "surrogatepass"))
    except DomainError:
        return
    body = made.replace(" --> ", "")
    for tag in ("<b>", "</b>", "<i>", "</i>", "<u>", "</u>", "<B>", "</B>", "<I>", "</I>"):
        body = body.replace(tag, "")
    body = body.replace("<U>", "").replace("</U>", "")
    assert "<" not in body
    assert ">" not in body


@pytest.mark.parametrize(
    ("raw", "tag", "name"),
    [
        ("en", "en", "English"),
        ("PT-br", "pt-BR", "Português Brasileiro"),
        ("zh-hans", "zh-Hans", "简体中文"),
        ("de-AT", "de-AT", "Deutsch"),
        ("vi", "vi", "Ti\u1ebfng Vi\u1ec7t"),
        ("tlh", "tlh", "tlh"),
    ],
)
def test_languages_are_written_one_way(raw: str, tag: str, name: str) -> None:
    assert language_tag(raw) == tag
    assert language_name(tag) == name


def test_all_languages_to_choose_from_are_taken() -> None:
    assert len(languages()) > 80
    assert all(language_tag(tag) == tag for tag, _ in languages())


pytestmark = pytest.mark.django_db


def put(
    client: ApiClient, video: Video, language: str = "en", expect: int = 200, **extra: str
) -> dict:
    form = {"file": SimpleUploadedFile("a.srt", VTT), **extra}
    path = f"/videos/{video.pk}/subtitles/{language}"
    return client.request("put", path, form, format="multipart", expect=expect)


def test_a_creator_sets_replaces_and_removes_subtitles(user: User, as_user: ApiClient) -> None:
    video = VideoFactory(author=user)
    card = put(as_user, video, "pt-br", label="  For  my friends ")
    (entry,) = card["subtitles"]
    assert (entry["language"], entry["label"]) == ("pt-BR", "For my friends")
    assert entry["url"].startswith(f"/@{user.handle}/video/{video.pk}/subtitles/pt-BR.vtt?v=")
    card = put(as_user, video, "PT-BR")
    assert [entry["label"] for entry in card["subtitles"]] == ["Português Brasileiro"]
    assert Subtitles.objects.count() == 1
    as_user.delete(f"/videos/{video.pk}/subtitles/pt-br", expect=204)
    assert as_user.get(f"/videos/{video.pk}")["subtitles"] == []
    as_user.delete(f"/videos/{video.pk}/subtitles/pt-br", expect=404)


def test_a_wrong_language_or_label_is_named(user: User, as_user: ApiClient) -> None:
    video = VideoFactory(author=user)
    assert "language" in put(as_user, video, "english!", expect=400)["errors"]
    assert "label" in put(as_user, video, label="x" * 61, expect=400)["errors"]
    answer = as_user.request(
        "put", f"/videos/{video.pk}/subtitles/en", {}, format="multipart", expect=400
    )
    assert answer["code"] == "subtitles_missing"
    assert not Subtitles.objects.exists()


def test_too_large_a_file_is_stopped_on_the_way(user: User, as_user: ApiClient) -> None:
    video = VideoFactory(author=user)
    for size in (300_000, 3_000_000):
        form = {"file": SimpleUploadedFile("a.srt", b"x" * size)}
        path = f"/videos/{video.pk}/subtitles/en"
        answer = as_user.request("put", path, form, format="multipart", expect=413)
        assert answer["code"] == "subtitles_too_large"


def test_there_is_a_bound_on_languages(
    user: User, as_user: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("videos.services.subtitles.LANGUAGES_MAX", 1)
    video = VideoFactory(author=user)
    put(as_user, video, "en")
    assert put(as_user, video, "de", expect=409)["code"] == "too_many"
    put(as_user, video, "en")


def test_players_get_them_as_webvtt(client: Client, user: User, as_user: ApiClient) -> None:
    video = VideoFactory(author=user)
    url = put(as_user, video)["subtitles"][0]["url"]
    answer = client.get(url)
    assert answer.headers["Content-Type"] == "text/vtt; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.content.decode() == to_vtt(VTT)


def test_only_who_may_see_the_clip_reads_them(client: Client, user: User) -> None:
    video = VideoFactory(author=user, visibility=Visibility.FRIENDS)
    Subtitles.objects.create(video=video, language="en", label="English", vtt="WEBVTT\n")
    url = f"/@{user.handle}/video/{video.pk}/subtitles/en.vtt"
    assert client.get(url).status_code == 404
    friend, other = UserFactory(), UserFactory()
    befriend(user, friend)
    for person, status in ((other, 404), (friend, 200), (user, 200)):
        client.force_login(person)
        assert client.get(url).status_code == status
    Video.objects.update(visibility=Visibility.PRIVATE)
    client.force_login(friend)
    assert client.get(url).status_code == 404


def test_lists_do_not_ask_for_each_clip_s_subtitles(as_user: ApiClient) -> None:
    counts = []
    for _ in range(2):
        for video in VideoFactory.create_batch(4):
            for language in ("de", "en"):
                Subtitles.objects.create(video=video, language=language, label="x", vtt="WEBVTT")
        counts.append(queries_of(lambda: as_user.get("/videos")))
    assert counts[0] == counts[1]


def test_the_edit_page_adds_and_removes_them(user: User) -> None:
    video = VideoFactory(author=user)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    page = f"/@{user.handle}/video/{video.pk}/edit"
    token = str(browser.get(page).context["csrf_token"])
    form = {"language": "de", "csrfmiddlewaretoken": token}
    wrong = {**form, "file": SimpleUploadedFile("a.srt", b"hello")}
    answer = browser.post(page.replace("/edit", "/subtitles"), wrong)
    assert answer.status_code == 400
    assert "There are no subtitles in this file" in answer.content.decode()
    right = {**form, "file": SimpleUploadedFile("a.srt", SRT.encode())}
    answer = browser.post(page.replace("/edit", "/subtitles"), right, follow=True)
    assert "Deutsch" in answer.content.decode()
    answer = browser.post(page.replace("/edit", "/subtitles/de/delete"), form)
    assert (answer.status_code, answer.headers["Location"]) == (302, page)
    assert not Subtitles.objects.exists()


def test_the_form_without_its_token_is_refused(user: User) -> None:
    video = VideoFactory(author=user)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user)
    form = {"language": "de", "file": SimpleUploadedFile("a.srt", SRT.encode())}
    path = f"/@{user.handle}/video/{video.pk}/subtitles"
    assert browser.post(path, form).status_code == 403
    assert not Subtitles.objects.exists()
