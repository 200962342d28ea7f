"""Windows that slide over images: their settings, checked, and how they lie along each axis."""

from __future__ import annotations

from typing import Any, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.nn.layer import Layer, Shape
from xpnet.validation import check_count

PADDINGS = ("same", "valid")

Array = Any
Padding = str | int | tuple[int, int]


class Axis(NamedTuple):
    """Windows along one axis of an image.

    Attributes
    ----------
    length : int
        Of the image.
    size : int
        Of a window.
    stride : int
        From a window to the next.
    before, after : int
        How many elements of padding there are, less than a window's.
    """

    length: int
    size: int
    stride: int
    before: int
    after: int

    @property
    def outputs(self) -> int:
        """How many windows there are."""
        return (self.before + self.length + self.after - self.size) // self.stride + 1

    @property
    def cells(self) -> int:
        """How many cells as long as the stride a window takes up."""
        return -(-self.size // self.stride)

    def places(self, element: int) -> slice:
        """Return where the windows' elements of this number are in the padded image."""
        return slice(element, element + (self.outputs - 1) * self.stride + 1, self.stride)


def check_pair(name: str, value: Any, low: int = 1) -> tuple[int, int]:
    """Return whole numbers for height and width, from one or both, or raise `InvalidInputError`.

    Examples
    --------
    >>> check_pair("size", 3)
    (3, 3)
    """
    height, width = value if isinstance(value, tuple | list) and len(value) == 2 else (value, value)
    return check_count(name, height, low), check_count(name, width, low)


def check_padding(value: Any, size: tuple[int, int]) -> str | tuple[int, int]:
    """Return ``"same"``, ``"valid"`` or numbers below the size of a window, or raise `InvalidInputError`."""
    if isinstance(value, str):
        if value not in PADDINGS:
            raise InvalidInputError(
                f"padding must be 'same', 'valid', or a number, or one for height and one for width, not"
                f" {value!r}"
            )
        return value
    padding = check_pair("padding", value, 0)
    if padding[0] >= size[0] or padding[1] >= size[1]:
        raise InvalidInputError(
            f"padding {padding} must be less than the size {size}: a window would see nothing but padding"
        )
    return padding


def axes_of(
    layer: Layer, inputs: Shape, size: tuple[int, int], stride: tuple[int, int], padding: Any
) -> tuple[Axis, Axis]:
    """Return how a layer's windows lie along height and width.

    Parameters
    ----------
    layer : Layer
        Whose windows they are, for messages.
    inputs : tuple of int
        Channels, height and width.
    size, stride : tuple of int
        Of height and width.
    padding : str or tuple of int
        As `check_padding` returned it. ``"valid"`` is none. ``"same"`` is as much as makes
        ``ceil(length / stride)`` windows, what is odd going behind. Numbers go on both sides.

    Raises
    ------
    InvalidInputError
        If the inputs are no images, or smaller than a window.

    Examples
    --------
    >>> rows, columns = axes_of(Layer(), (1, 28, 5), (3, 4), (1, 2), "same")
    >>> rows
    Axis(length=28, size=3, stride=1, before=1, after=1)
    >>> columns.before, columns.after, columns.outputs
    (1, 2, 3)
    """
    _, *lengths = image(layer, inputs)
    rows, columns = (
        Axis(lengths[i], size[i], stride[i], *_paddings(lengths[i], size[i], stride[i], padding, i))
        for i in range(2)
    )
    if rows.outputs < 1 or columns.outputs < 1:
        raise InvalidInputError(
            f"{layer!r} has windows of {size}, larger than its inputs of {tuple(lengths)} with their padding:"
            " make the size smaller, the padding larger, or take away a pooling before"
        )
    return rows, columns


def image(layer: Layer, inputs: Shape) -> tuple[int, int, int]:
    """Return channels, height and width of a sample, or raise `InvalidInputError` naming the layer."""
    if len(inputs) != 3:
        raise InvalidInputError(
            f"{layer!r} takes images of the shape (channels, height, width), not the shape {inputs}: give the"
            " network such inputs, as (1, 28, 28), or put xpnet.Reshape first"
        )
    channels, height, width = inputs
    return channels, height, width


def padded(xp: Any, x: Array, axis: int, before: int, after: int, value: float = 0) -> Array:
    """Return an array with constants before and behind along an axis.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    x : array
        Of any shape.
    axis : int
        Along which.
    before, after : int
        How many.
    value : float, default 0
        The constant.

    Examples
    --------
    >>> import numpy as np
    >>> padded(np, np.ones(2), 0, 1, 2)
    array([0., 1., 1., 0., 0.])
    """
    device = getattr(x, "device", None)
    front, back = (
        xp.full((*x.shape[:axis], count, *x.shape[axis + 1 :]), value, dtype=x.dtype, device=device)
        for count in (before, after)
    )
    parts = [part for part in (front, x, back) if part.shape[axis]]
    return xp.concat(parts, axis=axis) if len(parts) > 1 else x


def fitted(xp: Any, x: Array, axis: int, before: int, length: int, value: float = 0) -> Array:
    """Return an array with constants before it along an axis, or less of it where negative, and of a length.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    x : array
        Of any shape.
    axis : int
        Along which.
    before : int
        How many constants to put before it; how many elements to leave out where negative.
    length : int
        Of the result, which constants fill up.
    value : float, default 0
        The constant.

    Examples
    --------
    >>> import numpy as np
    >>> fitted(np, np.asarray([1.0, 2.0, 3.0]), 0, -1, 4)
    array([2., 3., 0., 0.])
    """
    after = length - before - x.shape[axis]
    kept = slice(max(-before, 0), x.shape[axis] + min(after, 0))
    if before < 0 or after < 0:
        x = x[(*(slice(None),) * axis, kept, ...)]
    return padded(xp, x, axis, max(before, 0), max(after, 0), value)


def _paddings(length: int, size: int, stride: int, padding: Any, axis: int) -> tuple[int, int]:
    if padding == "valid":
        return 0, 0
    if padding == "same":
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        return total // 2, total - total // 2
    return padding[axis], padding[axis]
