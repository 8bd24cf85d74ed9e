"""A filled site to back up, and an empty one to restore into."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from accounts.models import User
from tests.conftest import RunJobs
from tests.factories import UserFactory
from tests.project.backups import Site, new_site
from tests.videos.clips import clip
from tiktok_clone.common.storage import local_store
from videos.models import Status, Video
from videos.services.comments import add_comment
from videos.services.engagement import like_video
from videos.services.publishing import create_video


@pytest.fixture(autouse=True)
def _empty_store(transactional_db: None) -> None:
    """No objects of other tests."""
    for name in list(local_store().names()):
        if not name.startswith("incoming/"):
            local_store().delete_prefix(name)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Site]:
    with new_site(tmp_path / "second") as site:
        yield site


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return tmp_path / "backups" / "site.tar"


@pytest.fixture
def video(run_jobs: RunJobs) -> Video:
    """A ready clip with a comment and a like, of somebody who is signed in."""
    author, fan = UserFactory(handle="maya"), UserFactory(handle="jonas")
    made = create_video(author, clip("180x320", 1.0), "Waves #ocean", "public")
    run_jobs()
    add_comment(fan, made.pk, "Lovely!")
    like_video(fan, made.pk)
    made.refresh_from_db()
    assert made.status == Status.READY
    return made


@pytest.fixture
def stored(user: User) -> Video:
    """A clip that is not prepared yet."""
    return create_video(user, clip("180x320", 1.0), "Waves #ocean", "public")
