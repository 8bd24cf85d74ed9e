"""Whatever staff does to people and to what is theirs is in the log of acts, by any page."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Appeal, Decision, Invitation, ModerationAct, Session, User
from accounts.services import appeal, warn_person
from tests.factories import PASSWORD, UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from tiktok_clone.common.models import SiteText
from videos.models import Status, Video
from videos.services import engagement, moderation

pytestmark = pytest.mark.django_db

WHY = {"reason": "hate", "words": "Be kind."}


@pytest.fixture
def boss() -> User:
    return UserFactory(handle="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(boss: User) -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(boss)
    return client


def acts() -> list[str]:
    assert set(ModerationAct.objects.values_list("by_label", flat=True)) <= {"@boss"}
    return list(ModerationAct.objects.order_by("pk").values_list("act", flat=True))


def test_what_is_done_to_a_person(staff: Client) -> None:
    person: User = UserFactory(avatar="avatars/x/256.webp")
    Session.objects.create(user=person, kind=Session.Kind.API)
    for act in ("sign-out", "warn", "remove-picture", "suspend", "restore"):
        path = reverse("admin:accounts_user_act", args=[person.pk, act])
        assert staff.post(path, WHY).status_code == 302
    session = Session.objects.create(user=person, kind=Session.Kind.API)
    chosen = {"action": "end", "_selected_action": [session.pk]}
    staff.post(reverse("admin:accounts_session_changelist"), chosen)
    password = {"password1": "a new pass phrase", "password2": "a new pass phrase"}
    path = reverse("admin:auth_user_password_change", args=[person.pk])
    assert staff.post(path, {**password, "usable_password": "true"}).status_code == 302
    delete = reverse("admin:accounts_user_delete", args=[person.pk])
    assert staff.post(delete, {"post": "yes"}).status_code == 302
    assert acts() == [
        "signed_out", "warned", "picture_removed", "suspended", "restored", "signed_out",
        "password_set", "account_deleted",
    ]  # fmt: skip


def test_accounts_that_are_made_and_edited_and_not_ones_own(staff: Client, boss: User) -> None:
    new = {"email": "ada@example.org", "handle": "ada", "name": "Ada", "usable_password": "true"}
    words = {"password1": PASSWORD, "password2": PASSWORD}
    assert staff.post(reverse("admin:accounts_user_add"), new | words).status_code == 302
    person = User.objects.get(handle="ada")
    for one in (person, boss):
        page = reverse("admin:accounts_user_change", args=[one.pk])
        form = staff.get(page).context["adminform"].form
        values: dict[str, Any] = {name: form[name].value() for name in form.fields}
        values = {name: value for name, value in values.items() if value not in (None, False)}
        assert staff.post(page, values | {"bio": "New."}).status_code == 302
    made, edited = ModerationAct.objects.order_by("pk")
    assert (made.act, made.target_label) == ("account_made", "@ada")
    assert (edited.act, edited.target_label, edited.detail) == ("profile_edited", "@ada", "bio")


def test_what_is_done_to_clips_and_reports(staff: Client) -> None:
    video = VideoFactory()
    engagement.report_video(UserFactory(), video.pk, "spam")
    answer = reverse("admin:videos_report_answer", args=[video.pk])
    staff.post(answer, {"outcome": "hidden", **WHY})
    entries = staff.get(reverse("admin:videos_report_queue") + "?show=hidden").context["entries"]
    assert [entry["video"] for entry in entries] == [video]
    response = staff.post(answer, {"outcome": "shown", "hidden": "1", "page": "1"})
    assert response["Location"].endswith("?page=1&show=hidden")
    assert acts() == ["video_hidden", "reports_answered", "video_shown"]
    Video.objects.filter(pk=video.pk).update(status=Status.FAILED)
    staff.post(reverse("admin:videos_video_act", args=[video.pk, "retry"]))
    assert acts()[3:] == ["video_retried"]


def test_invitations_and_texts(staff: Client) -> None:
    invitations = reverse("admin:accounts_invitation_add")
    assert staff.post(invitations, {"note": "for Ada", "max_uses": "1"}).status_code == 302
    texts = reverse("admin:common_sitetext_add")
    body = {"slug": "terms", "title": "Terms", "body": "Be kind."}
    assert staff.post(texts, body).status_code == 302
    for name, row in (("accounts_invitation", Invitation), ("common_sitetext", SiteText)):
        path = reverse(f"admin:{name}_delete", args=[row.objects.get().pk])
        assert staff.post(path, {"post": "yes"}).status_code == 302
    assert acts() == ["invitation_saved", "text_saved", "invitation_deleted", "text_deleted"]
    assert ModerationAct.objects.first().target_label == "for Ada"


def test_an_act_that_failed_left_no_row(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError

    video = VideoFactory()
    monkeypatch.setattr("accounts.services.decisions.jobs.enqueue", fail)
    with pytest.raises(RuntimeError):
        moderation.hide_video(video.pk, boss)
    video.refresh_from_db()
    assert video.hidden_at is None
    assert not ModerationAct.objects.exists()
    assert not Decision.objects.exists()


def test_appeals_are_answered_in_the_queue(staff: Client, boss: User) -> None:
    video = VideoFactory()
    moderation.hide_video(video.pk, boss)
    made = appeal(Decision.objects.get(), "A mistake.")
    queue = reverse("admin:accounts_appeal_queue")
    assert "A mistake." in staff.get(queue).content.decode()
    path = reverse("admin:accounts_appeal_answer", args=[made.pk])
    assert staff.post(path, {"state": "waiting"}).status_code == 404
    assert staff.post(path, {"state": "reversed", "answer": "Sorry."}).status_code == 302
    video.refresh_from_db()
    assert video.hidden_at is None
    html = staff.post(path, {"state": "upheld"}, follow=True).content.decode()
    assert "answer already" in html
    assert acts() == ["video_hidden", "appeal_answered", "video_shown"]


def test_reversing_takes_the_permission_to_undo_it_elsewhere(boss: User) -> None:
    from tests.accounts.test_admin import moderator

    video = VideoFactory()
    moderation.hide_video(video.pk, boss)
    made = appeal(Decision.objects.get(), "A mistake.")
    path = reverse("admin:accounts_appeal_answer", args=[made.pk])
    _, looks = moderator("view_appeal")
    assert "Uphold" not in looks.get(reverse("admin:accounts_appeal_queue")).content.decode()
    assert looks.post(path, {"state": "upheld"}).status_code == 403
    _, answers = moderator("view_appeal", "change_appeal")
    assert answers.post(path, {"state": "reversed"}).status_code == 403
    _, may = moderator("view_appeal", "change_appeal", "change_video")
    assert may.post(path, {"state": "reversed"}).status_code == 302


@pytest.mark.parametrize("page", ["videos_report_queue", "accounts_appeal_queue"])
def test_the_queues_take_the_same_number_of_queries_for_2_and_12(
    page: str, staff: Client, boss: User
) -> None:
    counts = []
    for wanted in (2, 12):
        for _ in range(wanted - Appeal.objects.count()):
            video = VideoFactory()
            moderation.hide_video(video.pk, boss)
            appeal(Decision.objects.get(target_id=video.pk), "No.")
        counts.append(queries_of(lambda: staff.get(reverse(f"admin:{page}") + "?show=hidden")))
    assert counts[0] == counts[1]


def test_the_log_is_found_by_who_and_what(staff: Client, boss: User) -> None:
    warn_person(UserFactory(handle="ada").pk, boss)
    listing = reverse("admin:accounts_moderationact_changelist")

    def rows(**options: str) -> int:
        return len(staff.get(listing, options).context["cl"].result_list)

    assert (rows(q="@boss"), rows(q="ada"), rows(q="leo")) == (1, 1, 0)
    assert (rows(act__exact="warned"), rows(act__exact="suspended")) == (1, 0)
