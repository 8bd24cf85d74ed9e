"""`make_invitation`: print a link with which somebody may sign up where that needs one."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts import services


class Command(BaseCommand):
    """`manage.py make_invitation [--uses 5] [--days 14] [--note "the choir"]`."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """How often, how long, and for whom."""
        parser.add_argument("--uses", type=int, default=1, help="How many people may use it.")
        parser.add_argument("--days", type=int, help="It ends after so many days.")
        parser.add_argument("--note", default="", help="For whom, or what for.")

    def handle(self, *args: Any, uses: int, days: int | None, note: str, **options: Any) -> None:
        """Make it and print the link alone, so that a script may take it."""
        if not 1 <= uses <= 1_000_000:
            raise CommandError("--uses is a number from 1 to 1000000.")
        if days is not None and not 1 <= days <= 3650:
            raise CommandError("--days is a number from 1 to 3650.")
        if len(note) > 100:
            raise CommandError("--note has at most 100 characters.")
        if settings.SIGNUP_MODE != "invite":
            self.stderr.write(
                f"SIGN_UP is {settings.SIGNUP_MODE!r}: invitations are not asked for."
            )
        expires_at = timezone.now() + timedelta(days=days) if days is not None else None
        invitation = services.invite(note=note, max_uses=uses, expires_at=expires_at)
        self.stdout.write(invitation.link)
