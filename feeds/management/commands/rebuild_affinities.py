"""Recompute all affinities from what people did: for new weights, and after an upgrade."""

from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from accounts.models import User
from feeds import affinity


class Command(BaseCommand):
    """`manage.py rebuild_affinities`; safe beside running services, and may be run again."""

    help = "Recompute how much each person cares for each video."

    def handle(self, *args: Any, **options: Any) -> None:
        """One person after the other."""
        people = User.objects.order_by("pk").values_list("pk", flat=True)
        total = 0
        for user_id in tqdm(people.iterator(), total=people.count(), file=self.stderr):
            total += affinity.rebuild(user_id)
        self.stdout.write(f"{total} affinities recomputed")
