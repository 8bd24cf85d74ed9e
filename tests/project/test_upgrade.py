"""The first release's data under today's code, and both versions at work side by side."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.apps import apps
from django.db import migrations
from django.db.migrations import AddField, CreateModel
from django.db.migrations.loader import MigrationLoader
from django.db.models import NOT_PROVIDED

from tests.project.backups import ROOT, Site, new_site

# The last migrations of the first release.
FIRST = {
    "accounts": "0001_initial",
    "videos": "0001_initial",
    "feeds": "0002_demo_clips",
    "common": "0002_first_signing_epoch",
}
# What the version before would trip over while it still runs.
BREAKING = (
    migrations.RemoveField,
    migrations.RenameField,
    migrations.DeleteModel,
    migrations.RenameModel,
    migrations.AlterModelTable,
)

PRELUDE = """
import django, json, sys
django.setup()
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
FIRST = list(json.loads(sys.argv[1]).items())
executor = MigrationExecutor(connection)
"""
# Fills a database of the first release, by its own models.
FILL = (
    PRELUDE
    + """
ours = {app for app, _ in FIRST}
others = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in ours]
executor.migrate(FIRST + others)
"""
)
WRITE = """
models = executor.loader.project_state(FIRST).apps
def make(app, model, **fields):
    return models.get_model(app, model).objects.create(**fields)
from django.utils import timezone
tag = sys.argv[2]
maya = make("accounts", "User", email=f"maya{tag}@example.org", handle=f"maya{tag}", name="Máya")
jonas = make("accounts", "User", email=f"jonas{tag}@example.org", handle=f"jonas{tag}", name="J")
make("accounts", "Follow", follower=jonas, followee=maya)
video = make("videos", "Video", author=maya, caption="Wäves at the Océan", status="ready",
    published_at=timezone.now(), width=720, height=1280, duration=8.0)
hashtag = make("videos", "Hashtag", name=f"océan{tag}", videos_count=1)
make("videos", "VideoHashtag", video=video, hashtag=hashtag)
comment = make("videos", "Comment", video=video, author=jonas, text="Lovely")
make("videos", "CommentLike", user=maya, comment=comment)
for name in ("Like", "Save", "Share"):
    make("videos", name, user=jonas, video=video)
make("videos", "Report", user=jonas, video=video, reason="spam")
make("videos", "Tombstone", name="videos/gone")
make("feeds", "Impression", user=jonas, video=video, seconds=9, times=3)
"""
READ = """
for name, model in models.all_models.items():
    for one in model.values():
        if one._meta.managed and name in dict(FIRST):
            list(one.objects.all())
print("read")
"""
# Looks at it with today's code.
LOOK = (
    PRELUDE
    + """
from django.test import Client
from accounts.models import User
from feeds.models import Impression
from videos.models import Video
client = Client()
video = Video.objects.get()
answer = client.get(f"/videos/{video.pk}").json()
print(json.dumps({
    "caption": answer["caption"],
    "author": answer["author"]["name"],
    "comments": len(client.get(f"/videos/{video.pk}/comments").json()["results"]),
    "found": len(client.get("/videos?q=ocean").json()["results"]),
    "people": [User.objects.get(handle="maya").search_text],
    "watched": [(row.seconds, row.times) for row in Impression.objects.all()],
    "explore": client.get("/explore").status_code,
}))
"""
)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with new_site(tmp_path / "site") as made:
        yield made


def run(site: Site, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps(FIRST), *arguments],
        cwd=ROOT,
        env=site.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_data_of_the_first_release_is_migrated_and_shown_and_both_may_write(site: Site) -> None:
    run(site, FILL + WRITE, "")
    site.manage("migrate", "--verbosity", "0")
    assert site.manage("migrate", "--check") == ""
    assert json.loads(run(site, LOOK)) == {
        "caption": "Wäves at the Océan",
        "author": "Máya",
        "comments": 1,
        "found": 1,
        "people": ["maya maya"],
        "watched": [[9.0, 3]],
        "explore": 200,
    }
    # While the new version is being started, the one before goes on …
    assert run(site, PRELUDE + WRITE + READ, "2") == "read\n"
    assert site.ask("SELECT count(*) FROM videos_comment") == [(2,)]
    # … and the new one reads what it wrote.
    latest = json.loads(run(site, LOOK.replace("Video.objects.get()", "Video.objects.last()")))
    assert latest["comments"] == 1


def test_columns_are_added_with_defaults_in_the_database() -> None:
    """From the moment on at which they are there, the version before inserts without them."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {app.label for app in apps.get_app_configs()} & set(FIRST)
    later = [
        migration
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in ours and name > FIRST[app]
    ]
    operations = [(one.app_label, operation) for one in later for operation in one.operations]
    new = {(app, one.name_lower) for app, one in operations if isinstance(one, CreateModel)}
    for app, one in operations:
        if isinstance(one, AddField) and (app, one.model_name_lower) not in new:
            optional = one.field.null or one.field.db_default is not NOT_PROVIDED
            assert optional, f"{app}: {one.describe()}"


def test_migrations_add_and_take_nothing_away() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    ours = {app.label for app in apps.get_app_configs()} & set(FIRST)
    for (app, name), migration in sorted(loader.disk_migrations.items()):
        if app not in ours or name <= FIRST[app]:
            continue
        for operation in migration.operations:
            assert not isinstance(operation, BREAKING), f"{app}.{name}: {operation.describe()}"
