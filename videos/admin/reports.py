"""Reports in the administration: a queue of reported clips, and the list of all reports."""

from collections import defaultdict
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Min, QuerySet, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from accounts.admin.reasons import why_of
from accounts.models import Reason, User
from accounts.services.decisions import UNSAID
from tiktok_clone.common.administration import ReadOnly
from tiktok_clone.common.errors import DomainError
from videos.admin import shown
from videos.admin.hidden import hidden_clips, hidden_entries
from videos.models import Report, Video
from videos.services import moderation

CLIPS_A_PAGE = 20
TEXTS_A_CLIP = 5
# What an answer needs besides the right to answer reports.
NEEDED = {
    Report.Outcome.DISMISSED: (),
    Report.Outcome.SHOWN: ("videos.change_video",),
    Report.Outcome.WARNED: ("accounts.change_user",),
    Report.Outcome.HIDDEN: ("videos.change_video",),
    Report.Outcome.REMOVED: ("videos.delete_video",),
    Report.Outcome.SUSPENDED: ("accounts.change_user",),
}
# Of these the author is not told, so they need no reason.
QUIET = (Report.Outcome.DISMISSED, Report.Outcome.SHOWN)


@admin.register(Report)
class ReportAdmin(ReadOnly, admin.ModelAdmin):
    """The queue is where reports are answered; the list tells what became of each."""

    change_list_template = "admin/videos/report/list.html"
    list_display = (
        "id", "reason", "excerpt", "video", "user", "created_at", "outcome", "resolved_by",
        "resolved_at",
    )  # fmt: skip
    list_filter = (("resolved_at", admin.EmptyFieldListFilter), "outcome", "reason", "created_at")
    list_select_related = ("video", "user", "resolved_by")
    search_fields = ("text", "=user__handle", "=video__author__handle")
    search_help_text = "Part of the text, or the handle of who reported or was reported"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = (
        "player", "video", "user", "reason", "text", "created_at", "outcome", "resolved_by",
        "resolved_at",
    )  # fmt: skip
    readonly_fields = fields

    def get_urls(self) -> list[URLPattern]:
        """The queue, and where its answers go."""
        view = self.admin_site.admin_view
        return [
            path("queue/", view(self.queue_view), name="videos_report_queue"),
            path(
                "queue/<int:video_id>/",
                view(require_POST(self.answer_view)),
                name="videos_report_answer",
            ),
            *super().get_urls(),
        ]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """Reported clips with their reasons, the most reported first; or hidden ones."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        hidden = request.GET.get("show") == "hidden"
        rows = hidden_clips() if hidden else _waiting()
        page: Page[Any] = Paginator(rows, CLIPS_A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Reports queue",
            "opts": self.opts,
            "page": page,
            "hidden": hidden,
            "entries": hidden_entries(page) if hidden else _entries(page),
            "reasons": Reason.choices,
            "outcomes": {str(name): self._may(request, name) for name in NEEDED},
        }
        return TemplateResponse(request, "admin/videos/report/queue.html", context)

    def answer_view(self, request: HttpRequest, video_id: int) -> HttpResponse:
        """Do what a moderator decided about a clip; all its reports are closed."""
        outcome = request.POST.get("outcome", "")
        if outcome not in NEEDED:
            raise Http404
        if not self._may(request, outcome):
            raise PermissionDenied
        video = Video.objects.filter(pk=video_id).select_related("author").first()
        try:
            why = UNSAID if outcome in QUIET else why_of(request)
            waiting = moderation.answer_reports(video_id, outcome, cast(User, request.user), why)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            label = Report.Outcome(outcome).label
            self.log_change(request, cast(Video, video), f"{label}: {waiting} reports closed.")
            messages.success(request, f"Clip {video_id}: {label.lower()}.")
        queue = reverse("admin:videos_report_queue")
        back = {"page": request.POST.get("page", "1")[:6]}
        if "hidden" in request.POST:
            back["show"] = "hidden"
        return HttpResponseRedirect(f"{queue}?{urlencode(back)}")

    def _may(self, request: HttpRequest, outcome: str) -> bool:
        needed = NEEDED[Report.Outcome(outcome)]
        return request.user.has_perms(["videos.change_report", *needed])

    @admin.display(description="text")
    def excerpt(self, report: Report) -> str:
        """The beginning of the text."""
        return shown.excerpt(report.text)

    @admin.display(description="clip")
    def player(self, report: Report) -> SafeString | str:
        """The clip, playable."""
        return shown.player(report.video)


def _waiting() -> "QuerySet[Report, Any]":
    """Clips with open reports, as `{video, total, first}`; from the index of open reports."""
    return (
        Report.objects.filter(resolved_at=None)
        .order_by()
        .values("video")
        .annotate(total=Count("pk"), first=Min("created_at"))
        .order_by("-total", "first", "video")
    )


def _entries(page: "Page[Any]") -> list[dict[str, Any]]:
    """What the queue shows of each clip, in a number of queries that does not grow."""
    rows = list(page)
    ids = [row["video"] for row in rows]
    videos = Video.objects.select_related("author").prefetch_related("renditions").in_bulk(ids)
    waiting = Report.objects.filter(video__in=ids, resolved_at=None)
    names = dict(Reason.choices)
    reasons: dict[int, list[tuple[str, int]]] = defaultdict(list)
    likeliest: dict[int, str] = {}
    counted = waiting.order_by().values_list("video", "reason").annotate(total=Count("pk"))
    for video_id, reason, total in counted.order_by("-total", "reason"):
        reasons[video_id].append((names.get(reason, reason), total))
        likeliest.setdefault(video_id, reason)
    texts: dict[int, list[Report]] = defaultdict(list)
    numbered = Window(RowNumber(), partition_by="video", order_by=F("id").desc())
    written = waiting.exclude(text="").annotate(place=numbered).select_related("user")
    for report in written.filter(place__lte=TEXTS_A_CLIP).order_by("-id"):
        texts[report.video_id].append(report)
    return [
        {
            **row,
            "video": videos[row["video"]],
            "player": shown.player(videos[row["video"]]),
            "reasons": reasons[row["video"]],
            "reason": likeliest.get(row["video"], ""),
            "texts": texts[row["video"]],
        }
        for row in rows
        if row["video"] in videos
    ]
