"""Figures of how a classifier divides the plane."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xpnet.errors import InvalidInputError
from xpnet.plots.style import COLOURS, WIDTH, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Predict = Callable[[np.ndarray], np.ndarray]
_SIDE = 300  # grid points along each axis
_POINT_SIZE = 3.6  # typographic points


def _probabilities(predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return one row of class probabilities for each prediction; a label is a certain one."""
    predicted = np.asarray(predicted)
    if predicted.ndim == 1:
        return np.equal.outer(predicted, np.arange(classes)).astype(np.float64)
    return predicted


def _draw_regions(
    ax: Axes, predict: Predict, classes: int, extent: tuple[float, float, float, float]
) -> None:
    from matplotlib.colors import to_rgb

    left, right, bottom, top = extent
    x, y = np.linspace(left, right, _SIDE), np.linspace(bottom, top, _SIDE)
    points = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    probabilities = _probabilities(predict(points), classes)
    colours = np.array([to_rgb(COLOURS[k % len(COLOURS)]) for k in range(probabilities.shape[1])])
    tints = 1 - 0.32 * (1 - colours)
    page = np.clip(np.matmul(probabilities, tints), 0, 1).reshape(_SIDE, _SIDE, 3)
    ax.imshow(page, extent=extent, origin="lower", aspect="auto", interpolation="bilinear", zorder=0)
    for k in range(probabilities.shape[1]):  # where a class is as likely as the best of the others
        lead = probabilities[:, k] - np.max(np.delete(probabilities, k, axis=1), axis=1)
        if lead.min() < 0 < lead.max():
            ax.contour(x, y, lead.reshape(_SIDE, _SIDE), levels=[0], colors="#222222", linewidths=1)


def _draw_panel(
    ax: Axes, title: str, predict: Predict, x: np.ndarray, t: np.ndarray, point_size: float
) -> None:
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.12 * (high - low)
    left, bottom = (low - margin).tolist()
    right, top = (high + margin).tolist()
    classes = max(int(t.max()) + 1, 2)
    _draw_regions(ax, predict, classes, (left, right, bottom, top))
    for k in range(classes):
        ax.plot(
            *x[t == k].T, "o", color=COLOURS[k % len(COLOURS)],
            markersize=point_size, markeredgecolor="white", markeredgewidth=0.5,
        )  # fmt: skip
    ax.set(title=title, xlim=(left, right), ylim=(bottom, top), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)


@house_style()
def decision_boundary(predict: Predict, x: np.ndarray, t: np.ndarray, title: str) -> Figure:
    """Draw the regions that a classifier gives to each class, and the points it learned from.

    Parameters
    ----------
    predict : callable
        Takes points of shape (n, 2); returns integer labels of shape (n,), or probabilities of shape
        (n, classes), whose certainty is then drawn as depth of colour.
    x : array of shape (m, 2)
        The points.
    t : array of shape (m,)
        Their integer labels.
    title : str
        Above the panel.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> figure = decision_boundary(lambda p: (p[:, 0] > 0.5).astype(int), x, np.array([0, 1]), "Halves")
    >>> figure.axes[0].get_title(loc="left")
    'Halves'
    """
    figure = new_figure(height=4)
    _draw_panel(figure.subplots(), title, predict, x, t, _POINT_SIZE)
    return figure


@house_style()
def boundary_grid(
    panels: Sequence[tuple[str, Predict]], x: np.ndarray, t: np.ndarray, columns: int = 3
) -> Figure:
    """Draw several classifiers' decision boundaries on the same points, as :func:`decision_boundary` does.

    Parameters
    ----------
    panels : sequence of (str, callable)
        Title and `predict` of each classifier.
    x : array of shape (m, 2)
        The points.
    t : array of shape (m,)
        Their integer labels.
    columns : int, default 3
        Panels in a row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no panel.

    Examples
    --------
    >>> x = np.array([[0.0, 0.0], [1.0, 1.0]])
    >>> panels = [(str(c), lambda p, c=c: (p[:, 0] > c).astype(int)) for c in (0.3, 0.5)]
    >>> len(boundary_grid(panels, x, np.array([0, 1]), columns=2).axes)
    2
    """
    if not panels:
        raise InvalidInputError("boundary_grid needs at least one panel")
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(height=0.85 * WIDTH * rows / columns)
    for place, (title, predict) in enumerate(panels, 1):
        ax = figure.add_subplot(rows, columns, place)
        _draw_panel(ax, title, predict, x, t, min(_POINT_SIZE, 10 / columns))
    return figure
