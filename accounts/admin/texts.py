"""The terms and the privacy policy: who changed them is in the log of acts.

The texts belong to no app, and what belongs to none knows no log; so it is added here.
"""

from typing import Any, cast

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts import audit
from accounts.audit import Target
from accounts.models import StaffAct, User
from tiktok_clone.common.admin import SiteTextAdmin
from tiktok_clone.common.models import SiteText

admin.site.unregister(SiteText)


@admin.register(SiteText)
class LoggedTextAdmin(SiteTextAdmin):
    """Texts whose changes are logged."""

    def save_model(self, request: HttpRequest, obj: SiteText, form: Any, change: bool) -> None:
        """Save it, and who did."""
        super().save_model(request, obj, form, change)
        by = cast(User, request.user)
        audit.act(by, StaffAct.TEXT_SAVED, _target(obj), detail=", ".join(form.changed_data))

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: SiteText) -> None:
        """Go back to the text that comes with the product."""
        target = _target(obj)
        super().delete_model(request, obj)
        audit.act(cast(User, request.user), StaffAct.TEXT_DELETED, target)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SiteText]) -> None:
        """The same for several."""
        for text in list(queryset):
            self.delete_model(request, text)


def _target(text: SiteText) -> Target:
    return Target("text", text.pk, text.slug)
