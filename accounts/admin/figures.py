"""What the dashboard shows of accounts."""

from datetime import datetime

from django.db.models import Count

from accounts.models import User
from tiktok_clone.common import dashboard
from tiktok_clone.common.dashboard import Chart, Figures, Line


@dashboard.shows("accounts.view_user", order=10)
def sign_up_figures(since: datetime) -> Figures:
    """How many accounts were made."""
    by_day = dashboard.per_day(
        User.objects.filter(created_at__gte=since), "created_at", total=Count("pk")
    )
    return Figures([Chart("sign-ups", "Sign-ups", [Line("Accounts", by_day["total"])])])
