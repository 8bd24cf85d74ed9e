"""`reset_demo`: empty the demo and fill it in again, with ids that begin at 1."""

from typing import Any

from django.apps import apps
from django.core.cache import cache
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection, transaction

from accounts.avatars import folder_of
from accounts.models import User
from feeds.demo import seeding
from feeds.demo.clips import CLIPS
from feeds.demo.crowd import FANS
from feeds.demo.people import PEOPLE
from feeds.models import DemoClip, Export
from tiktok_clone.common import generation
from tiktok_clone.common.signing import renew_epoch
from tiktok_clone.common.storage import ledger
from videos.models import Tombstone, Video
from videos.publication import bury

APPS = ("accounts", "videos", "feeds", "sessions")


class Command(BaseCommand):
    """Only on a database that holds nothing but the demo; administrators keep their logins."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """`--ready N` is seed_demo's."""
        parser.add_argument("--ready", type=int, default=len(CLIPS))
        parser.add_argument("--empty", action="store_true", help="Do not fill it in again.")

    def handle(self, *args: Any, ready: int, empty: bool, **options: Any) -> None:
        """Check, empty database, store and cache, and start over."""
        check_only_demo()
        administrators = list(User.objects.filter(is_superuser=True))
        with transaction.atomic():
            names = object_names()
            truncate()
            for name in names:
                bury(name)  # for the case that this ends before they are removed below
            renew_epoch()
            generation.renew()
            if not empty:
                seeding.ensure_people()
            for administrator in administrators:
                administrator.pk, administrator.avatar = None, ""
                administrator.invitation = None
                administrator.save(force_insert=True)
        forget_media_and_cache(names)
        self.stdout.write("The demo is empty again.")
        if not empty:
            call_command("seed_demo", ready=ready)


def check_only_demo() -> None:
    """Raise CommandError where there is anything that the demo did not make."""
    known = [*(person.email for person in PEOPLE), *(fan.email for fan in FANS)]
    strangers = User.objects.exclude(email__in=known).exclude(is_superuser=True)
    demo_clips = DemoClip.objects.filter(video__isnull=False).values("video")
    foreign = Video.objects.exclude(pk__in=demo_clips)
    if strangers.exists() or foreign.exists():
        raise CommandError(
            f"This database holds more than the demo: {strangers.count()} other people and "
            f"{foreign.count()} other videos. Nothing was changed. To start over, use another "
            "database or another DATA_DIR."
        )


def truncate() -> None:
    """Empty the tables of our apps and restart their ids."""
    models = [m for label in APPS for m in apps.get_app_config(label).get_models(True)]
    tables = sorted({model._meta.db_table for model in models if model._meta.db_table})
    names = ", ".join(connection.ops.quote_name(table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        # Truncated, these would deadlock with a worker that looks for its next job. What it is
        # doing now it may finish: it finds no row.
        cursor.execute("DELETE FROM procrastinate_jobs WHERE status <> 'doing'")


def object_names() -> list[str]:
    """Names and prefixes of everything that the rows say is in the store."""
    folders = [video.folder for video in Video.objects.only("store", "uuid")]
    avatars = map(folder_of, User.objects.exclude(avatar="").values_list("avatar", flat=True))
    waiting = Tombstone.objects.values_list("name", flat=True)
    exports = Export.objects.exclude(name="").values_list("name", flat=True)
    return [*folders, *avatars, *waiting, *exports]


def forget_media_and_cache(names: list[str]) -> None:
    """Remove objects from the store, and our own keys from Redis."""
    for name in names:
        ledger.empty(name)
    delete_pattern = getattr(cache, "delete_pattern", None)
    if delete_pattern is not None:
        delete_pattern("*")
    else:
        cache.clear()
