"""Muting words and hashtags: the list, its limits, and what counts as the same word."""

import pytest
from django.test import Client

from accounts.models import MutedWord, User
from accounts.services import MOST_MUTED_WORDS, mute_word, unmute_word
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import UserFactory
from tiktok_clone.common.errors import DomainError

pytestmark = pytest.mark.django_db
WORDS = "/user/muted-words"


def test_the_list_holds_the_latest_first_and_can_be_taken_back(as_user: ApiClient) -> None:
    for text in ("Rain", "#Sea", "two  words"):
        as_user.post(WORDS, {"text": text}, expect=201)
    results = as_user.get(WORDS)["results"]
    assert [row["text"] for row in results] == ["two words", "#sea", "Rain"]
    as_user.delete(f"{WORDS}/{results[0]['id']}", expect=204)
    as_user.delete(f"{WORDS}/{results[0]['id']}", expect=404)
    assert len(as_user.get(WORDS)["results"]) == 2


@pytest.mark.parametrize(
    ("first", "again"), [("Café", "  CAFE "), ("#Sea", "#SEA"), ("don’t", "dont")]
)
def test_the_same_word_again_changes_nothing(as_user: ApiClient, first: str, again: str) -> None:
    row = as_user.post(WORDS, {"text": first}, expect=201)
    assert as_user.post(WORDS, {"text": again}, expect=200) == row


def test_a_word_and_its_hashtag_are_two(as_user: ApiClient) -> None:
    as_user.post(WORDS, {"text": "sea"}, expect=201)
    as_user.post(WORDS, {"text": "#sea"}, expect=201)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("🌊 !", "no_word"),
        ("#", "invalid_hashtag"),
        ("#123", "invalid_hashtag"),
        ("#two words", "invalid_hashtag"),
        ("x" * 101, "too_long"),
        ("a\x07b", "control_character"),
    ],
)
def test_what_cannot_be_muted_is_refused_by_name(as_user: ApiClient, text: str, code: str) -> None:
    body = as_user.post(WORDS, {"text": text}, expect=400)
    assert body["errors"]["text"][0]["code"] == code
    assert not MutedWord.objects.exists()


def test_there_is_a_limit_with_a_name(as_user: ApiClient, user: User) -> None:
    for number in range(MOST_MUTED_WORDS):
        mute_word(user, f"word{number}")
    body = as_user.post(WORDS, {"text": "one more"}, expect=409)
    assert body["code"] == "too_many_muted_words"
    as_user.post(WORDS, {"text": "WORD7"}, expect=200)  # known ones are no more


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_go_over_the_limit_nor_make_a_word_twice() -> None:
    user = UserFactory()
    for number in range(MOST_MUTED_WORDS - 1):
        mute_word(user, f"word{number}")
    words = ("rain", "rain", "rain", "snow", "snow")
    found = at_once(*((lambda word=word: mute_word(user, word)[1]) for word in words))
    assert MutedWord.objects.filter(user=user).count() == MOST_MUTED_WORDS
    assert found.count(True) == 1
    assert all(one in (True, False) or isinstance(one, DomainError) for one in found)


def test_a_hashtag_is_muted_by_its_name(as_user: ApiClient) -> None:
    for _ in range(2):
        assert as_user.post("/hashtags/SEA/mute") == {"muted": True}
    assert [row["text"] for row in as_user.get(WORDS)["results"]] == ["#sea"]
    for _ in range(2):
        assert as_user.delete("/hashtags/sea/mute") == {"muted": False}
    assert as_user.get(WORDS)["results"] == []


def test_nobody_takes_back_what_another_one_mutes(as_other: ApiClient, user: User) -> None:
    row, _ = mute_word(user, "rain")
    as_other.delete(f"{WORDS}/{row.pk}", expect=404)
    as_other.delete("/hashtags/rain/mute")
    assert MutedWord.objects.count() == 1


def test_the_account_knows_whether_there_are_any(as_user: ApiClient, user: User) -> None:
    for text in ("rain", "snow"):
        as_user.post(WORDS, {"text": text}, expect=201)
    for text, left in (("RAIN", True), ("#snow", True), ("snow", False)):
        unmute_word(user, text)
        user.refresh_from_db()
        assert user.mutes_words is left


def test_the_page_adds_removes_and_says_what_is_wrong(client: Client, user: User) -> None:
    client.force_login(user)
    page = client.post("/settings/words", {"text": "Rain"}, follow=True)
    assert "You do not come across Rain any more." in page.content.decode()
    page = client.post("/settings/words", {"text": "!!"})
    assert page.status_code == 400
    assert "Write a word" in page.content.decode()
    client.post("/settings/words", {"text": "Rain", "action": "unmute"})
    assert not MutedWord.objects.exists()
