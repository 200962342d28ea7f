"""Figures of one number for each of many things, on a logarithmic scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from xpnet.errors import InvalidInputError
from xpnet.plots.style import COLOURS, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@house_style()
def dot_rows(rows: Mapping[str, Mapping[str, float]], xlabel: str, smallest: float) -> Figure:
    """Draw a row for each thing, with a dot for each kind of number, on a logarithmic axis.

    Parameters
    ----------
    rows : mapping of str to mapping of str to float
        By thing, the numbers by kind, at least 0.
    xlabel : str
        What they are.
    smallest : float
        Where zero and smaller numbers are drawn, as hollow dots.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no row.

    Examples
    --------
    >>> figure = dot_rows({"Dense": {"tape": 0.0, "differences": 1e-9}}, "difference", 1e-17)
    >>> [text.get_text() for text in figure.axes[0].get_yticklabels()]
    ['Dense']
    """
    if not rows:
        raise InvalidInputError("dot_rows needs at least one row")
    figure = new_figure(height=0.17 * len(rows) + 0.8)
    ax = figure.subplots()
    kinds = list(dict.fromkeys(kind for numbers in rows.values() for kind in numbers))
    places = range(len(rows))
    for kind, colour in zip(kinds, COLOURS, strict=False):  # there are colours enough
        numbers = [row[kind] for row in rows.values()]
        shown = [max(number, smallest) for number in numbers]
        ax.plot(shown, places, "o", color=colour, markersize=4.5, label=kind, clip_on=False)
        hollow = [place for place, number in zip(places, numbers, strict=True) if number <= smallest]
        ax.plot([smallest] * len(hollow), hollow, "o", color="white", markersize=2.5, clip_on=False)
    ax.set(xscale="log", xlabel=xlabel, yticks=list(places), yticklabels=list(rows))
    ax.set_xlim(left=smallest)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.tick_params(axis="y", labelsize=7)
    figure.legend(loc="outside upper right", ncols=len(kinds), frameon=False)
    return figure
