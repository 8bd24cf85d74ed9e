"""People, sessions and invitations in the administration."""

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client, override_settings
from django.urls import reverse

from accounts.models import Follow, Invitation, Session, User
from tests.factories import PASSWORD, UserFactory, VideoFactory
from tests.videos.measuring import queries_of
from videos.counters import reconcile
from videos.models import Comment, Video
from videos.services import comments, engagement

pytestmark = pytest.mark.django_db

WHY = {"reason": "spam", "words": "Ads."}
PEOPLE = "admin:accounts_user_changelist"


@pytest.fixture
def boss() -> User:
    return UserFactory(handle="boss", is_staff=True, is_superuser=True)


@pytest.fixture
def staff(boss: User) -> Client:
    """A browser in which an administrator is signed in."""
    client = Client()
    client.force_login(boss)
    return client


def moderator(*permissions: str) -> tuple[User, Client]:
    """Somebody of the staff with these permissions alone, and their browser."""
    person: User = UserFactory(is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(person)
    return person, client


def page(person: User) -> str:
    return reverse("admin:accounts_user_change", args=[person.pk])


def entered(client: Client, person: User, **changes: Any) -> dict[str, Any]:
    """What the form of a person would send, with changes."""
    form = client.get(page(person)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields if name != "password"}
    values = {name: value for name, value in values.items() if value not in (None, False)}
    return {**values, **changes}


def test_people_are_found_by_words_and_by_addresses(staff: Client, boss: User) -> None:
    ada = UserFactory(handle="ada.l", name="Ada Lovelace", email="ada@engine.example")
    bob = UserFactory(handle="bob", name="Bób Ross", email="bob@paint.example")

    def found(query: str) -> set[str]:
        return {p.handle for p in staff.get(reverse(PEOPLE), {"q": query}).context["cl"].queryset}

    assert found("love") == {ada.handle}
    assert found("bob ro") == {bob.handle}
    assert found("@bob") == {bob.handle}
    assert found("a@engine") == {ada.handle}
    assert found("nobody") == set()
    assert found("") == {"boss", ada.handle, bob.handle}


def test_people_are_suspended_and_restored_in_bulk(staff: Client, boss: User) -> None:
    people = [UserFactory(), UserFactory()]
    chosen = {"_selected_action": [boss.pk, *(person.pk for person in people)]}
    html = staff.post(reverse(PEOPLE), {"action": "suspend", **chosen, **WHY}, follow=True).content
    assert "This is your own account" in html.decode()
    active = User.objects.filter(is_active=True)
    assert [person.pk for person in active] == [boss.pk]
    staff.post(reverse(PEOPLE), {"action": "restore", **chosen})
    assert User.objects.filter(is_active=True).count() == 3
    messages = list(LogEntry.objects.order_by("id").values_list("change_message", flat=True))
    assert messages == ["Suspended.", "Suspended.", "Restored.", "Restored."]


def test_the_buttons_of_a_person(staff: Client) -> None:
    person = UserFactory()
    Session.objects.create(user=person, kind=Session.Kind.API)

    def press(act: str) -> int:
        path = reverse("admin:accounts_user_act", args=[person.pk, act])
        return staff.post(path, WHY).status_code

    assert press("sign-out") == 302
    assert not Session.objects.live().filter(user=person).exists()
    assert press("restore") == 404
    assert press("suspend") == 302
    person.refresh_from_db()
    assert not person.is_active
    assert press("restore") == 302
    person.refresh_from_db()
    assert person.is_active


def test_a_profile_is_edited_like_its_owner_would(staff: Client) -> None:
    person = UserFactory(is_private=True, email_verified_at="2020-01-01T00:00Z")
    values = entered(staff, person, name="Néw Name", email="New@Example.org")
    del values["is_private"]
    response = staff.post(page(person), values)
    assert response.status_code == 302, response.context["adminform"].form.errors
    person.refresh_from_db()
    assert (person.name, person.is_private) == ("Néw Name", False)
    assert person.search_text.endswith("new name")
    assert (person.email, person.email_verified_at) == ("new@example.org", None)
    assert person.check_password(PASSWORD)


def test_an_account_that_becomes_public_gets_its_places_and_tags(staff: Client) -> None:
    """The services' news go out, as when its owner does it."""
    from procrastinate.contrib.django.models import ProcrastinateJob

    person = UserFactory(is_private=True)
    values = entered(staff, person)
    del values["is_private"]
    staff.post(page(person), values)
    tasks = set(ProcrastinateJob.objects.values_list("task_name", flat=True))
    assert {"videos.tasks.place_videos", "videos.tasks.recount_tags_of"} <= tasks


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("handle", "no spaces", "2 to 24"),
        ("handle", "boss", "already exists"),
        ("email", "a/b@example.org", "slash"),
        ("name", "x" * 51, "50"),
    ],
)
def test_what_people_may_not_enter_holds_here_too(
    field: str, value: str, told: str, staff: Client
) -> None:
    person = UserFactory()
    response = staff.post(page(person), entered(staff, person, **{field: value}))
    assert response.status_code == 200
    assert told in str(response.context["adminform"].form.errors)


