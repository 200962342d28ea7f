"""The figures: bars with their spread, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bench.statistics import Summary
from xpnet.plots.style import COLOURS, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_OWN, _OTHER = COLOURS[1], COLOURS[0]


def bars(
    groups: Mapping[str, Mapping[str, Summary]], unit: str, scale: float = 1.0, most: float | None = None
) -> Figure:
    """Return horizontal bars of medians, the best first, with the interval as a line; xpnet stands out.

    Parameters
    ----------
    groups : mapping of mappings
        For each panel, its contestants.
    unit : str
        What the axis says.
    scale : float
        What the numbers are multiplied by.
    most : float, optional
        Where every panel's axis ends; as far as it must where omitted.
    """
    counts = [len(group) for group in groups.values()]
    figure = new_figure(height=0.5 + sum(0.55 + 0.22 * count for count in counts))
    panels = figure.subplots(len(groups), 1, squeeze=False, height_ratios=[1 + 0.4 * n for n in counts])
    for axes, (title, group) in zip(panels[:, 0], groups.items(), strict=True):
        _bars(axes, dict(sorted(group.items(), key=lambda item: item[1].median)), scale)
        axes.set_title(title)
        if most is not None:
            axes.set_xlim(0, most)
    panels[-1, 0].set_xlabel(unit)
    return figure


def _bars(axes: Any, group: Mapping[str, Summary], scale: float) -> None:
    middles = [s.median * scale for s in group.values()]
    below = [(s.median - s.low) * scale for s in group.values()]
    above = [(s.high - s.median) * scale for s in group.values()]
    colours = [_OWN if "xpnet" in name else _OTHER for name in group]
    places = range(len(group))
    axes.barh(places, middles, height=0.7, color=colours, xerr=[below, above], ecolor="#222222")
    axes.set_yticks(places, list(group))
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    for place, middle, over in zip(places, middles, above, strict=True):
        axes.annotate(f" {_number(middle)}", (middle + over, place), va="center", fontsize=7)
    axes.margins(x=0.12)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def curves(panels: Mapping[str, Mapping[str, Sequence[tuple[float, Summary]]]], x_label: str) -> Figure:
    """Return one panel a quantity with a line and its interval for each contestant."""
    figure = new_figure(height=2.6)
    drawn = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, lines) in zip(drawn, panels.items(), strict=True):
        for colour, (name, points) in zip(COLOURS, lines.items(), strict=False):
            x = [place for place, _ in points]
            axes.plot(x, [s.median for _, s in points], "o-", markersize=3, color=colour, label=name)
            low, high = [s.low for _, s in points], [s.high for _, s in points]
            axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
        axes.set_xscale("log", base=2)
        _scale_of(axes, [s.median for points in lines.values() for _, s in points])
        axes.set_xlabel(x_label)
        axes.set_title(title)
    drawn[0].legend(fontsize=7)
    return figure


def _scale_of(axes: Any, values: Sequence[float]) -> None:
    """Choose a logarithmic scale where the values span more than a decade, with plain numbers."""
    if max(values) > 10 * min(values):
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.1 * max(values))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    if axes.get_yscale() == "log":
        axes.yaxis.set_minor_formatter("")
