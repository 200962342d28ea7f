"""Figures made of many small images."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from xpnet.errors import InvalidInputError
from xpnet.plots.style import COLOURS, WIDTH, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@house_style()
def misclassified(
    images: np.ndarray,
    true_labels: np.ndarray,
    predicted_labels: np.ndarray,
    shape: tuple[int, int] = (28, 28),
) -> Figure:
    """Draw every wrongly classified image in one grid, labelled "true→predicted".

    Parameters
    ----------
    images : array of shape (n, height * width) or (n, height, width)
        The images, of any scale; the largest value is drawn black.
    true_labels, predicted_labels : array of shape (n,)
        What each is, and what was predicted.
    shape : (int, int), default (28, 28)
        Height and width of an image.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no image, or not one pair of labels for each.

    Examples
    --------
    >>> figure = misclassified(np.ones((2, 784)), np.array([4, 9]), np.array([9, 4]))
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['4→9', '9→4']
    """
    count = len(images)
    if count == 0 or not count == len(true_labels) == len(predicted_labels):
        raise InvalidInputError(
            f"expected one true and one predicted label for each of at least one image, got {count} images,"
            f" {len(true_labels)} true and {len(predicted_labels)} predicted labels"
        )
    columns = min(24, max(8, math.ceil(math.sqrt(count))))
    rows = math.ceil(count / columns)
    cell_height, cell_width = int(shape[0] * 1.45), shape[1] + 3  # room for the label below
    cells = np.zeros((rows * columns, cell_height, cell_width))
    cells[:count, : shape[0], : shape[1]] = np.reshape(images, (count, *shape))
    page = cells.reshape(rows, columns, cell_height, cell_width).swapaxes(1, 2)
    figure = new_figure(height=WIDTH * rows * cell_height / (columns * cell_width))
    figure.set_layout_engine("none")  # one image that fills the page
    ax = figure.add_axes((0.005, 0.005, 0.99, 0.99))
    ax.imshow(
        page.reshape(rows * cell_height, columns * cell_width), cmap="gray_r", interpolation="antialiased"
    )
    ax.set_axis_off()
    size = 5.6 * 24 / columns
    for i, (true, predicted) in enumerate(zip(true_labels, predicted_labels, strict=True)):
        x = i % columns * cell_width + shape[1] / 2
        y = i // columns * cell_height + shape[0] + 0.5
        ax.text(x, y, f"{true}→{predicted}", size=size, ha="center", va="top", color=COLOURS[1])
    return figure