def test_a_new_password_ends_the_sessions_of_the_old_one(staff: Client) -> None:
    person = UserFactory()
    theirs = Client()
    theirs.post("/signin", {"email": person.email, "password": PASSWORD})
    path = reverse("admin:auth_user_password_change", args=[person.pk])
    new = {"usable_password": "true", "password1": "quiet lake 77", "password2": "quiet lake 77"}
    assert staff.post(path, new).status_code == 302
    person.refresh_from_db()
    assert person.check_password("quiet lake 77")
    assert theirs.get("/settings").status_code == 302
    assert not Session.objects.live().filter(user=person).exists()


def test_a_new_password_of_ones_own_keeps_this_browser(boss: User) -> None:
    browser, elsewhere = Client(), Client()
    for client in (browser, elsewhere):
        client.post("/signin", {"email": boss.email, "password": PASSWORD})
    path = reverse("admin:auth_user_password_change", args=[boss.pk])
    new = {"usable_password": "true", "password1": "quiet lake 77", "password2": "quiet lake 77"}
    assert browser.post(path, new).status_code == 302
    assert browser.get(reverse("admin:index")).status_code == 200
    assert elsewhere.get(reverse("admin:index")).status_code == 302
    assert Session.objects.live().filter(user=boss).count() == 1


def test_only_administrators_give_rights_and_edit_administrators(boss: User) -> None:
    person, client = moderator("view_user", "change_user", "add_user")
    assert client.get(page(person)).status_code == 200
    client.post(page(person), {**entered(client, person), "is_superuser": "on"})
    person.refresh_from_db()
    assert not person.is_superuser
    client.post(page(boss), {"email": "taken@example.org", "handle": "boss", "name": "x"})
    boss.refresh_from_db()
    assert boss.email != "taken@example.org"
    path = reverse("admin:auth_user_password_change", args=[boss.pk])
    assert client.get(path).status_code == 403
    act = reverse("admin:accounts_user_act", args=[boss.pk, "suspend"])
    client.post(act)
    boss.refresh_from_db()
    assert boss.is_active


def test_a_moderator_changes_nobody_else_of_the_staff(boss: User) -> None:
    _, client = moderator("view_user", "change_user", "delete_user")
    colleague = UserFactory(is_staff=True, avatar="avatars/x/a.webp")
    hidden = UserFactory(is_superuser=True, is_active=False)
    for person in (colleague, boss, hidden):
        session = Session.objects.create(user=person, kind=Session.Kind.API)
        password = reverse("admin:auth_user_password_change", args=[person.pk])
        assert client.get(password).status_code == 403
        assert client.post(password, {"password1": "x", "password2": "x"}).status_code == 403
        acts = ["suspend" if person.is_active else "restore", "sign-out"]
        for act in acts + ["remove-picture"] * bool(person.avatar):
            path = reverse("admin:accounts_user_act", args=[person.pk, act])
            assert client.post(path).status_code == 403, act
        delete = reverse("admin:accounts_user_delete", args=[person.pk])
        assert client.post(delete, {"post": "yes"}).status_code == 403
        assert client.get(page(person)).context["acts"] == []
        session.refresh_from_db()
        assert session.ended_at is None
    chosen = {"_selected_action": [colleague.pk, hidden.pk]}
    for action in ("suspend", "restore"):
        client.post(reverse(PEOPLE), {"action": action, **chosen})
    active = User.objects.filter(pk__in=[colleague.pk, hidden.pk], is_active=True)
    assert [person.pk for person in active] == [colleague.pk]


def test_a_moderator_signs_out_themselves_and_whoever_is_no_staff(boss: User) -> None:
    person, client = moderator("view_session", "change_session")
    sessions = [
        Session.objects.create(user=user, kind=Session.Kind.API)
        for user in (boss, person, UserFactory())
    ]
    listing = reverse("admin:accounts_session_changelist")
    chosen = {"_selected_action": [session.pk for session in sessions]}
    html = client.post(listing, {"action": "end", **chosen}, follow=True).content.decode()
    assert "2 sessions ended" in html
    assert "left out" in html
    live = Session.objects.live().filter(pk__in=chosen["_selected_action"])
    assert [session.user for session in live] == [boss]


def test_an_account_is_deleted_by_the_service(staff: Client, boss: User) -> None:
    person, other = UserFactory(), UserFactory()
    path = reverse("admin:accounts_user_delete", args=[person.pk])
    assert staff.post(path, {"post": "yes"}).status_code == 302
    person.refresh_from_db()
    assert person.is_deleted
    chosen = {"_selected_action": [other.pk, boss.pk]}
    staff.post(reverse(PEOPLE), {"action": "delete_selected", "post": "yes", **chosen})
    other.refresh_from_db()
    boss.refresh_from_db()
    assert (other.is_deleted, boss.is_deleted) == (True, False)


