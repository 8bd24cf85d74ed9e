"""How moderators say why: the fields, where they stand on the pages, and what was entered."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.models import Reason
from accounts.models.moderation import WORDS_MAX
from accounts.services import read_why
from accounts.services.decisions import Why
from tiktok_clone.common.administration import DeletedByService
from tiktok_clone.common.errors import DomainError

CHOICES = [("", "Reason…"), *Reason.choices]


class ReasonForm(forms.Form):
    """A reason, and words for the person; the rules are those of `read_why`."""

    reason = forms.ChoiceField(choices=CHOICES)
    words = forms.CharField(
        label="Words for the person",
        required=False,
        max_length=WORDS_MAX,
        widget=forms.Textarea(attrs={"rows": 2, "placeholder": "What the person is told besides"}),
    )


class ReasonActionForm(ActionForm):
    """The same beside the choice of an action on several rows."""

    reason = forms.ChoiceField(label="Why:", choices=CHOICES, required=False)
    words = forms.CharField(
        label="",
        required=False,
        max_length=WORDS_MAX,
        widget=forms.TextInput(
            attrs={"placeholder": "Words for the person", "aria-label": "Words for the person"}
        ),
    )


def why_of(request: HttpRequest) -> Why:
    """Return what a moderator entered; raises `invalid` with the sentence to show."""
    return read_why(request.POST.get("reason", ""), request.POST.get("words", ""))


class DeletedForReason(DeletedByService, ModelAdmin):
    """Asks why before it deletes, as the person is told."""

    delete_confirmation_template = "admin/delete_for_reason.html"
    delete_selected_confirmation_template = "admin/delete_selected_for_reason.html"

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask once more where the reason is missing."""
        if request.method == "POST" and not self._says_why(request):
            return HttpResponseRedirect(request.get_full_path())
        context = {"reason_form": ReasonForm(), **(extra_context or {})}
        return super().delete_view(request, object_id, context)

    def response_action(
        self, request: HttpRequest, queryset: QuerySet[Any], *args: Any
    ) -> HttpResponse | None:
        """The same for several rows."""
        deletes = request.POST.get("action") == "delete_selected" and "post" in request.POST
        if deletes and not self._says_why(request):
            return HttpResponseRedirect(request.get_full_path())
        response = super().response_action(request, queryset, *args)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["reason_form"] = ReasonForm(initial=request.POST.dict())
        return response

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Delete several; some may be gone with others already."""
        for obj in list(queryset):
            self.delete_model(request, obj)

    def _says_why(self, request: HttpRequest) -> bool:
        try:
            why_of(request)
        except DomainError as error:
            messages.error(request, f"Nothing was deleted. {error.message}")
            return False
        return True
