"""Small multiples: the same kind of picture for each of several settings, on shared axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xpnet.errors import InvalidInputError
from xpnet.plots.style import COLOURS, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PANEL_HEIGHT, _LONE_ROW = 1.3, 1.9  # inches


@house_style()
def curve_panels(
    panels: Mapping[str, Mapping[str, Sequence[float]]],
    xlabel: str,
    ylabel: str,
    columns: int = 4,
    limits: tuple[float, float] | None = None,
    first: int = 1,
) -> Figure:
    """Draw curves side by side, a panel for each setting; a curve has the same colour in all of them.

    Parameters
    ----------
    panels : mapping of str to mapping of str to sequence of float
        By title, the curves by label: a value for each step.
    xlabel, ylabel : str
        Of all panels.
    columns : int, default 4
        Panels in a row.
    limits : tuple of float, optional
        Of the vertical axis.
    first : int, default 1
        What the first value's step is called.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no panel, or one has no curve.

    Examples
    --------
    >>> figure = curve_panels({"narrow": {"loss": [2.0, 1.0]}, "wide": {"loss": [2.0, 0.5]}}, "epoch", "loss")
    >>> len(figure.axes)
    2
    """
    if not panels or not all(panels.values()):
        raise InvalidInputError("curve_panels needs at least one panel, and a curve in each")
    rows, columns = math.ceil(len(panels) / columns), min(columns, len(panels))
    figure = new_figure(height=(_LONE_ROW if rows == 1 else _PANEL_HEIGHT * rows) + 0.35)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    labels = list(dict.fromkeys(label for curves in panels.values() for label in curves))
    colours = {label: COLOURS[i % len(COLOURS)] for i, label in enumerate(labels)}
    handles = {}
    for ax, (title, curves) in zip(grid.flat, panels.items(), strict=False):  # there may be axes too many
        for label, values in curves.items():
            (handles[label],) = ax.plot(first + np.arange(len(values)), values, color=colours[label])
        ax.set_title(title, fontsize=7, pad=4)
        ax.tick_params(labelsize=7)
        ax.margins(x=0)
    for ax in list(grid.flat)[len(panels) :]:
        ax.remove()
    if limits is not None:
        grid.flat[0].set_ylim(*limits)
    figure.supxlabel(xlabel, fontsize=8)
    figure.supylabel(ylabel, fontsize=8)
    if len(handles) > 1:
        figure.legend(handles.values(), handles, loc="outside upper right", ncols=len(handles), frameon=False)
    return figure


@house_style()
def histogram_panels(
    rows: Mapping[str, Sequence[np.ndarray]], limits: tuple[float, float], xlabel: str
) -> Figure:
    """Draw histograms: a row for each setting, a column for each layer, on one scale a row.

    Parameters
    ----------
    rows : mapping of str to sequence of array
        By name, the values of each layer; as many layers in each row.
    limits : tuple of float
        Of the values; what lies beyond is not drawn.
    xlabel : str
        What the values are.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no row, or the rows differ in length.

    Examples
    --------
    >>> figure = histogram_panels({"small": [np.zeros(9), np.ones(9)]}, (0.0, 1.0), "activation")
    >>> len(figure.axes)
    2
    """
    if not rows or len({len(layers) for layers in rows.values()}) > 1:
        raise InvalidInputError("histogram_panels needs at least one row, and as many layers in each")
    columns = len(next(iter(rows.values())))
    figure = new_figure(height=0.95 * len(rows) + 0.5)
    grid = figure.subplots(len(rows), columns, sharex=True, squeeze=False)
    for row, (axes, (name, layers)) in enumerate(zip(grid, rows.items(), strict=True)):
        for number, (ax, values) in enumerate(zip(axes, layers, strict=True), 1):
            shares, edges = np.histogram(values, bins=30, range=limits)
            ax.stairs(shares / np.size(values), edges, fill=True, color=COLOURS[row % len(COLOURS)])
            ax.tick_params(labelsize=6)
            ax.set_xlim(*limits)
            if ax in grid[0]:
                ax.set_title(f"layer {number}", fontsize=8)
        axes[0].set_ylabel(name, fontsize=7)
    figure.supxlabel(f"{xlabel}; heights are shares of all values", fontsize=8)
    return figure
