"""Whatever happens to clips, in whatever order: no orphan, and no ready row without its object.

LOOPY_SEQUENCES=1000 plays so many, five in one world at a time and fifty in a test; the first has
the seed LOOPY_SEED.
"""

import os
from collections import Counter
from typing import Any

import pytest

from accounts.models import User
from accounts.services import profiles
from tests.cloudinary import Emulator
from tests.crashing.scene import Scene, check_invariants, snapshot
from tests.crashing.sequences import TOGETHER, Sequence, Trap, stand_in
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import stores
from videos.models import Status, Video

SEQUENCES = int(os.environ.get("LOOPY_SEQUENCES", "5"))
SEED = int(os.environ.get("LOOPY_SEED", "0"))
A_TEST = 50
STEPS = 25


@pytest.mark.parametrize("first", range(SEED, SEED + SEQUENCES, A_TEST))
def test_rows_and_objects_are_in_step_whatever_happens(
    scene: Scene,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    failed_jobs_expected: None,
    first: int,
) -> None:
    stand_in(monkeypatch)
    settings.CLOUDINARY_NOTIFY = "http://testserver"
    settings.QUOTA_VIDEOS_PER_DAY = 0
    settings.CLOUDINARY_CALLS = 10**9  # days pass within an hour of the clock
    trap = Trap(monkeypatch)
    with Emulator(fake=True, chunk_min=1, rate_limit=10**9) as emulator:
        settings.CLOUDINARY_URL = f"{emulator.url}&secure=false"
        outcomes: Counter[str] = Counter()
        for seed in range(first, min(first + A_TEST, SEED + SEQUENCES), TOGETHER):
            bunch = [
                Sequence(each, emulator, trap, settings.CLOUDINARY_URL, scene.folder)
                for each in range(seed, seed + TOGETHER)
            ]
            try:
                outcomes += play(bunch)
            except BaseException as error:
                told = "\n".join(line for sequence in bunch for line in sequence.told)
                raise AssertionError(f"LOOPY_SEED={seed}: {error}\n{told}") from error
            for sequence in bunch:
                outcomes += sequence.outcomes()
    for wanted in ("killed", "ready at the end", "pictures at the end"):
        assert outcomes[wanted], f"nothing was proven: none was {wanted} in {outcomes}"
    print(f"sequences from {first}: {dict(outcomes.most_common())}")  # noqa: T201 - the figure


def play(bunch: list[Sequence]) -> Counter[str]:
    """Play some, and bring everything to an end, and then the accounts as well.

    Returns:
        What there was to check at the end.
    """
    for sequence in bunch:
        sequence.play(STEPS)
    last = bunch[-1]
    last.recover()
    check_invariants()
    for sequence in bunch:
        for original in sequence.announced_originals():
            assert original.etag == sequence.etag, f"{original.name} is not what was announced"
    orphans = {name for sequence in bunch for name in sequence.scene.orphans}
    assert last.kills or not orphans, f"nobody was killed, and the sweep had to help: {orphans}"
    found = Counter(
        {
            "ready at the end": Video.objects.filter(status=Status.READY).count(),
            "pictures at the end": User.objects.exclude(avatar="").count(),
        }
    )
    before = snapshot()
    last.scene.recover(rounds=1)
    assert snapshot() == before, "running everything again changed something"
    for person in User.objects.filter(deleted_at=None):
        profiles.delete_account(person)
    last.scene.recover(rounds=1)
    check_invariants()
    assert not Video.objects.exists()
    left = [found.name for store in stores().values() for found in store.listing()]
    assert (left, list(StoredObject.objects.all())) == ([], []), "something is left of nobody"
    return found
