"""What the administration of people can do besides, where it concerns what they posted."""

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.admin.people import PersonAdmin
from accounts.admin.reasons import ReasonForm, why_of
from accounts.models import User
from accounts.services.decisions import Why
from tiktok_clone.common.administration import Link
from tiktok_clone.common.errors import DomainError
from videos import removal, tasks
from videos.services import moderation

MOST_AT_ONCE = 50
UNFINISHED = ("todo", "doing")
# Removing takes the right to suspend and to delete videos and comments.
NEEDED = ("accounts.change_user", "videos.delete_video", "videos.delete_comment")

admin.site.unregister(User)


@admin.register(User)
class PostingPersonAdmin(PersonAdmin):
    """People with what they posted: `accounts` knows nothing of videos, so it is added here."""

    actions = (*PersonAdmin.actions, "remove_content")

    def get_urls(self) -> list[URLPattern]:
        """The page that asks before everything is removed, and then shows how far it is."""
        view = self.admin_site.admin_view(self.removal_view)
        return [path("removal/", view, name="accounts_user_removal"), *super().get_urls()]

    def links_for(self, obj: User) -> list[Link]:
        """To what the person posted, and to removing all of it."""
        clips = reverse("admin:videos_video_changelist")
        comments = reverse("admin:videos_comment_changelist")
        return [
            *super().links_for(obj),
            Link("Clips", f"{clips}?author__id__exact={obj.pk}"),
            Link("Comments", f"{comments}?author__id__exact={obj.pk}"),
            Link("Remove everything…", _removal_url([obj.pk])),
        ]

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Whether somebody may remove everything that others posted."""
        return request.user.has_perms(NEEDED)

    @admin.action(description="Remove everything they posted…", permissions=["remove"])
    def remove_content(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse:
        """Go to the page that asks first."""
        return HttpResponseRedirect(_removal_url(queryset.values_list("pk", flat=True)))

    def removal_view(self, request: HttpRequest) -> HttpResponse:
        """Say what will go, begin to remove it, and show how far it is."""
        if not self.has_remove_permission(request):
            raise PermissionDenied
        people = _people(request)
        if request.method == "POST":
            try:
                self._begin(request, people, why_of(request))
            except DomainError as error:
                messages.error(request, error.message)
            return HttpResponseRedirect(_removal_url(person.pk for person in people))
        rows = _removals(people)
        context = {
            **self.admin_site.each_context(request),
            "title": "Remove everything they posted",
            "opts": self.opts,
            "rows": rows,
            "running": any(row.is_running for row in rows),
            "something": any(row.content.total and not row.is_running for row in rows),
            "most": MOST_AT_ONCE,
            "reason_form": ReasonForm(),
        }
        return TemplateResponse(request, "admin/accounts/user/removal.html", context)

    def _begin(self, request: HttpRequest, people: list[User], why: Why) -> None:
        by, suspend = cast(User, request.user), "suspend" in request.POST
        for person in people:
            try:
                job = moderation.remove_content(person.pk, by, why, suspend=suspend)
            except DomainError as error:
                messages.error(request, f"{person}: {error.message}")
                continue
            if job is not None:
                self.log_change(request, person, "Everything they posted is being removed.")


@dataclass(frozen=True)
class Removal:
    """How far the removal of somebody's content is; `job` is the latest one, if there was any."""

    person: User
    content: removal.Content
    job: ProcrastinateJob | None

    @property
    def is_running(self) -> bool:
        """Whether it goes on."""
        return self.job is not None and self.job.status in UNFINISHED

    @property
    def gone(self) -> int:
        """How much of what there was is gone."""
        return max(0, self.total - self.content.total)

    @property
    def total(self) -> int:
        """How much there was when it began."""
        began: dict[str, Any] = self.job.args if self.job is not None else {}
        return max(int(began.get("total", 0)), self.content.total)


def _people(request: HttpRequest) -> list[User]:
    asked = [part for part in request.GET.get("ids", "").split(",") if part.isdigit()]
    ids = [int(part) for part in asked[:MOST_AT_ONCE] if len(part) < 19]
    return list(User.objects.filter(pk__in=ids).order_by("pk"))


def _removals(people: list[User]) -> list[Removal]:
    """What there is of each person and their latest job, in two queries."""
    contents = removal.count_contents([person.pk for person in people])
    locks = {tasks.removal_lock(person.pk): person.pk for person in people}
    latest: dict[int, ProcrastinateJob] = {}
    for job in ProcrastinateJob.objects.filter(lock__in=locks).order_by("id"):
        latest[locks[job.lock or ""]] = job
    return [Removal(one, contents[one.pk], latest.get(one.pk)) for one in people]


def _removal_url(ids: Any) -> str:
    listed = ",".join(str(pk) for pk in list(ids)[:MOST_AT_ONCE])
    return f"{reverse('admin:accounts_user_removal')}?ids={listed}"
