"""What a page of the seeded shuffle costs, by size of the table and place of the page.

Each cell is a ratio to fetching 20 videos by primary key, everything measured in turn in
one run, so that what else the machine does weighs on all alike. Ours is the whole way to
a page of rows: the permutation, what is live, and the one more that tells the end. The
usual way sorts the table by a hash of id and seed and skips with OFFSET. At the end every
fourth video is deleted, and then the slots are compacted.
"""

import random
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from django.db import connection
from tqdm import tqdm

from feeds.compaction import compact
from feeds.modes import MODES
from feeds.paging import LiveShare, Scan, rows_of
from feeds.seeds import NOBODY, Seed, new_seed
from tests.benchmarks import scratch
from videos.models import Video

PAGE = 20
SKIPS = (0, 1_000, 100_000)
PLOT = Path(__file__).resolve().parents[2] / "docs" / "img" / "page_cost.png"
# Sorting a million rows takes seconds; a few times are enough for a median.
REPEATS_OF_SORTING = 3
Cell = tuple[int, int]


def run(sizes: list[int], repeats: int) -> None:
    """Measure, print the table and draw the plot."""
    ours: dict[Cell, float] = {}
    sorting: dict[Cell, float] = {}
    steps = (len(sizes) + 2) * len(SKIPS) * (repeats + REPEATS_OF_SORTING)
    with tqdm(total=sizes[-1], desc="rows", unit_scale=True) as rows:
        bar = tqdm(total=steps, desc="measuring")
        for size in sizes:
            for added in scratch.grow_to(size):
                rows.update(added)
            for skip in [skip for skip in SKIPS if skip + PAGE <= size]:
                ours[size, skip], sorting[size, skip] = _cell(size, skip, repeats, bar)
        later = {name: _later(change, sizes[-1], repeats, bar) for name, change in CHANGES.items()}
        bar.close()
    tqdm.write(_table(ours, sorting, later))
    _draw(ours, sorting)


def _later(
    change: Callable[[], object], size: int, repeats: int, bar: "tqdm[None]"
) -> dict[Cell, float]:
    """Return the costs of our page after a change of the largest table."""
    change()
    cells = [(size, skip) for skip in SKIPS if skip + PAGE <= size * 3 // 4]
    return {(size, skip): _cell(size, skip, repeats, bar)[0] for size, skip in cells}


def _delete_every_fourth() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE videos_video SET slot = NULL WHERE slot %% 4 = 0", [])
        cursor.execute("VACUUM (ANALYZE) videos_video")


def _compact() -> None:
    compact(force=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE videos_slotrun")


def _cell(size: int, skip: int, repeats: int, bar: "tqdm[None]") -> tuple[float, float]:
    """Return the costs of our page and of sorting, in pages by primary key."""
    seed = new_seed("all", "shuffle", NOBODY)
    least, most = _ids()
    times: dict[str, list[float]] = {"key": [], "ours": [], "sorting": []}
    for n in range(repeats + REPEATS_OF_SORTING):
        chance = random.Random(n)
        by_key = chance.sample(range(least, most + 1), PAGE)
        times["key"].append(_seconds(lambda by_key=by_key: _fetch(by_key)))
        times["ours"].append(_seconds(lambda n=n: _our_page(replace(seed, key=seed.key ^ n), skip)))
        if n < REPEATS_OF_SORTING:
            times["sorting"].append(_seconds(lambda n=n: _sorted_page(n, skip)))
        bar.update()
    # The first of each warms caches and plans.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    return medians["ours"] / medians["key"], medians["sorting"] / medians["key"]


def _our_page(seed: Seed, skip: int) -> None:
    mode = MODES["all"]["shuffle"]
    scan: Scan[Video] = Scan(
        mode.source(seed, skip),
        lambda names: rows_of(mode, None, names),
        mode.place_at(None, seed, skip) if skip else None,
        LiveShare(),
    )
    scan.top_up(PAGE + 1)
    assert len(scan.found) >= PAGE


def _fetch(ids: list[int]) -> None:
    videos = Video.objects.filter(pk__in=ids).select_related("author")
    assert len(videos) == PAGE


def _sorted_page(seed: int, skip: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM videos_video ORDER BY md5(id::text || %s) LIMIT %s OFFSET %s",
            [str(seed), PAGE, skip],
        )
        _fetch([row[0] for row in cursor.fetchall()])


CHANGES: dict[str, Callable[[], object]] = {
    "every fourth deleted": _delete_every_fourth,
    "… and compacted": _compact,
}


def _ids() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id), max(id) FROM videos_video")
        least, most = cursor.fetchone()
    return least, most


def _seconds(measured: Callable[[], None]) -> float:
    start = time.perf_counter()
    measured()
    return time.perf_counter() - start


def _table(
    ours: dict[Cell, float], sorting: dict[Cell, float], later: dict[str, dict[Cell, float]]
) -> str:
    lines = [
        "",
        f"Cost of a page of {PAGE}, as a multiple of fetching {PAGE} videos by primary key",
        f"{'videos':>10} {'skip':>8} {'this feed':>10} {'ORDER BY md5(id, seed) OFFSET':>30}",
    ]
    lines += [
        f"{size:>10,} {skip:>8,} {cost:>9.1f}× {sorting[size, skip]:>29,.1f}×"
        for (size, skip), cost in ours.items()
    ]
    lines += [
        f"{size:>10,} {skip:>8,} {cost:>9.1f}×  {name}"
        for name, costs in later.items()
        for (size, skip), cost in costs.items()
    ]
    return "\n".join(lines)


def _draw(ours: dict[Cell, float], sorting: dict[Cell, float]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    markers = dict(zip(SKIPS, "osD", strict=True))
    for name, costs, color in (
        ("ORDER BY md5(id, seed) OFFSET", sorting, "#8a8f98"),
        ("this feed", ours, "#fe2c55"),
    ):
        for skip in SKIPS:
            points = [(size, cost) for (size, at), cost in costs.items() if at == skip]
            xs, ys = zip(*points, strict=True) if points else ((), ())
            axes.plot(xs, ys, marker=markers[skip], color=color, label=f"{name}, skip {skip:,}")
    axes.set(xscale="log", yscale="log", xlabel="videos")
    axes.set_ylabel(f"cost of a page, in {PAGE} rows by primary key")
    axes.axhline(1, color="black", linewidth=0.6, linestyle=":")
    axes.legend(fontsize=8)
    axes.grid(alpha=0.25)
    PLOT.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(PLOT, dpi=130)
    tqdm.write(f"Drawn: {PLOT.relative_to(Path.cwd())}" if PLOT.is_relative_to(Path.cwd()) else "")
