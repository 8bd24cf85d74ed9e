"""Appeals in the administration: a queue of those that wait, and the list of all."""

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST

from accounts.models import Appeal, DecisionKind, User
from tiktok_clone.common.administration import ReadOnly
from tiktok_clone.common.errors import DomainError
from videos.admin import shown
from videos.models import Video
from videos.services import appeals

APPEALS_A_PAGE = 20
# What reversing needs besides the right to answer appeals.
NEEDED = {
    DecisionKind.HIDDEN: "videos.change_video",
    DecisionKind.SUSPENDED: "accounts.change_user",
}


@admin.register(Appeal)
class AppealAdmin(ReadOnly, admin.ModelAdmin):
    """The queue is where appeals are answered; the list tells what became of each."""

    change_list_template = "admin/accounts/appeal/list.html"
    list_display = ("id", "person", "about", "state", "created_at", "answered_by", "answered_at")
    list_filter = ("state", "decision__kind", "created_at")
    list_select_related = ("decision__person", "answered_by")
    search_fields = ("=decision__person__handle", "text")
    search_help_text = "The handle of who appealed, or part of the text"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = readonly_fields = (
        "decision", "text", "created_at", "state", "answer", "answered_by", "answered_at",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        """The queue, and where its answers go."""
        view = self.admin_site.admin_view
        answer = view(require_POST(self.answer_view))
        return [
            path("queue/", view(self.queue_view), name="accounts_appeal_queue"),
            path("queue/<int:appeal_id>/", answer, name="accounts_appeal_answer"),
            *super().get_urls(),
        ]

    def queue_view(self, request: HttpRequest) -> HttpResponse:
        """Appeals that wait, the oldest first."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        page: Page[Appeal] = Paginator(_waiting(), APPEALS_A_PAGE).get_page(request.GET.get("page"))
        context = {
            **self.admin_site.each_context(request),
            "title": "Appeals queue",
            "opts": self.opts,
            "page": page,
            "entries": [
                {**entry, "may": self._may(request, entry["appeal"], Appeal.State.REVERSED)}
                for entry in _entries(page)
            ],
            "may_answer": request.user.has_perm("accounts.change_appeal"),
        }
        return TemplateResponse(request, "admin/accounts/appeal/queue.html", context)

    def answer_view(self, request: HttpRequest, appeal_id: int) -> HttpResponse:
        """Uphold the decision, or reverse it."""
        state = request.POST.get("state", "")
        appeal = Appeal.objects.filter(pk=appeal_id).select_related("decision").first()
        if appeal is None or state not in appeals.ANSWERS:
            raise Http404
        if not self._may(request, appeal, state):
            raise PermissionDenied
        by, answer = cast(User, request.user), request.POST.get("answer", "")
        try:
            answered = appeals.answer_appeal(appeal_id, state, answer, by)
        except DomainError as error:
            messages.error(request, error.message)
        else:
            label = answered.get_state_display()
            self.log_change(request, answered, f"{label}.")
            messages.success(request, f"{label}: {answered.decision}.")
        queue = reverse("admin:accounts_appeal_queue")
        return HttpResponseRedirect(f"{queue}?page={request.POST.get('page', '1')[:6]}")

    def _may(self, request: HttpRequest, appeal: Appeal, state: str) -> bool:
        needed = ["accounts.change_appeal"]
        kind = DecisionKind(appeal.decision.kind)
        if state == Appeal.State.REVERSED and kind in NEEDED:
            needed.append(NEEDED[kind])
        return request.user.has_perms(needed)

    @admin.display(description="person", ordering="decision__person")
    def person(self, appeal: Appeal) -> str:
        """Who appeals."""
        return str(appeal.decision.person)

    @admin.display(description="decision", ordering="decision")
    def about(self, appeal: Appeal) -> str:
        """What was decided."""
        return str(appeal.decision)


def _waiting() -> "QuerySet[Appeal]":
    waiting = Appeal.objects.filter(state=Appeal.State.WAITING)
    return waiting.select_related("decision__person", "decision__by").order_by("pk")


def _entries(page: "Page[Appeal]") -> list[dict[str, Any]]:
    """What the queue shows of each, in a number of queries that does not grow."""
    waiting = list(page)
    ids = [one.decision.target_id for one in waiting if one.decision.target_kind == "video"]
    videos = Video.objects.prefetch_related("renditions").in_bulk(ids)
    entries = []
    for one in waiting:
        about_clip = one.decision.target_kind == "video"
        video = videos.get(one.decision.target_id) if about_clip else None
        entries.append({"appeal": one, "player": shown.player(video) if video else None})
    return entries
