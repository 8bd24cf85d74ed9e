"""What moderators decide about people: told with the reason, appealed once, answered, logged."""

from typing import Any

import pytest
from django.core import mail, signing
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.admin.moderation import PAGES
from accounts.models import Appeal, Decision, DecisionKind, ModerationAct, User
from accounts.services import Why
from accounts.services.appeals import appeal_token
from accounts.tasks import send_decision
from feeds import inbox, notifications
from feeds.models import Kind, Notification
from tests.accounts.racing import at_once
from tests.api_client import ApiClient
from tests.factories import PASSWORD, UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.signing import current_epoch
from videos.models import Video
from videos.services import comments, moderation
from videos.services.appeals import answer_appeal

pytestmark = pytest.mark.django_db

WHY = Why("spam", "Buy elsewhere.")


@pytest.fixture
def boss() -> User:
    return UserFactory(handle="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def video(user: User) -> Video:
    return VideoFactory(author=user, caption="my clip")


def told(user: User) -> list[str]:
    """The texts of the moderators' messages that somebody is shown, the oldest first."""
    rows = Notification.objects.shown_to(user).filter(kind=Kind.MODERATION)
    return list(rows.order_by("pk").values_list("text", flat=True))


def decide(kind: str, video: Video, boss: User) -> Decision:
    """Have a moderator do something to the author of a video."""
    acts = {
        "video_hidden": lambda: moderation.hide_video(video.pk, boss, WHY),
        "video_removed": lambda: moderation.remove_video(video.pk, boss, WHY),
        "comment_removed": lambda: moderation.remove_comment(
            comments.add_comment(video.author, video.pk, "my words").pk, boss, WHY
        ),
        "picture_removed": lambda: _remove_picture(video.author, boss),
        "content_removing": lambda: moderation.remove_content(
            video.author_id, boss, WHY, suspend=False
        ),
        "warned": lambda: moderation.warn_author(video.pk, boss, WHY),
        "suspended": lambda: services.suspend_person(video.author_id, boss, WHY),
    }
    acts[kind]()
    return Decision.objects.get()


def _remove_picture(person: User, boss: User) -> None:
    User.objects.filter(pk=person.pk).update(avatar="avatars/x/256.webp")
    services.remove_picture(person.pk, boss, WHY)


@pytest.mark.parametrize("kind", DecisionKind.values)
def test_the_person_is_told_why_and_the_act_is_logged(kind: str, video: Video, boss: User) -> None:
    decision = decide(kind, video, boss)
    assert (decision.kind, decision.person, decision.by) == (kind, video.author, boss)
    row = Notification.objects.get(kind=Kind.MODERATION, recipient=video.author)
    assert row.text == f"{decision.headline}. Spam or misleading. Buy elsewhere."
    assert (row.video, row.comment, row.actor) == (None, None, None)  # nothing takes it away
    act = ModerationAct.objects.get()
    assert (act.act, act.by_label, act.reason, act.detail) == (
        kind, "@boss", "spam", "Buy elsewhere.",
    )  # fmt: skip
    assert PAGES.get(act.target_kind) or act.target_kind == "comment"


def test_the_headlines_name_what_it_is_about(video: Video, boss: User) -> None:
    moderation.hide_video(video.pk, boss, WHY)
    moderation.warn_author(video.pk, boss, WHY)
    services.warn_person(video.author_id, boss, WHY)
    assert [decision.headline for decision in Decision.objects.order_by("pk")] == [
        "Your clip “my clip” was hidden from everybody but you",
        "You were warned for “my clip”",
        "You were warned",
    ]


def test_no_switch_block_or_mute_keeps_a_message_of_the_moderators_away(
    user: User, boss: User
) -> None:
    services.block(user, boss)
    services.mute_word(user, "elsewhere")
    with pytest.raises(DomainError, match="Use some of"):
        notifications.set_switches(user, {"moderation": False})
    services.warn_person(user.pk, boss, WHY)
    assert len(told(user)) == 1
    assert inbox.unread(user) == 1
    (group,) = ApiClient(user).get("/notifications")["results"]
    assert group["url"] == Decision.objects.get().get_absolute_url()
    assert "You were warned" in group["summary"]


@pytest.mark.parametrize(
    ("reason", "words", "code"),
    [
        ("", "", "invalid_choice"),
        ("taste", "", "invalid_choice"),
        ("other", " ", "required"),
        ("spam", "w" * 501, "too_long"),
        ("spam", "bell\a", "control_character"),
    ],
)
def test_a_reason_that_says_nothing_is_refused(reason: str, words: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        services.read_why(reason, words)
    assert code in str(refused.value.fields)


def test_nobody_decides_about_themselves_or_their_superiors(boss: User) -> None:
    moderator = UserFactory(is_staff=True)
    for person in (moderator, boss):
        for act in (services.warn_person, services.remove_picture):
            with pytest.raises(DomainError):
                act(person.pk, moderator, WHY)
    assert not Decision.objects.exists()
    assert not ModerationAct.objects.exists()


def test_an_appeal_is_made_once_and_its_state_is_seen(video: Video, boss: User) -> None:
    moderation.hide_video(video.pk, boss, WHY)
    api = ApiClient(video.author)
    (row,) = api.get("/user/decisions")["results"]
    assert (row["reason"], row["words"], row["may_appeal"]) == ("spam", "Buy elsewhere.", True)
    path = f"/user/decisions/{row['id']}/appeal"
    assert api.post(path, {"text": " "}, expect=400)["code"] == "invalid"
    assert api.post(path, {"text": "It is mine."}, expect=201)["appeal"]["state"] == "waiting"
    assert api.post(path, {"text": "Again."}, expect=409)["code"] == "appealed_already"
    shown = api.get(f"/user/decisions/{row['id']}")
    assert (shown["may_appeal"], shown["appeal"]["text"]) == (False, "It is mine.")


def test_what_was_taken_back_needs_no_appeal(video: Video, boss: User) -> None:
    moderation.hide_video(video.pk, boss, WHY)
    moderation.show_video(video.pk, boss)
    with pytest.raises(DomainError, match="taken back"):
        services.appeal(Decision.objects.get(), "It is mine.")


@pytest.mark.parametrize("kind", DecisionKind.values)
def test_a_reversed_decision_is_undone_and_the_person_is_told(
    kind: str, video: Video, boss: User
) -> None:
    decision = decide(kind, video, boss)
    made = services.appeal(decision, "A mistake.")
    answer_appeal(made.pk, "reversed", "Sorry.", boss)
    decision = Decision.objects.select_related("appeal").get()
    assert decision.undone_at is not None
    assert (decision.appeal.state, decision.appeal.answer) == ("reversed", "Sorry.")
    if kind == "video_hidden":
        assert Video.objects.get().hidden_at is None
    assert User.objects.get(pk=video.author_id).is_active
    _, second = told(video.author)
    assert second.startswith("Your appeal was right. ")
    assert second.endswith(" Sorry.")
    assert "appeal_answered" in ModerationAct.objects.values_list("act", flat=True)


def test_an_upheld_decision_stays_and_the_person_is_told(video: Video, boss: User) -> None:
    decision = decide("video_hidden", video, boss)
    answer_appeal(services.appeal(decision, "Why?").pk, "upheld", "It is an ad.", boss)
    assert Video.objects.get().hidden_at is not None
    assert told(video.author)[1] == (
        "We looked at it again after your appeal, and it stays as it is. It is an ad."
    )


def test_showing_a_clip_again_answers_the_appeal_that_waits(video: Video, boss: User) -> None:
    decision = decide("video_hidden", video, boss)
    made = services.appeal(decision, "A mistake.")
    moderation.show_video(video.pk, boss)
    made.refresh_from_db()
    assert (made.state, made.answered_by) == ("reversed", boss)
    assert len(told(video.author)) == 2
    with pytest.raises(DomainError, match="answer already"):
        answer_appeal(made.pk, "upheld", "", boss)


def test_nobody_answers_their_own_appeal(boss: User) -> None:
    moderator = UserFactory(is_staff=True)
    decision = services.warn_person(moderator.pk, boss, WHY)
    made = services.appeal(decision, "No.")
    with pytest.raises(DomainError, match="your own appeal"):
        answer_appeal(made.pk, "reversed", "", moderator)


def test_the_database_holds_one_appeal_a_decision(user: User, boss: User) -> None:
    decision = services.warn_person(user.pk, boss, WHY)
    services.appeal(decision, "No.")
    with pytest.raises(IntegrityError, match="decision_id"), transaction.atomic():
        Appeal.objects.create(decision=decision, text="Again.")
    with pytest.raises(IntegrityError, match="answered_or_waiting"), transaction.atomic():
        Appeal.objects.update(state="upheld")


@pytest.mark.django_db(transaction=True)
def test_of_two_appeals_at_once_one_is_made(user: User, boss: User) -> None:
    decision = services.warn_person(user.pk, boss, WHY)
    found = at_once(*[lambda: services.appeal(decision, "No.")] * 2)
    assert sorted(type(one).__name__ for one in found) == ["Appeal", "DomainError"]
    assert Appeal.objects.count() == 1


def test_the_log_of_acts_is_only_added_to(user: User, boss: User) -> None:
    services.warn_person(user.pk, boss, WHY)
    for change in (ModerationAct.objects.all().delete, ModerationAct.objects.get().save):
        with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
            change()
    user.delete()
    boss.delete()
    assert ModerationAct.objects.get().target_label == str(user)


def test_a_message_goes_by_mail_with_the_reason_and_the_way_to_appeal(
    video: Video, boss: User
) -> None:
    decision = decide("video_removed", video, boss)
    send_decision(decision_id=decision.pk, settled=False)
    answer_appeal(services.appeal(decision, "A mistake.").pk, "reversed", "Sorry.", boss)
    send_decision(decision_id=decision.pk, settled=True)
    made, settled = [message.body for message in mail.outbox]
    assert "Your clip “my clip” was removed." in made
    assert "Spam or misleading. Buy elsewhere." in made
    assert decision.get_absolute_url() in made
    assert "should have stayed" in settled
    assert "Sorry." in settled


def test_who_is_suspended_is_told_so_with_the_right_password_alone(
    user: User, boss: User, api: ApiClient
) -> None:
    services.suspend_person(user.pk, boss, WHY)
    wrong = api.post("/user/signin", {"email": user.email, "password": "x" * 9}, expect=401)
    stranger = {"email": "nobody@example.org", "password": PASSWORD}
    assert wrong == api.post("/user/signin", stranger, expect=401)
    own = {"email": user.email, "password": PASSWORD}
    refused = api.post("/user/signin", own, expect=403)
    assert refused["code"] == "account_suspended"
    assert "Spam or misleading. Buy elsewhere." in refused["detail"]
    path = "/user/suspension/appeal"
    body = {"token": refused["appeal_token"], "text": "A mistake."}
    shown = api.post(path, body, expect=201)
    assert (shown["kind"], shown["appeal"]["state"]) == ("suspended", "waiting")
    assert api.post(path, body, expect=409)["code"] == "appealed_already"
    answer_appeal(Appeal.objects.get().pk, "reversed", "", boss)
    api.post("/user/signin", own, expect=200)


def test_a_wrong_password_costs_one_hash_whatever_the_state(
    user: User, boss: User, api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth import hashers

    hashed: list[str] = []
    check = hashers.verify_password
    monkeypatch.setattr(
        "django.contrib.auth.hashers.verify_password",
        lambda *args, **named: (hashed.append("once"), check(*args, **named))[1],
    )
    for password, status in (("x" * 9, 401), (PASSWORD, 403)):
        services.suspend_person(user.pk, boss, WHY)
        hashed.clear()
        api.post("/user/signin", {"email": user.email, "password": password}, expect=status)
        assert hashed == ["once"]


def test_a_deleted_account_is_like_an_unknown_one(user: User, api: ApiClient) -> None:
    services.delete_account(user)
    own = {"email": user.email, "password": PASSWORD}
    assert api.post("/user/signin", own, expect=401)["code"] == "invalid_credentials"


def test_a_suspended_person_appeals_on_a_page_without_a_session(
    user: User, boss: User, client: Client
) -> None:
    services.suspend_person(user.pk, boss, WHY)
    response = client.post("/signin", {"email": user.email, "password": PASSWORD})
    assert response.status_code == 302
    page = client.get(response["Location"])
    assert page["Referrer-Policy"] == "same-origin"
    assert "Buy elsewhere." in page.content.decode()
    assert client.get("/settings").status_code == 302  # still nobody
    page = client.post(response["Location"], {"text": "A mistake."}, follow=True)
    assert "waiting for an answer" in page.content.decode()
    assert client.post(response["Location"], {"text": "Again."}).status_code == 409


def test_a_link_to_appeal_works_for_an_hour(
    user: User, boss: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    services.suspend_person(user.pk, boss, WHY)
    decision = Decision.objects.get()
    assert client.get(reverse("suspension", args=[appeal_token(decision)])).status_code == 200
    other = signing.dumps([decision.pk, current_epoch()], salt="something else")
    assert client.get(reverse("suspension", args=[other])).status_code == 400
    monkeypatch.setattr("accounts.services.appeals.LINK_LIFETIME_SECONDS", -1)
    page = client.get(reverse("suspension", args=[appeal_token(decision)]))
    assert page.status_code == 400
    assert "Sign in again" in page.content.decode()


def test_lists_of_decisions_take_the_same_number_of_queries_for_2_and_12(
    user: User, boss: User
) -> None:
    api, browser = ApiClient(user), Client()
    browser.force_login(user)

    def ask() -> tuple[Any, Any]:
        lists = (lambda: api.get("/user/decisions"), lambda: browser.get("/settings/decisions"))
        return tuple(queries_of(one) for one in lists)  # type: ignore[return-value]

    counts = []
    for wanted in (2, 12):
        for _ in range(wanted - Decision.objects.count()):
            services.appeal(services.warn_person(user.pk, boss, WHY), "No.")
        counts.append(ask())
    assert counts[0] == counts[1]
