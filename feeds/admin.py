"""What was watched, what is exported, and where feeds come from, in the administration; to read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html

from accounts.models import User
from feeds import timeline, tracing
from feeds.models import WATCHED, CacheReads, Export, Impression, ModelRun
from feeds.recommender import quality
from feeds.recommender.drawing import table_of
from feeds.recommender.evaluation import Row
from feeds.recommender.model import Parameters
from tiktok_clone.common import dashboard
from tiktok_clone.common.administration import Link, ReadOnly
from tiktok_clone.common.dashboard import Chart, Figures, Line
from videos.admin import shown
from videos.admin.people import PostingPersonAdmin


@admin.register(Impression)
class ImpressionAdmin(ReadOnly, admin.ModelAdmin):
    """Who was shown what."""

    list_display = ("user", "video", "times", "seconds", "completed", "last_at")
    search_fields = ("=user__handle", "=video__id")
    search_help_text = "A handle, or the id of a video"
    list_select_related = ("user", "video")
    ordering = ("-last_at",)
    show_full_result_count = False
    change_list_template = "admin/feeds/impression/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """The page that shows where somebody's feeds come from."""
        view = self.admin_site.admin_view(self.trace_view)
        return [path("trace/", view, name="feeds_trace"), *super().get_urls()]

    def trace_view(self, request: HttpRequest) -> HttpResponse:
        """Show what each mode would serve a person, and where each piece comes from."""
        if not request.user.has_perms(["feeds.view_impression", "accounts.view_user"]):
            raise PermissionDenied
        form = ReaderForm(request.GET or None)
        reader = form.cleaned_data["reader"] if form.is_bound and form.is_valid() else None
        trace = tracing.trace(reader) if reader else None
        context = {
            **self.admin_site.each_context(request),
            "title": "Where feeds come from",
            "opts": self.opts,
            "form": form,
            "reader": reader,
            "trace": trace,
            "feeds": _with_pictures(trace) if trace else [],
            "limits": {"timeline": timeline.CAP, "outbox": timeline.OUTBOX_CAP},
        }
        return TemplateResponse(request, "admin/feeds/impression/trace.html", context)


def _with_pictures(trace: tracing.Trace) -> list[tuple[tracing.Feed, list[Any]]]:
    return [
        (feed, [(piece, shown.picture(piece.video)) for piece in feed.pieces])
        for feed in trace.feeds
    ]


class ReaderForm(forms.Form):
    """Whose feeds: a handle, or an address."""

    reader = forms.CharField(
        label="Person", max_length=254, widget=forms.TextInput({"placeholder": "@handle or e-mail"})
    )

    def clean_reader(self) -> User:
        """Find the person."""
        typed = self.cleaned_data["reader"].strip()
        field = "email__iexact" if "@" in typed[1:] else "handle__iexact"
        found = User.objects.active().filter(**{field: typed.removeprefix("@")}).first()
        if found is None:
            raise forms.ValidationError("Nobody who is active has this handle or address.")
        return found


@admin.register(Export)
class ExportAdmin(ReadOnly, admin.ModelAdmin):
    """Copies of their data that people asked for; the files are theirs alone."""

    list_display = ("user", "created_at", "ready_at", "failed_at", "size_bytes")
    list_filter = (("failed_at", admin.EmptyFieldListFilter), "created_at")
    search_fields = ("=user__handle",)
    list_select_related = ("user",)
    exclude = ("name",)
    ordering = ("-id",)
    show_full_result_count = False


