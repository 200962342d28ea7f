"""The figure of parity: how far backends drift from the reference while they train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xpnet.plots.curves import label_ends
from xpnet.plots.style import COLOURS, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@house_style()
def difference_curves(curves: Mapping[str, tuple[Sequence[int], Sequence[float]]], title: str) -> Figure:
    """Draw the largest difference of any weight from the reference, on a logarithmic scale with a zero.

    Parameters
    ----------
    curves : mapping of str to (iterations, differences)
        By label. Those that are zero throughout share one label at the bottom.
    title : str
        Above the panel.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> figure = difference_curves({"torch, exact": ([0, 1], [0.0, 0.0])}, "784-50-10")
    >>> figure.axes[0].get_yscale()
    'symlog'
    """
    figure = new_figure(height=3.2)
    ax = figure.subplots()
    positive = [value for _, values in curves.values() for value in values if value > 0]
    smallest = min(positive, default=1e-16)
    ax.set_yscale("symlog", linthresh=smallest, linscale=0.5)
    ends, equal = [], []
    for (label, (x, values)), colour in zip(curves.items(), _colours(len(curves)), strict=True):
        if any(values):
            ax.plot(x, values, color=colour)
            ends.append((label, float(values[-1]), colour))
        else:
            ax.plot(x, values, color="#222222", linewidth=2.4, solid_capstyle="butt")
            equal.append(label)
    low = np.floor(np.log10(smallest))
    high = np.ceil(np.log10(max(positive, default=1e-15)))
    ticks = 10.0 ** np.arange(low, high + 1, max(1, (high - low) // 6))
    ax.set_yticks([0.0, *ticks[ticks >= smallest]])
    ax.set(title=title, xlabel="iteration", ylabel="largest difference of a weight")
    ax.set_ylim(-0.15 * smallest, 2 * max(positive, default=smallest))
    ax.margins(x=0)
    label_ends(ax, ends)
    if equal:
        ax.annotate(
            "\n".join([*equal, "(same bits)"]), (1, 0), xytext=(5, 0), xycoords="axes fraction",
            textcoords="offset points", color="#222222", va="bottom", weight="bold", annotation_clip=False,
        )  # fmt: skip
    return figure


def _colours(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]