def test_sessions_are_ended(staff: Client) -> None:
    session = Session.objects.create(user=UserFactory(), kind=Session.Kind.API)
    listing = reverse("admin:accounts_session_changelist")
    staff.post(listing, {"action": "end", "_selected_action": [session.pk]})
    session.refresh_from_db()
    assert session.ended_reason == "ended_by_staff"


def test_an_invitation_has_a_code_a_link_and_who_made_it(staff: Client, boss: User) -> None:
    add = reverse("admin:accounts_invitation_add")
    assert staff.post(add, {"note": "for Ada", "max_uses": "3"}).status_code == 302
    made = Invitation.objects.get()
    assert (made.created_by, made.max_uses, len(made.code) >= 16) == (boss, 3, True)
    html = staff.get(reverse("admin:accounts_invitation_changelist")).content.decode()
    assert f"/signup?invitation={made.code}" in html
    assert "0 of 3" in html


def test_an_invitation_allows_no_fewer_uses_than_it_had(staff: Client) -> None:
    made = Invitation.objects.create(max_uses=5, used_count=3)
    path = reverse("admin:accounts_invitation_change", args=[made.pk])
    response = staff.post(path, {"note": "", "max_uses": "2"})
    assert response.status_code == 200
    assert "At least 3" in str(response.context["adminform"].form.errors)


def test_sign_in_to_the_administration_is_limited_as_elsewhere(boss: User) -> None:
    client = Client()
    login = reverse("admin:login")
    limits = {"signin_ip": (3, 300), "signin_email": (3, 3600)}
    from django.conf import settings

    with override_settings(THROTTLE_RATES={**settings.THROTTLE_RATES, **limits}):
        for _ in range(3):
            client.post(login, {"username": boss.email, "password": "wrong"})
        right = {"username": boss.email, "password": PASSWORD}
        assert client.post(login, right).status_code == 200
        assert client.get(reverse("admin:index")).status_code == 302
    assert client.post(login, right).status_code == 302


def removal(*people: User) -> str:
    ids = ",".join(str(person.pk) for person in people)
    return f"{reverse('admin:accounts_user_removal')}?ids={ids}"


def test_removing_everything_asks_first_and_says_how_much(staff: Client) -> None:
    spammer, harmless = UserFactory(), UserFactory()
    VideoFactory(author=spammer)
    video = VideoFactory()
    comments.add_comment(spammer, video.pk, "buy")
    engagement.like_video(spammer, video.pk)
    chosen = {"_selected_action": [spammer.pk, harmless.pk]}
    response = staff.post(reverse(PEOPLE), {"action": "remove_content", **chosen})
    assert response.status_code == 302
    rows = staff.get(response["Location"]).context["rows"]
    counts = {
        row.person: (row.content.videos, row.content.comments, row.content.likes) for row in rows
    }
    assert counts == {spammer: (1, 1, 1), harmless: (0, 0, 0)}
    assert Video.objects.count() == 2  # asking changed nothing
    assert Comment.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_removing_everything_runs_as_a_job_whose_progress_is_shown(
    staff: Client, run_jobs: Any
) -> None:
    spammer = UserFactory(videos_count=2)
    for _ in range(2):
        VideoFactory(author=spammer)
    Follow.objects.create(follower=spammer, followee=UserFactory(followers_count=1))
    User.objects.filter(pk=spammer.pk).update(following_count=1)
    assert staff.post(removal(spammer), {"suspend": "on", **WHY}).status_code == 302
    (row,) = staff.get(removal(spammer)).context["rows"]
    assert (row.is_running, row.gone, row.total) == (True, 0, 3)
    run_jobs()
    response = staff.get(removal(spammer))
    (row,) = response.context["rows"]
    assert (row.is_running, row.gone, row.content.total) == (False, 3, 0)
    assert "done: 3 removed" in response.content.decode()
    spammer.refresh_from_db()
    assert not spammer.is_active
    assert reconcile() == []
    assert LogEntry.objects.get().change_message == "Everything they posted is being removed."


def test_removing_everything_takes_the_permissions_for_it() -> None:
    spammer = UserFactory()
    _, client = moderator("view_user", "change_user", "delete_video")
    assert client.get(removal(spammer)).status_code == 403
    assert client.post(removal(spammer)).status_code == 403
    _, client = moderator("view_user", "change_user", "delete_video", "delete_comment")
    assert client.post(removal(spammer)).status_code == 302


def test_the_page_of_a_removal_takes_the_same_number_of_queries_for_2_and_12(
    staff: Client,
) -> None:
    people = [UserFactory() for _ in range(12)]
    few = queries_of(lambda: staff.get(removal(*people[:2])))
    assert queries_of(lambda: staff.get(removal(*people))) == few


@pytest.mark.parametrize("ids", ["", "x", "1,x,", "9" * 30, "-1"])
def test_ids_that_are_none_are_left_out(ids: str, staff: Client) -> None:
    response = staff.get(f"{reverse('admin:accounts_user_removal')}?ids={ids}")
    assert response.status_code == 200