@admin.register(ModelRun)
class ModelRunAdmin(ReadOnly, admin.ModelAdmin):
    """Trainings of the recommender. Above the list, the way to the charts."""

    change_list_template = "admin/feeds/modelrun/change_list.html"
    list_display = (
        "id",
        "created_at",
        "state",
        "rows",
        "people",
        "items",
        "ndcg",
        "seconds",
        "peak",
    )
    list_filter = ("state", "created_at")
    fields = (
        "state", "reason", "created_at", "finished_at", "rows", "people", "items", "learnt_until",
        "described", "figures", "duel", "seconds", "peak",
    )  # fmt: skip
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False

    def get_urls(self) -> list[URLPattern]:
        """The page with the charts."""
        view = self.admin_site.admin_view(self.quality_view)
        return [path("quality/", view, name="feeds_quality"), *super().get_urls()]

    def quality_view(self, request: HttpRequest) -> HttpResponse:
        """How good the recommender has been."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            **quality.quality(dashboard.read_period(request.GET.get("days"))),
            "title": "Quality of the recommender",
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/feeds/modelrun/quality.html", context)

    @admin.display(description="NDCG@20")
    def ndcg(self, run: ModelRun) -> str:
        """As papers write it."""
        return f"{run.ndcg:.4f}" if run.ndcg is not None else "–"

    @admin.display(description="CPU-seconds", ordering="cpu_seconds")
    def seconds(self, run: ModelRun) -> str:
        """With a tenth."""
        return f"{run.cpu_seconds:.1f}"

    @admin.display(description="memory at most", ordering="peak_bytes")
    def peak(self, run: ModelRun) -> str:
        """With a unit."""
        return filesizeformat(run.peak_bytes)

    @admin.display(description="parameters")
    def described(self, run: ModelRun) -> str:
        """In one line."""
        return Parameters.from_json(run.parameters).describe()

    @admin.display(description="on what was held out")
    def figures(self, run: ModelRun) -> str:
        """The table of `evaluate_recommender`."""
        names = ("popularity", "ours", "new_people", "new_videos")
        rows = [Row.from_json(run.metrics[name]) for name in names if name in run.metrics]
        return format_html("<pre>{}</pre>", table_of(rows)) if rows else "nobody to judge by"

    @admin.display(description="against the one in service")
    def duel(self, run: ModelRun) -> str:
        """NDCG of both."""
        if (duel := run.metrics.get("duel")) is None:
            return "not judged: too few readers, or none in service"
        return "{ours:.4f} against {theirs:.4f} of training {run}, {readers} readers".format(**duel)


admin.site.unregister(User)


@admin.register(User)
class ReadingPersonAdmin(PostingPersonAdmin):
    """People with their feeds: `videos` knows nothing of feeds, so it is added here."""

    def links_for(self, obj: User) -> list[Link]:
        """To where the person's feeds come from."""
        trace = reverse("admin:feeds_trace")
        return [*super().links_for(obj), Link("Feeds", f"{trace}?reader=@{obj.handle}")]


@dashboard.shows("feeds.view_impression", order=30)
def view_figures(since: datetime) -> Figures:
    """How many clips people watched: each person and clip once, on the day of the last watch."""
    by_day = dashboard.per_day(
        Impression.objects.filter(WATCHED, last_at__gte=since),
        "last_at",
        views=Count("pk"),
        viewers=Count("user", distinct=True),
    )
    lines = [Line("Views", by_day["views"]), Line("Viewers", by_day["viewers"], in_total=False)]
    return Figures([Chart("views", "Views", lines)])


@dashboard.shows("feeds.view_modelrun", order=50)
def recommender_figures(since: datetime) -> Figures:
    """Whether there is a model."""
    return Figures(tiles=[quality.tile()])


@dashboard.shows("feeds.view_impression", order=40)
def cache_figures(since: datetime) -> Figures:
    """In how many of a hundred times the caches of the feeds had what was asked for."""
    lines = _shares(
        since,
        {"prepared": "Prepared pages", "timelines": "Timelines", "cards": "Cards"},
        "prepared",
    )
    return Figures([Chart("caches", "Feed pages prepared in time", lines, unit="%")])


@dashboard.shows("feeds.view_impression", order=45)
def source_figures(since: datetime) -> Figures:
    """What brought the places of for-you that were served, in a hundred."""
    lines = _shares(since, SOURCE_LABELS, "explored")
    return Figures([Chart("sources", "Places of for-you that explored", lines, unit="%")])


SOURCE_LABELS = {
    "taste": "Taste",
    "tag": "Hashtags",
    "creator": "Creators",
    "followed": "Followed",
    "popular": "Popular",
    "fresh": "New",
    "explored": "Explored",
    "seen": "Seen before",
}


def _shares(since: datetime, labels: Mapping[str, str], in_total: str) -> list[Line]:
    """Return hits in a hundred by day, a line for each kind; one of them is what is summed up."""
    asked: dict[str, dict[Any, int]] = {}
    had: dict[str, dict[Any, int]] = {}
    for row in CacheReads.objects.filter(day__gte=since.date()):
        totals = asked.setdefault(row.kind, {})
        totals[row.day] = totals.get(row.day, 0) + row.total
        if row.hit:
            had.setdefault(row.kind, {})[row.day] = row.total
    return [
        Line(
            label,
            {
                day: 100 * had.get(kind, {}).get(day, 0) / total
                for day, total in asked.get(kind, {}).items()
            },
            in_total=kind == in_total,
        )
        for kind, label in labels.items()
    ]
