"""What moderators decided, and the log of what staff did; to read."""

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Decision, ModerationAct
from tiktok_clone.common.administration import ReadOnly

# Pages of what acts are about, by the name of its kind.
PAGES = {
    "user": "admin:accounts_user_change",
    "video": "admin:videos_video_change",
    "appeal": "admin:accounts_appeal_change",
    "invitation": "admin:accounts_invitation_change",
    "text": "admin:common_sitetext_change",
}
GONE = ("video_removed", "account_deleted", "invitation_deleted", "text_deleted")


@admin.register(ModerationAct)
class ModerationActAdmin(ReadOnly, admin.ModelAdmin):
    """Who did what to whom, when and why."""

    list_display = ("created_at", "who", "what", "about", "why", "detail")
    list_filter = ("act", "reason", "target_kind", "created_at")
    search_fields = ("=by_label", "target_label")
    search_help_text = "The @handle of who did it, or part of what it was done to"
    date_hierarchy = "created_at"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = readonly_fields = ("created_at", "who", "what", "about", "why", "detail")

    @admin.display(description="who")
    def who(self, act: ModerationAct) -> SafeString | str:
        """The member of staff, as they were called then."""
        if act.by_id is None:
            return act.by_label
        return _linked(act.by_label, "user", act.by_id)

    @admin.display(description="act", ordering="act")
    def what(self, act: ModerationAct) -> str:
        """In words."""
        return act.get_act_display()

    @admin.display(description="to what")
    def about(self, act: ModerationAct) -> SafeString | str:
        """As it was called then; it may be gone."""
        if act.act in GONE:
            return act.target_label
        return _linked(act.target_label, act.target_kind, act.target_id)

    @admin.display(description="reason", ordering="reason")
    def why(self, act: ModerationAct) -> str:
        """In words."""
        return act.get_reason_display()


@admin.register(Decision)
class DecisionAdmin(ReadOnly, admin.ModelAdmin):
    """What was decided about people, and what became of it."""

    list_display = ("created_at", "person", "kind", "subject", "reason", "by", "state")
    list_filter = ("kind", "reason", ("undone_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("person", "by", "appeal")
    search_fields = ("=person__handle", "=by__handle")
    search_help_text = "The handle of the person, or of who decided"
    ordering = ("-id",)
    list_per_page = 50
    show_full_result_count = False
    fields = readonly_fields = (
        "created_at", "person", "kind", "about", "subject", "reason", "words", "by", "state",
    )  # fmt: skip

    @admin.display(description="about")
    def about(self, decision: Decision) -> SafeString | str:
        """A way to it, as long as it is there."""
        label = f"{decision.target_kind} {decision.target_id}"
        return _linked(label, decision.target_kind, decision.target_id)

    @admin.display(description="state")
    def state(self, decision: Decision) -> SafeString | str:
        """Stands, taken back, or appealed."""
        said = "taken back" if decision.undone_at else "stands"
        appeal = decision.appeal_or_none
        if appeal is None:
            return said
        url = reverse("admin:accounts_appeal_change", args=[appeal.pk])
        return format_html(
            '{}, <a href="{}">appeal {}</a>', said, url, appeal.get_state_display().lower()
        )


def _linked(label: str, kind: str, pk: int) -> SafeString | str:
    page = PAGES.get(kind)
    return format_html('<a href="{}">{}</a>', reverse(page, args=[pk]), label) if page else label
