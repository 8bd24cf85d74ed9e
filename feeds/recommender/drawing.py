"""Tables and plots of how good models are."""

from collections.abc import Sequence
from pathlib import Path

from feeds.recommender.evaluation import LENGTHS, Row
from tiktok_clone.common.errors import DomainError


def table_of(rows: Sequence[Row]) -> str:
    """Return a table for a terminal, one line for each row."""
    width = max(len(row.name) for row in rows)
    heads = [f"{metric}@{n}" for metric in ("Recall", "NDCG", "Hit") for n in LENGTHS]
    columns = [f"{head:>9}" for head in [*heads, "Coverage", "Gini", "Top 10%"]]
    lines = [" ".join([f"{'':{width}} {'people':>8}", *columns])]
    for row in rows:
        values = [measured[n] for measured in (row.recall, row.ndcg, row.hit) for n in LENGTHS]
        cells = [f"{row.name:{width}} {row.readers:>8,}", *(f"{value:>9.4f}" for value in values)]
        whole = [row.coverage, row.gini, row.top_share]
        cells += [f"{value:>9.3f}" for value in whole if value is not None]
        lines.append(" ".join(cells))
    return "\n".join(lines)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Draw recall and NDCG at 20 as bars, a colour for each model; needs matplotlib.

    Raises:
        DomainError: `no_matplotlib`.
    """
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as error:
        message = "A plot needs matplotlib: install it, or leave --plot out."
        raise DomainError("no_matplotlib", message) from error
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, panels = plt.subplots(
        1, 2, figsize=(9, 1.2 + 0.36 * len(rows)), layout="constrained", sharey=True
    )
    names = [row.name for row in rows]
    for panel, metric in zip(panels, ("recall", "ndcg"), strict=True):
        values = [getattr(row, metric)[20] for row in rows]
        colors = ["#8a8f98" if "ours" not in name else "#fe2c55" for name in names]
        bars = panel.barh(range(len(rows)), values, color=colors)
        panel.bar_label(bars, fmt="%.4f", padding=3, fontsize=8)
        panel.set(title="Recall@20" if metric == "recall" else "NDCG@20", xmargin=0.15)
        panel.set_yticks(range(len(rows)), names)
    panels[0].invert_yaxis()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)
    plt.close(figure)
