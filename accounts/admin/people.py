"""People in the administration: found, edited, suspended, restored, deleted."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from accounts import audit, services
from accounts.admin.forms import PersonForm, SignInForm
from accounts.admin.reasons import ReasonActionForm, ReasonForm, why_of
from accounts.models import StaffAct, User
from accounts.receivers import current_browser_session, rename_browser
from accounts.services.profiles import FLAGS, TEXTS
from tiktok_clone.common.administration import Act, ActsAdmin, DeletedByService, Link
from tiktok_clone.common.errors import DomainError
from tiktok_clone.common.models import WORDS
from tiktok_clone.common.searching import prefix_query

admin.site.login_form = SignInForm

RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")


@admin.register(User)
class PersonAdmin(DeletedByService, ActsAdmin, UserAdmin):
    """Search and filter people; everything that touches more than their row is a service."""

    form = PersonForm
    list_display = (
        "handle", "email", "name", "state", "is_private", "is_staff", "followers", "following",
        "videos", "likes", "created_at",
    )  # fmt: skip
    list_filter = (
        "is_active",
        ("deleted_at", admin.EmptyFieldListFilter),
        "is_staff",
        "is_private",
        ("email_verified_at", admin.EmptyFieldListFilter),
        "created_at",
    )
    search_fields = ("handle",)  # makes the box appear; see get_search_results
    search_help_text = "Words of the handle or name, or part of an address with its @"
    ordering = ("-id",)
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    actions: tuple[str, ...] = ("suspend", "restore")
    action_form = ReasonActionForm
    readonly_fields = (
        "avatar", "followers_count", "following_count", "videos_count", "likes_count",
        "email_verified_at", "deleted_at", "last_login", "created_at", "invitation", "is_active",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("email", "handle", "password", "is_active")}),
        (
            "Profile",
            {"fields": ("name", "bio", "avatar", "is_private", "findable_by_email")},
        ),
        (
            "Counts",
            {"fields": ("followers_count", "following_count", "videos_count", "likes_count")},
        ),
        ("Rights", {"fields": RIGHTS}),
        (
            "Times",
            {
                "fields": (
                    "created_at",
                    "last_login",
                    "email_verified_at",
                    "invitation",
                    "deleted_at",
                )
            },
        ),
    )
    add_fieldsets = (
        (
            None,
            {"fields": ("email", "handle", "name", "usable_password", "password1", "password2")},
        ),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[User], search_term: str
    ) -> tuple[QuerySet[User], bool]:
        """Find by words through the index; an address is looked for in the addresses."""
        typed = search_term.strip()
        if not typed:
            return queryset, False
        if "@" in typed[1:]:
            return queryset.filter(email__icontains=typed), False
        query = prefix_query(typed)
        found = Q(pk__in=User.objects.alias(words=WORDS).filter(words=query).values("pk"))
        return (queryset.filter(found) if query is not None else queryset.none()), False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Only administrators give rights."""
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Only administrators edit others of the staff, whose password and rights they'd have."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or services.may_change(_moderator(request), obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """The same for deleting, and nobody deletes themselves here."""
        allowed = super().has_delete_permission(request, obj)
        if obj is None or not allowed:
            return allowed
        return obj != request.user and services.may_change(_moderator(request), obj)

    def acts_for(self, obj: User) -> list[Act]:
        """Suspend or restore, sign out, take the picture away."""
        if obj.deleted_at is not None:
            return []
        may = "accounts.change_user"
        acts = [Act("sign-out", "Sign out everywhere", may, _sign_out)]
        if obj.avatar:
            acts.append(
                Act("remove-picture", "Remove the picture", may, _remove_picture, form=ReasonForm)
            )
        warn = Act("warn", "Warn", may, _warn, form=ReasonForm)
        if not obj.is_active:
            return [Act("restore", "Restore", may, _restore), warn, *acts]
        suspend = Act("suspend", "Suspend", may, _suspend, is_dangerous=True, form=ReasonForm)
        return [suspend, warn, *acts]

    def links_for(self, obj: User) -> list[Link]:
        """Where the person is signed in, and what was decided about them."""
        sessions = reverse("admin:accounts_session_changelist")
        decisions = reverse("admin:accounts_decision_changelist")
        return [
            Link("Sessions", f"{sessions}?user__id__exact={obj.pk}"),
            Link("Decisions", f"{decisions}?person__id__exact={obj.pk}"),
        ]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """Change the profile as its owner would; the rest is of this row alone."""
        if not change:
            super().save_model(request, obj, form, change)
            audit.act(_moderator(request), StaffAct.ACCOUNT_MADE, audit.target_of(obj))
            return
        changed = set(form.changed_data)
        profile = changed & {*TEXTS, *FLAGS}
        if "email" in changed:
            obj.email_verified_at = None
            changed.add("email_verified_at")
        own = [field.name for field in obj._meta.concrete_fields if field.name in changed - profile]
        if own:
            obj.save(update_fields=own)
        if profile:
            services.update_profile(
                User.objects.get(pk=obj.pk), {name: form.cleaned_data[name] for name in profile}
            )
        if form.changed_data and obj.pk != request.user.pk:
            named = ", ".join(form.changed_data)
            target = audit.target_of(obj)
            audit.act(_moderator(request), StaffAct.PROFILE_EDITED, target, detail=named)

    @transaction.atomic
    def user_change_password(
        self, request: HttpRequest, id: str, form_url: str = ""
    ) -> HttpResponse:
        """Set a password; whoever was signed in with the old one is no longer."""
        response = super().user_change_password(request, id, form_url)
        if request.method == "POST" and response.status_code == 302:
            person = self.get_object(request, id)
            own = current_browser_session(request) if person == request.user else None
            if person is not None:
                services.end_all_sessions(person, "password_set", keep=own.pk if own else None)
            if person is not None and person != request.user:
                target = audit.target_of(person)
                audit.act(_moderator(request), StaffAct.PASSWORD_SET, target)
            if own is not None:
                rename_browser(request)
        return response

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """Hide the account at once; a job removes it with all that it posted."""
        services.delete_account(obj, _moderator(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Delete several accounts, but nobody who may not be deleted one by one."""
        people = list(queryset)
        allowed = [person for person in people if self.has_delete_permission(request, person)]
        for person in allowed:
            services.delete_account(person, _moderator(request))
        if len(allowed) < len(people):
            messages.error(request, "Your own account and those of staff were left out.")

    @admin.action(description="Suspend", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Hide people and all that they posted from everybody."""
        try:
            suspend = partial(services.suspend_person, why=why_of(request))
        except DomainError as error:
            messages.error(request, error.message)
            return
        self._each(request, queryset, suspend, "Suspended.")

    @admin.action(description="Restore", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Show suspended people again."""
        self._each(request, queryset, services.restore_person, "Restored.")

    def _each(
        self,
        request: HttpRequest,
        people: QuerySet[User],
        service: Callable[[int, User], bool],
        done: str,
    ) -> None:
        total = 0
        for person in people:
            try:
                if service(person.pk, _moderator(request)):
                    self.log_change(request, person, done)
                    total += 1
            except DomainError as error:
                messages.error(request, f"{person}: {error.message}")
        messages.success(request, f"{done} {total} of {len(people)} accounts.")

    @admin.display(ordering="followers_count")
    def followers(self, person: User) -> int:
        """A short heading: the table is wide."""
        return person.followers_count

    @admin.display(ordering="following_count")
    def following(self, person: User) -> int:
        """The same."""
        return person.following_count

    @admin.display(ordering="videos_count")
    def videos(self, person: User) -> int:
        """The same."""
        return person.videos_count

    @admin.display(ordering="likes_count")
    def likes(self, person: User) -> int:
        """The same."""
        return person.likes_count

    @admin.display(description="state", ordering="is_active")
    def state(self, person: User) -> str:
        """Active, suspended or deleted."""
        if person.deleted_at is not None:
            return "deleted"
        return "active" if person.is_active else "suspended"


def _moderator(request: HttpRequest) -> User:
    return cast(User, request.user)


def _suspend(request: HttpRequest, person: User) -> str:
    services.suspend_person(person.pk, _moderator(request), why_of(request))
    return "Suspended."


def _warn(request: HttpRequest, person: User) -> str:
    services.warn_person(person.pk, _moderator(request), why_of(request))
    return "Warned."


def _restore(request: HttpRequest, person: User) -> str:
    services.restore_person(person.pk, _moderator(request))
    return "Restored."


def _sign_out(request: HttpRequest, person: User) -> str:
    ended = services.sign_out_person(person, _moderator(request))
    return f"{ended} sessions ended."


def _remove_picture(request: HttpRequest, person: User) -> str:
    services.remove_picture(person.pk, _moderator(request), why_of(request))
    return "Picture removed."
