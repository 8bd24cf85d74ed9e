"""Videos in the administration: watched, retried, hidden, shown, deleted, all by services."""

from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from procrastinate.contrib.django.models import ProcrastinateJob

from accounts.admin.reasons import DeletedForReason, ReasonActionForm, ReasonForm, why_of
from accounts.models import Reason, User
from tiktok_clone.common.administration import Act, ActsAdmin, Link
from tiktok_clone.common.errors import DomainError
from videos.admin import shown
from videos.admin.parts import RenditionInline, ReportedFilter, SubtitlesInline, found
from videos.models import MEDIA_MISSING, Report, Status, Video
from videos.services import moderation

JOBS_SHOWN = 10


@admin.register(Video)
class VideoAdmin(DeletedForReason, ActsAdmin):
    """Videos: watch, retry, hide, show, warn, delete."""

    list_display = (
        "id", "picture", "author", "excerpt", "status", "visibility", "is_hidden", "likes",
        "comments", "views", "open_reports", "created_at",
    )  # fmt: skip
    list_display_links = ("id", "picture")
    list_filter = (
        "status",
        "visibility",
        ("hidden_at", admin.EmptyFieldListFilter),
        ReportedFilter,
        "created_at",
    )
    list_select_related = ("author",)
    list_per_page = 50
    search_fields = ("caption",)  # makes the box appear; see get_search_results
    search_help_text = "Words of the caption, an @handle, or an id"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    show_full_result_count = False
    inlines = (RenditionInline, SubtitlesInline)
    actions = ("hide", "show", "retry")
    action_form = ReasonActionForm
    fieldsets = (
        (None, {"fields": ("player", "author", "caption", "visibility")}),
        ("State", {"fields": ("status", "progress", "reason_code", "reason", "hidden_at")}),
        ("Reports and jobs", {"fields": ("reports", "jobs")}),
        (
            "Counts",
            {
                "fields": (
                    ("likes_count", "comments_count", "saves_count"),
                    ("shares_count", "views_count", "watched"),
                )
            },
        ),
        (
            "File",
            {
                "fields": (
                    ("width", "height", "duration"),
                    ("size_bytes", "attempt", "slot"),
                    ("created_at", "published_at"),
                )
            },
        ),
    )
    readonly_fields = (
        "player", "author", "caption", "visibility", "status", "progress", "reason_code",
        "reason", "hidden_at", "reports", "jobs", "likes_count", "comments_count", "saves_count",
        "shares_count", "views_count", "watched", "width", "height", "duration",
        "size_bytes", "attempt", "slot", "created_at", "published_at",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Video]:
        """Count open reports for the rows that are shown."""
        waiting = (
            Report.objects.filter(video=OuterRef("pk"), resolved_at=None)
            .order_by()
            .values("video")
            .annotate(total=Count("pk"))
            .values("total")
        )
        videos: QuerySet[Video] = super().get_queryset(request)
        return videos.annotate(reported=Coalesce(Subquery(waiting), 0))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Video], search_term: str
    ) -> tuple[QuerySet[Video], bool]:
        """Find captions by words through the index; an @handle finds an author's."""
        typed = search_term.strip()
        if not typed:
            return queryset, False
        if typed.startswith("@"):
            return queryset.filter(author__handle=typed[1:].lower()), False
        return queryset.filter(found(typed)), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Videos come through the upload."""
        return False

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> HttpResponse:
        """Nothing is typed in here, so there is nothing to save."""
        context |= {"show_save": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **options)

    def save_model(self, request: HttpRequest, obj: Video, form: Any, change: bool) -> None:
        """Nor to write: a form that is sent all the same must not take counts back."""

    def acts_for(self, obj: Video) -> list[Act]:
        """Try again, hide, show, warn."""
        may = "videos.change_video"
        acts = []
        waits = obj.status in (Status.FAILED, Status.STORED, Status.PROCESSING)
        if waits and obj.reason_code != MEDIA_MISSING:
            acts.append(Act("retry", "Process again", may, _retry))
        if obj.hidden_at is None:
            acts.append(Act("hide", "Hide", may, _hide, is_dangerous=True, form=ReasonForm))
        else:
            acts.append(Act("show", "Show again", may, _show))
        acts.append(Act("warn", "Warn the author", "accounts.change_user", _warn, form=ReasonForm))
        return acts

    def links_for(self, obj: Video) -> list[Link]:
        """Its author and its comments."""
        comments = reverse("admin:videos_comment_changelist")
        return [
            Link("Author", reverse("admin:accounts_user_change", args=[obj.author_id])),
            Link("Comments", f"{comments}?video__id__exact={obj.pk}"),
        ]

    def delete_model(self, request: HttpRequest, obj: Video) -> None:
        """Delete with files and counters."""
        moderation.remove_video(obj.pk, cast(User, request.user), why_of(request))

    @admin.action(description="Hide from everybody but the author", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Hide videos and close their reports."""
        by = cast(User, request.user)
        try:
            why = why_of(request)
        except DomainError as error:
            messages.error(request, error.message)
            return
        hidden = [video for video in queryset if moderation.hide_video(video.pk, by, why)]
        self._tell(request, hidden, "Hidden.")

    @admin.action(description="Show again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Show what was hidden."""
        by = cast(User, request.user)
        visible = [video for video in queryset if moderation.show_video(video.pk, by)]
        self._tell(request, visible, "Shown again.")

    @admin.action(description="Process again", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Video]) -> None:
        """Process failed videos again; what cannot be retried is left out."""
        retried = []
        for video in queryset:
            try:
                moderation.retry_video(video.pk, cast(User, request.user))
            except DomainError:
                continue
            retried.append(video)
        self._tell(request, retried, "Processed again.")

    def _tell(self, request: HttpRequest, done: list[Video], what: str) -> None:
        for video in done:
            self.log_change(request, video, what)
        messages.success(request, f"{what} {len(done)} videos.")

    @admin.display(description="clip")
    def picture(self, video: Video) -> SafeString | str:
        """The poster, small."""
        return shown.picture(video)

    @admin.display(description="player")
    def player(self, video: Video) -> SafeString | str:
        """The clip, playable."""
        return shown.player(video)

    @admin.display(description="caption")
    def excerpt(self, video: Video) -> str:
        """The beginning of the caption."""
        return shown.excerpt(video.caption)

    @admin.display(boolean=True, description="hidden")
    def is_hidden(self, video: Video) -> bool:
        """Hidden by a moderator."""
        return video.hidden_at is not None

    @admin.display(ordering="likes_count")
    def likes(self, video: Video) -> int:
        """A short heading: the table is wide."""
        return video.likes_count

    @admin.display(ordering="comments_count")
    def comments(self, video: Video) -> int:
        """The same."""
        return video.comments_count

    @admin.display(ordering="views_count")
    def views(self, video: Video) -> int:
        """The same."""
        return video.views_count

    @admin.display(description="watched, seconds")
    def watched(self, video: Video) -> int:
        """In all, by everybody."""
        return round(video.watch_seconds)

    @admin.display(ordering="reported", description="reports")
    def open_reports(self, video: Video) -> int:
        """How many reports wait."""
        count: int = video.reported  # type: ignore[attr-defined]
        return count

    @admin.display(description="reports")
    def reports(self, video: Video) -> SafeString | str:
        """How many of each reason, open ones apart."""
        rows = (
            Report.objects.filter(video=video)
            .order_by("reason")
            .values_list("reason")
            .annotate(total=Count("pk"), waiting=Count("pk", filter=Q(resolved_at=None)))
        )
        names = dict(Reason.choices)
        listing = reverse("admin:videos_report_changelist")
        return (
            format_html_join(
                ", ",
                '<a href="{}?video__id__exact={}&amp;reason__exact={}">{}: {}</a>, {} open',
                (
                    (listing, video.pk, reason, names.get(reason, reason), total, waiting)
                    for reason, total, waiting in rows
                ),
            )
            or "none"
        )

    @admin.display(description="jobs")
    def jobs(self, video: Video) -> SafeString | str:
        """The latest jobs about it; finished ones are forgotten after some days."""
        jobs = ProcrastinateJob.objects.filter(lock=f"video-{video.pk}").order_by("-id")
        return (
            format_html_join(
                SafeString("<br>"),
                '<a href="{}">{} {}</a> {}',
                (
                    (
                        reverse("admin:procrastinate_procrastinatejob_change", args=[job.pk]),
                        job.pk,
                        job.task_name.rpartition(".")[2],
                        job.status,
                    )
                    for job in jobs[:JOBS_SHOWN]
                ),
            )
            or "none"
        )


def _hide(request: HttpRequest, video: Video) -> str:
    moderation.hide_video(video.pk, cast(User, request.user), why_of(request))
    return "Hidden."


def _warn(request: HttpRequest, video: Video) -> str:
    moderation.warn_author(video.pk, cast(User, request.user), why_of(request))
    return "Author warned."


def _show(request: HttpRequest, video: Video) -> str:
    moderation.show_video(video.pk, cast(User, request.user))
    return "Shown again."


def _retry(request: HttpRequest, video: Video) -> str:
    moderation.retry_video(video.pk, cast(User, request.user))
    return "Processed again."
