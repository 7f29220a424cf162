"""The picture of the report: what a delivery costs each server, as an SVG that is legible on light and on dark."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from io import StringIO
from typing import Any, Final

from harness.errors import MissingError
from harness.peers import BESEDKA
from harness.tables import Table

INK: Final = "#7d8590"
"""Grey with a contrast of four and more on white and on GitHub's dark background."""

OURS: Final = "#2f9e6e"
OTHERS: Final = "#8fa3bf"


def plot(tables: Sequence[Table]) -> str:
    """The SVG.

    Raises:
        MissingError: if there is no matplotlib.
    """
    try:
        # Installed by `make bench` only.
        matplotlib: Any = import_module("matplotlib")
        figure_of: Any = import_module("matplotlib.figure").Figure
    except ModuleNotFoundError:
        raise MissingError("matplotlib is not installed (pip install -r requirements/bench.txt)") from None
    style = {
        "svg.fonttype": "none",  # text stays text
        "svg.hashsalt": "besedka",  # the same figures give the same file
        "font.family": "sans-serif",
        "font.sans-serif": ["Helvetica", "Arial", "DejaVu Sans"],
        "font.size": 11,
        "text.color": INK,
        "xtick.color": INK,
        "ytick.color": INK,
    }
    with matplotlib.rc_context(style):
        figure = figure_of(figsize=(9.6, 3.9), layout="constrained")
        figure.suptitle(
            "Server CPU for one delivery to one of 500 readers, µs — less is better\n", fontsize=13
        )
        figure.get_layout_engine().set(wspace=0.08)
        axes = figure.subplots(1, len(tables), squeeze=False)[0]
        for one, table in zip(axes, tables, strict=True):
            _bars(one, table)
        picture = StringIO()
        figure.savefig(picture, format="svg", transparent=True, metadata={"Date": None})
    return "\n".join(line.rstrip() for line in picture.getvalue().splitlines()) + "\n"


def _bars(axes: Any, table: Table) -> None:
    shown = sorted(table.bars, key=lambda bar: bar[1], reverse=True)
    values = [value for _, value in shown]
    colours = [OURS if name == BESEDKA.name else OTHERS for name, _ in shown]
    bars = axes.barh(
        [name for name, _ in shown], values, color=colours, edgecolor=colours, height=0.68
    )  # the edge: thin bars are seen, too
    axes.bar_label(bars, [f"{value:.2f}" if value < 1 else f"{value:.1f}" for value in values], padding=4)
    axes.set_title(table.bars_title, fontsize=11)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    axes.xaxis.set_visible(False)
    for label, (name, _) in zip(axes.get_yticklabels(), shown, strict=True):
        if name == BESEDKA.name:
            label.set_color(OURS)
            label.set_fontweight("bold")
