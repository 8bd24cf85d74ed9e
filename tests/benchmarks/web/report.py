"""The table of targets and figures, and its plot."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

PLOT = Path(__file__).resolve().parents[3] / "docs" / "img" / "web_targets.png"


@dataclass(frozen=True)
class Row:
    """One target and what was measured.

    `used` is how much of the limit the figure takes (1 is all of it); for a plot. None where
    a figure has no natural share.
    """

    what: str
    target: str
    figure: str
    holds: bool
    used: float | None = None
    load: float = 0.0


def at_most(what: str, figure: float, limit: float, unit: str = "", digits: int = 0) -> Row:
    """A figure that may not exceed its limit."""
    shown, allowed = (f"{value:,.{digits}f}{unit}" for value in (figure, limit))
    used = figure / limit if limit else None
    return Row(what, f"≤ {allowed}" if limit else allowed, shown, figure <= limit, used)


def at_least(what: str, figure: float, limit: float, unit: str = "") -> Row:
    """A figure that may not fall below its limit; the share is of what may be missing."""
    best = 100.0
    used = (best - figure) / (best - limit) if limit < best else float(figure < best)
    return Row(what, f"≥ {limit:.0f}{unit}", f"{figure:.0f}{unit}", figure >= limit, used)


def none_of(what: str, found: list[str], checked: str) -> Row:
    """Something of which there may be none; `checked` says what was looked at."""
    return Row(what, "0", f"{len(found)} ({checked})", not found, float(bool(found)))


def with_load(rows: list[Row]) -> list[Row]:
    """The rows with the machine's load of the last minute."""
    load = os.getloadavg()[0]
    return [Row(**{**vars(row), "load": load}) for row in rows]


def table(rows: list[Row]) -> str:
    """The rows as lines to read; what falls short is marked."""
    wide = max(len(row.what) for row in rows)
    middle = max(len(row.target) for row in rows)
    right = max(len(row.figure) for row in rows)
    head = f"{'':2}{'what':<{wide}}  {'target':<{middle}}  {'figure':<{right}}  load"
    lines = [head, "-" * len(head)]
    lines += [
        f"{'  ' if row.holds else '✗ '}{row.what:<{wide}}  {row.target:<{middle}}"
        f"  {row.figure:<{right}}  {row.load:.1f}"
        for row in rows
    ]
    short = sum(not row.holds for row in rows)
    lines.append(f"{len(rows) - short} of {len(rows)} targets hold; {time.strftime('%Y-%m-%d')}.")
    return "\n".join(lines)


def draw(rows: list[Row], path: Path = PLOT) -> None:
    """Bars: how much of each limit is used."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    shown = [row for row in rows if row.used is not None][::-1]
    figure, axes = plt.subplots(figsize=(9, 0.32 * len(shown) + 1), layout="constrained")
    colors = ["#2a9d6f" if row.holds else "#fe2c55" for row in shown]
    shares = [min(row.used or 0, 1.5) for row in shown]
    axes.barh([row.what for row in shown], shares, color=colors)
    for place, row in enumerate(shown):
        text = f"{row.figure}  (target {row.target})"
        axes.text(max(shares[place], 0) + 0.01, place, text, va="center", fontsize=7)
    axes.axvline(1, color="black", linewidth=0.8, linestyle=":")
    axes.set(xlim=(0, 1.9), xlabel="share of the limit that is used")
    axes.tick_params(axis="y", labelsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
