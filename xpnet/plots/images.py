"""Figures made of many small images."""

from __future__ import annotations

import math
from collections.abc import Mapping
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


@house_style()
def image_grid(groups: Mapping[str, np.ndarray], columns: int = 10) -> Figure:
    """Draw groups of small images, a panel each, all on one scale of grey.

    Parameters
    ----------
    groups : mapping of str to array of shape (n, height, width)
        By title, the images; the smallest value of a group is white, the largest black.
    columns : int, default 10
        Images in a row.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no group, or one has no image.

    Examples
    --------
    >>> figure = image_grid({"before": np.zeros((3, 5, 5)), "after": np.ones((3, 5, 5))})
    >>> [ax.get_title(loc="left") for ax in figure.axes]
    ['before', 'after']
    """
    if not groups or not all(len(images) for images in groups.values()):
        raise InvalidInputError("image_grid needs at least one group, and an image in each")
    pages = {title: _page(np.asarray(images), columns) for title, images in groups.items()}
    ratio = max(page.shape[0] / page.shape[1] for page in pages.values())
    figure = new_figure(height=WIDTH / len(groups) * ratio + 0.35)
    for ax, (title, page) in zip(
        figure.subplots(1, len(groups), squeeze=False)[0], pages.items(), strict=True
    ):
        ax.imshow(page, cmap="gray_r", interpolation="nearest")
        ax.set_title(title)
        ax.set_axis_off()
    return figure


def _page(images: np.ndarray, columns: int) -> np.ndarray:
    """Return images side by side with gaps of one pixel, which are white."""
    count, height, width = images.shape
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    cells = np.full((rows * columns, height + 1, width + 1), images.min(), dtype=np.float64)
    cells[:count, :height, :width] = images
    page = cells.reshape(rows, columns, height + 1, width + 1).swapaxes(1, 2)
    return page.reshape(rows * (height + 1), columns * (width + 1))[:-1, :-1]
