"""What a page of the seeded shuffle costs, by size of the table and place of the page.

Each cell is a ratio to fetching 20 videos by primary key, everything measured in turn in
one run, so that what else the machine does weighs on all alike. Ours is what a reader's page
asks of PostgreSQL while cards are kept: the permutation, what is live and may be seen, and the one
more that tells the end; and the same with the rows of its videos, as if no card were kept. The
usual way sorts the table by a hash of id and seed and skips with OFFSET, then fetches the rows. At
the end every fourth video is deleted, and then the slots are compacted.
"""

import os
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

from django.db import connection
from tqdm import tqdm

from accounts.models import User
from feeds.compaction import compact
from feeds.paging import look_ahead
from feeds.seeds import Seed, new_seed
from tests.benchmarks import scratch
from videos.models import Video

PAGE = 20
SKIPS = (0, 1_000, 100_000)
PLOT = Path(__file__).resolve().parents[2] / "docs" / "img" / "page_cost.png"
# Sorting a million rows takes seconds; a few times are enough for a median.
REPEATS_OF_SORTING = 3
OURS, ROWS, SORTING = "this feed", "… with rows", "ORDER BY md5(id, seed) OFFSET"
# Number of videos and `skip`; and what a page costs there, by way of making it.
Cell = tuple[int, int]
Costs = dict[str, float]


def run(sizes: list[int], repeats: int) -> None:
    """Measure, print the table and draw the plot."""
    load = os.getloadavg()[0]
    costs: dict[Cell, Costs] = {}
    steps = (len(sizes) + 2) * len(SKIPS) * (repeats + REPEATS_OF_SORTING)
    with tqdm(total=sizes[-1], desc="rows", unit_scale=True) as rows:
        bar = tqdm(total=steps, desc="measuring")
        for size in sizes:
            for added in scratch.grow_to(size):
                rows.update(added)
            for skip in [skip for skip in SKIPS if skip + PAGE <= size]:
                costs[size, skip] = _cell(size, skip, repeats, bar)
        later = {name: _later(change, sizes[-1], repeats, bar) for name, change in CHANGES.items()}
        bar.close()
    tqdm.write(_table(costs, later, load))
    _draw(costs)


def _later(
    change: Callable[[], object], size: int, repeats: int, bar: "tqdm[None]"
) -> dict[Cell, Costs]:
    """Return the costs of a page after a change of the largest table."""
    change()
    cells = [(size, skip) for skip in SKIPS if skip + PAGE <= size * 3 // 4]
    return {(size, skip): _cell(size, skip, repeats, bar) for size, skip in cells}


def _delete_every_fourth() -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE videos_video SET slot = NULL WHERE slot %% 4 = 0", [])
        cursor.execute("VACUUM (ANALYZE) videos_video")


def _compact() -> None:
    compact(force=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE videos_slotrun")


def _cell(size: int, skip: int, repeats: int, bar: "tqdm[None]") -> Costs:
    """Return what a page costs, in pages by primary key."""
    reader = User.objects.order_by("pk")[0]
    seed = new_seed("all", "shuffle", reader.pk)
    least, most = _ids()
    times: dict[str, list[float]] = defaultdict(list)
    for n in range(repeats + REPEATS_OF_SORTING):
        by_key = random.Random(n).sample(range(least, most + 1), PAGE)
        our_seed = replace(seed, key=seed.key ^ n)
        ways: dict[str, Callable[[], object]] = {
            "key": partial(_fetch, by_key),
            OURS: partial(_our_page, reader, our_seed, skip),
            ROWS: lambda seed=our_seed: _fetch(_our_page(reader, seed, skip)),
        }
        if n < REPEATS_OF_SORTING:
            ways[SORTING] = partial(_sorted_page, n, skip)
        for name, way in ways.items():
            times[name].append(_seconds(way))
        bar.update()
    # The first of each warms caches and plans.
    medians = {name: statistics.median(values[1:]) for name, values in times.items()}
    return {name: median / medians["key"] for name, median in medians.items() if name != "key"}


def _our_page(reader: User, seed: Seed, skip: int) -> list[int]:
    (page,) = look_ahead(reader, seed, skip, PAGE, 1)
    assert len(page.shown) == PAGE
    return [entry.video for entry in page.shown]


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


def _seconds(measured: Callable[[], object]) -> float:
    start = time.perf_counter()
    measured()
    return time.perf_counter() - start


def _table(costs: dict[Cell, Costs], later: dict[str, dict[Cell, Costs]], load: float) -> str:
    lines = [
        "",
        f"Cost of a page of {PAGE}, as a multiple of fetching {PAGE} videos by primary key"
        f" (load before it {load:.1f})",
        f"{'videos':>10} {'skip':>8} {OURS:>12} {ROWS:>12} {SORTING:>30}",
    ]
    for name, cells in {"": costs, **later}.items():
        lines += [
            f"{size:>10,} {skip:>8,} {cost[OURS]:>11.2f}× {cost[ROWS]:>11.2f}×"
            f" {cost[SORTING]:>29,.1f}×  {name}"
            for (size, skip), cost in cells.items()
        ]
    return "\n".join(lines)


def _draw(costs: dict[Cell, Costs]) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    markers = dict(zip(SKIPS, "osD", strict=True))
    for name, color in ((SORTING, "#8a8f98"), (OURS, "#fe2c55")):
        for skip in SKIPS:
            points = [(size, cost[name]) for (size, at), cost in costs.items() if at == skip]
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
