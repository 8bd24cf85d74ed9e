"""What belongs to no app in the administration: jobs, the log of what was done, site texts."""

import json
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, Min, QuerySet
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST
from procrastinate.contrib.django import app as procrastinate_app
from procrastinate.contrib.django.admin import ProcrastinateJobAdmin
from procrastinate.contrib.django.models import ProcrastinateEvent, ProcrastinateJob

from tiktok_clone.common import dashboard, jobs, texts
from tiktok_clone.common.administration import ReadOnly
from tiktok_clone.common.dashboard import Chart, Figures, Line, Tile
from tiktok_clone.common.models import SiteText

# A job that waits for longer is worth a look: nobody works, or everybody is busy.
WAITS_LONG_SECONDS = 10 * 60


class EventInline(ReadOnly, admin.TabularInline):
    """What happened to a job."""

    model = ProcrastinateEvent
    fields = readonly_fields = ("type", "at")
    ordering = ("at", "id")
    extra = 0


admin.site.unregister(ProcrastinateJob)


@admin.register(ProcrastinateJob)
class JobAdmin(ProcrastinateJobAdmin):
    """Background jobs: what waits, what runs, what failed; failed ones can be retried."""

    list_display = ["pk", "task", "arguments", "status", "attempts", "scheduled_at", "latest"]
    fields = [
        "pk", "task_name", "arguments", "status", "queue_name", "lock", "queueing_lock", "priority",
        "scheduled_at", "attempts",
    ]  # fmt: skip
    # Not the filters of the library: one of them lists every lock that a job ever had.
    list_filter = ["status", "queue_name", "task_name"]
    search_fields = ("=id", "task_name", "lock")
    search_help_text = "An id, a task, or a lock such as video-7"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    inlines = [EventInline]
    actions = ["retry_failed", "cancel_waiting"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of them."""
        return self.fields

    @admin.display(ordering="task_name")
    def task(self, job: ProcrastinateJob) -> str:
        """Its name without the module."""
        return str(job.task_name.rpartition(".")[2])

    @admin.display
    def arguments(self, job: ProcrastinateJob) -> SafeString:
        """As JSON. The library's own column has inline styles, which the content policy forbids."""
        written = json.dumps(job.args, indent=2 if len(job.args) > 2 else None)
        return format_html('<pre class="job-args">{}</pre>', written[:2000])

    @admin.display(description="latest event")
    def latest(self, job: ProcrastinateJob) -> str:
        """What happened last, and when; events are read with the list, the latest first."""
        events = list(job.procrastinateevent_set.all())
        return f"{events[0].type} {dashboard.lasting(events[0].at)} ago" if events else ""

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Looking at jobs is one thing, running them another."""
        return request.user.has_perm("procrastinate.change_procrastinatejob")

    @admin.action(description="Retry failed jobs", permissions=["retry"])
    def retry_failed(self, request: HttpRequest, queryset: QuerySet[ProcrastinateJob]) -> None:
        """Have failed jobs run again at once."""
        failed = queryset.filter(status="failed")
        retried = [job for job in failed if jobs.run_again(job)]
        self._log(request, retried, "Run again.")
        messages.success(request, f"{len(retried)} jobs run again.")
        if len(retried) < len(failed):
            messages.info(request, "For the others, a job that does the same waits already.")

    @admin.action(description="Cancel waiting jobs", permissions=["retry"])
    def cancel_waiting(self, request: HttpRequest, queryset: QuerySet[ProcrastinateJob]) -> None:
        """Have jobs that did not begin yet never begin."""
        manager = procrastinate_app.job_manager
        cancelled = [
            job for job in queryset.filter(status="todo") if manager.cancel_job_by_id(job.pk)
        ]
        self._log(request, cancelled, "Cancelled.")
        messages.success(request, f"{len(cancelled)} jobs are cancelled.")

    def _log(self, request: HttpRequest, done: list[ProcrastinateJob], what: str) -> None:
        for job in done:
            self.log_change(request, job, what)


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnly, admin.ModelAdmin):
    """Who did what in the administration."""

    list_display = ("action_time", "user", "content_type", "object_repr", "what")
    list_filter = ("action_flag", "action_time")
    list_select_related = ("user", "content_type")
    search_fields = ("object_repr", "change_message", "user__handle")
    fields = readonly_fields = (
        "action_time", "user", "content_type", "object_id", "object_repr", "what",
    )  # fmt: skip
    ordering = ("-action_time", "-id")
    show_full_result_count = False

    @admin.display(description="what was done")
    def what(self, entry: LogEntry) -> str:
        """The change in words."""
        return entry.get_change_message() or entry.get_action_flag_display()


class SiteTextForm(forms.ModelForm):
    """A page's text; there is one for each page that the product has."""

    slug = forms.ChoiceField(label="page", choices=list(texts.TITLES.items()))


@admin.register(SiteText)
class SiteTextAdmin(admin.ModelAdmin):
    """The terms and the privacy policy. Without a row, the text that comes with the product."""

    form = SiteTextForm
    add_form_template = change_form_template = "admin/common/sitetext/form.html"
    list_display = ("title", "slug", "updated_at")
    fields = ("slug", "title", "body")
    ordering = ("slug",)

    def get_urls(self) -> list[URLPattern]:
        """Where the button for the preview leads."""
        view = self.admin_site.admin_view(require_POST(self.preview_view))
        return [path("preview/", view, name="common_sitetext_preview"), *super().get_urls()]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Begin with what is shown at present: by `?slug=`, or the first page without a row."""
        written = set(SiteText.objects.values_list("slug", flat=True))
        missing = [slug for slug in texts.TITLES if slug not in written]
        asked = request.GET.get("slug")
        slug = asked if asked in texts.TITLES else next(iter(missing), "terms")
        usual = texts.usual_text(slug)
        return {"slug": slug, "title": usual.title, "body": usual.body}

    def get_readonly_fields(self, request: HttpRequest, obj: SiteText | None = None) -> Any:
        """A text stays on its page."""
        return ("slug",) if obj is not None else ()

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """Show what is typed as its page would, without saving it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        typed = texts.Text(request.POST.get("title", ""), request.POST.get("body", ""))
        return render(request, "common/text.html", {"text": typed})


@dashboard.shows("procrastinate.view_procrastinatejob", order=90)
def job_figures(since: datetime) -> Figures:
    """Failed jobs, and how long the first one in the queue has been waiting."""
    failed = ProcrastinateJob.objects.filter(status="failed")
    by_day = dashboard.per_day(
        ProcrastinateEvent.objects.filter(type="failed", at__gte=since, job__status="failed"),
        "at",
        failed=Count("job", distinct=True),
    )
    now_failed = failed.count()
    waiting = _waiting_since()
    late = waiting is not None and (timezone.now() - waiting).total_seconds() > WAITS_LONG_SECONDS
    listing = reverse("admin:procrastinate_procrastinatejob_changelist")
    return Figures(
        charts=[Chart("jobs", "Failed jobs", [Line("Jobs", by_day["failed"])])],
        tiles=[
            Tile(
                "Failed jobs",
                str(now_failed),
                "not retried yet",
                f"{listing}?status__exact=failed",
                alarming=now_failed > 0,
            ),
            Tile(
                "Oldest waiting job",
                dashboard.lasting(waiting),
                "that could run by now" if waiting else "nothing waits",
                f"{listing}?status__exact=todo",
                alarming=late,
            ),
        ],
    )


def _waiting_since() -> datetime | None:
    """When the job was made, or meant to start, that could run and has waited for longest."""
    now = timezone.now()
    due = ProcrastinateJob.objects.filter(status="todo").exclude(scheduled_at__gt=now)
    made = due.filter(procrastinateevent__type="deferred")
    moments = made.annotate(since=Coalesce(F("scheduled_at"), F("procrastinateevent__at")))
    waiting: datetime | None = moments.aggregate(oldest=Min("since"))["oldest"]
    return waiting
