"""Whatever happens to clips, in whatever order: no orphan, and no ready row without its object.

LOOPY_SEQUENCES=1000 plays so many; the first has the seed LOOPY_SEED.
"""

import os
from collections import Counter
from typing import Any

import pytest

from accounts.services import profiles
from tests.cloudinary import Emulator
from tests.crashing.scene import Scene, check_invariants, snapshot
from tests.crashing.sequences import Sequence, Trap, stand_in
from tiktok_clone.common.models import StoredObject
from tiktok_clone.common.storage import stores
from videos.models import Video

SEQUENCES = int(os.environ.get("LOOPY_SEQUENCES", "40"))
SEED = int(os.environ.get("LOOPY_SEED", "0"))
STEPS = 25


def test_rows_and_objects_are_in_step_whatever_happens(
    scene: Scene,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    failed_jobs_expected: None,
) -> None:
    stand_in(monkeypatch)
    settings.CLOUDINARY_NOTIFY = "http://testserver"
    settings.QUOTA_VIDEOS_PER_DAY = 0
    trap = Trap(monkeypatch)
    with Emulator(fake=True, chunk_min=1, rate_limit=10**9) as emulator:
        settings.CLOUDINARY_URL = f"{emulator.url}&secure=false"
        outcomes: Counter[str] = Counter()
        for seed in range(SEED, SEED + SEQUENCES):
            sequence = Sequence(seed, emulator, trap, settings.CLOUDINARY_URL, scene.folder)
            try:
                play(sequence)
            except BaseException as error:
                told = "\n".join(sequence.told)
                raise AssertionError(f"LOOPY_SEED={seed}: {error}\n{told}") from error
            outcomes += sequence.outcomes()
            outcomes["orphans"] += len(sequence.scene.orphans)
    print(f"{SEQUENCES} sequences: {dict(outcomes.most_common())}")


def play(sequence: Sequence) -> None:
    """Play one, and bring everything to an end, and then the accounts as well."""
    sequence.play(STEPS)
    sequence.recover()
    check_invariants()
    if not sequence.kills:
        assert not sequence.scene.orphans, "nobody was killed, and the sweep had to help"
    before = snapshot()
    sequence.scene.recover(rounds=1)
    assert snapshot() == before, "running everything again changed something"
    for person in sequence.people:
        profiles.delete_account(person)
    sequence.scene.recover(rounds=1)
    check_invariants()
    assert not Video.objects.exists()
    left = [found.name for store in stores().values() for found in store.listing()]
    assert (left, list(StoredObject.objects.all())) == ([], []), "something is left of nobody"
