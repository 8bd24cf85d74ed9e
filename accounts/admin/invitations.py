"""Invitations in the administration: made here, sent to people as links."""

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts import audit
from accounts.audit import Target
from accounts.models import Invitation, StaffAct, User
from tiktok_clone.common.administration import ActsAdmin, Link


class InvitationForm(forms.ModelForm):
    """An invitation; the code is made by itself."""

    def clean_max_uses(self) -> int:
        """Not fewer than were used already."""
        wanted: int = self.cleaned_data["max_uses"]
        least = max(1, self.instance.used_count)
        if wanted < least:
            raise forms.ValidationError(f"At least {least}.", "too_few")
        return wanted


@admin.register(Invitation)
class InvitationAdmin(ActsAdmin):
    """Codes with which people may sign up."""

    form = InvitationForm
    list_display = ("note", "link", "uses", "works", "expires_at", "created_by", "created_at")
    list_display_links = ("note", "uses")
    list_filter = ("created_at", "expires_at")
    list_select_related = ("created_by",)
    search_fields = ("note", "=code")
    ordering = ("-id",)
    fields = ("note", "max_uses", "expires_at", "link", "uses", "created_by", "created_at")
    readonly_fields = ("link", "uses", "created_by", "created_at")

    def links_for(self, obj: Invitation) -> list[Link]:
        """Who came by it."""
        people = reverse("admin:accounts_user_changelist")
        return [Link("Who signed up with it", f"{people}?invitation__id__exact={obj.pk}")]

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """Remember who invites."""
        if not change:
            obj.created_by = cast(User, request.user)
        super().save_model(request, obj, form, change)
        by = cast(User, request.user)
        audit.act(by, StaffAct.INVITATION_SAVED, _target(obj), detail=", ".join(form.changed_data))

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Invitation) -> None:
        """Delete one."""
        target = _target(obj)
        super().delete_model(request, obj)
        audit.act(cast(User, request.user), StaffAct.INVITATION_DELETED, target)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Invitation]) -> None:
        """Delete several."""
        for invitation in list(queryset):
            self.delete_model(request, invitation)

    @admin.display(description="link to send")
    def link(self, invitation: Invitation) -> SafeString | str:
        """The address at which the code is filled in."""
        if invitation.pk is None:
            return "made when you save"
        return format_html('<a class="invitation" href="{0}">{0}</a>', invitation.link)

    @admin.display(description="used")
    def uses(self, invitation: Invitation) -> str:
        """How often, of how often."""
        return f"{invitation.used_count} of {invitation.max_uses}"

    @admin.display(boolean=True)
    def works(self, invitation: Invitation) -> bool:
        """Whether somebody may still sign up with it."""
        expired = invitation.expires_at is not None and invitation.expires_at <= timezone.now()
        return not expired and invitation.used_count < invitation.max_uses


def _target(invitation: Invitation) -> Target:
    return Target("invitation", invitation.pk, invitation.note or f"invitation {invitation.pk}")
