"""Images as vectors, in which all that one element of a kernel meets is one strip.

The rows of an image follow each other, with zeros between them where the padding asks for some: what is
behind a row is before the next. In `n` rows of outputs the element (i, j) of the kernel meets
``flat[i * pitch + j :][: n * pitch]``, without a gap; what belongs to no window, at the ends of the rows, is
cut off from the result. Strips are copied at the speed of memory, where windows would be row by row.

A stride makes cells: its s x s elements are channels of their own, and windows go from cell to cell.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from xpnet.nn.windows import Axis, fitted, padded

Array = Any

QUICK = 10**6
"""Multiplications up to which BLAS libraries multiply matrices without copying them first."""
MOST_PARTS = 8


def product(xp: Any, a: Array, b: Array) -> Array:
    """Return the product of stacks of matrices, those not much larger than `QUICK` cut into parts.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    a : array, shape (..., m, k)
        Whose rows are cut.
    b : array, shape (..., k, n)

    Returns
    -------
    array, shape (..., m, n)

    Examples
    --------
    >>> import numpy as np
    >>> product(np, np.ones((4, 2)), np.ones((1, 2, 3))).shape
    (1, 4, 3)
    """
    *outer, m, k = a.shape
    *others, _, n = b.shape
    quick = [parts for parts in range(1, MOST_PARTS + 1) if m % parts == 0 and m * k * n <= parts * QUICK]
    if quick[:1] in ([], [1]):
        return xp.matmul(a, b)
    a = xp.reshape(a, (*outer, quick[0], m // quick[0], k))
    stacked = xp.matmul(a, xp.reshape(b, (*others, 1, k, n)))
    return xp.reshape(stacked, (*stacked.shape[:-3], m, n))


class Cells(NamedTuple):
    """One axis of the images in cells of as many elements as the stride.

    Attributes
    ----------
    number : int
        How many cells there are, without padding.
    size : int
        Of a window.
    before, after : int
        How many cells of padding: with a stride none, the padding is within the cells.
    """

    number: int
    size: int
    before: int
    after: int

    @classmethod
    def of(cls, axis: Axis) -> Cells:
        """Return the cells of an axis.

        Examples
        --------
        >>> Cells.of(Axis(length=28, size=5, stride=2, before=2, after=2))
        Cells(number=16, size=3, before=0, after=0)
        """
        if axis.stride == 1:
            return cls(axis.length, axis.size, axis.before, axis.after)
        return cls(axis.outputs + axis.cells - 1, axis.cells, 0, 0)


class Strips(NamedTuple):
    """The layout of a convolution's images.

    Attributes
    ----------
    rows, columns : Axis
        Of the inputs.
    groups : int
        Into which the channels are cut.
    """

    rows: Axis
    columns: Axis
    groups: int

    @property
    def cells(self) -> tuple[Cells, Cells]:
        """The cells of rows and columns."""
        return Cells.of(self.rows), Cells.of(self.columns)

    @property
    def pitch(self) -> int:
        """How far it is from a row to the next, in inputs and outputs alike."""
        _, columns = self.cells
        return columns.number + max(columns.before, columns.after)

    def of_inputs(self, xp: Any, x: Array) -> Array:
        """Return the inputs as vectors.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        x : array, shape (batch, channels, height, width)
            The inputs.

        Returns
        -------
        array, shape (batch, groups, channels / groups, elements of a cell, length)
        """
        rows, columns = self.cells
        return self._laid_out(xp, self._in_cells(xp, x), rows.before, columns.before, self.rows.outputs)

    def under_kernels(self, xp: Any, flat: Array) -> Array:
        """Return what each element of a kernel meets.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        flat : array
            As `of_inputs` returned it.

        Returns
        -------
        array, shape (batch, groups, channels / groups * kernel height * kernel width, output height * pitch)
            Kernels as rows ``(filters / groups, …)`` times this are the outputs.
        """
        places = []
        for i, j in itertools.product(range(self.rows.size), range(self.columns.size)):
            (row, down), (column, right) = divmod(i, self.rows.stride), divmod(j, self.columns.stride)
            places.append((down * self.columns.stride + right, row * self.pitch + column))
        return self._cut(xp, flat, places, self.rows.outputs)

    def of_outputs(self, xp: Any, dy: Array) -> Array:
        """Return the outputs' gradient in the same layout, zero where there is no output.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        dy : array, shape (batch, filters, output height, output width)
            The gradient.

        Returns
        -------
        array, shape (batch, groups, filters / groups, 1, output height, pitch)
        """
        batch, filters, height, width = dy.shape
        dy = xp.reshape(dy, (batch, self.groups, filters // self.groups, 1, height, width))
        return padded(xp, dy, 5, 0, self.pitch - width)

    def outputs(self, xp: Any, y: Array) -> Array:
        """Return the outputs as images.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        y : array, shape (batch, groups, filters / groups, output height * pitch)
            Kernels times strips.

        Returns
        -------
        array, shape (batch, filters, output height, output width)
        """
        images = xp.reshape(y, (y.shape[0], y.shape[1] * y.shape[2], self.rows.outputs, self.pitch))
        return images[:, :, :, : self.columns.outputs]

    def kernel_gradients(self, xp: Any, flat: Array, dy: Array) -> Array:
        """Return the gradients of the kernels, one for each sample.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        flat : array
            As `of_inputs` returned it.
        dy : array
            As `of_outputs` returned it.

        Returns
        -------
        array, shape (batch, groups, channels / groups * kernel height * kernel width, filters / groups)
            The kernels as columns.
        """
        batch, groups, filters, _, height, pitch = dy.shape
        # A place a row, in two steps, the first of which moves the numbers: BLAS takes rows as they are.
        rows = xp.reshape(xp.permute_dims(dy, (0, 1, 3, 4, 5, 2)), (batch, groups, height, pitch * filters))
        rows = xp.reshape(rows, (batch, groups, height * pitch, filters))
        return product(xp, self.under_kernels(xp, flat), rows)

    def input_gradient(self, xp: Any, dy: Array, W: Array) -> Array:
        """Return the gradient of the inputs: the outputs' convolved with the kernels turned round.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        dy : array
            As `of_outputs` returned it.
        W : array, shape (filters, channels / groups, height, width)
            The kernels.

        Returns
        -------
        array, shape (batch, channels, height, width)
        """
        rows, columns = self.cells
        above, left = rows.size - 1 - rows.before, columns.size - 1 - columns.before
        flat = self._laid_out(xp, dy, above, left, rows.number)
        places = [
            (0, i * self.pitch + j) for i, j in itertools.product(range(rows.size), range(columns.size))
        ]
        dx = product(xp, self._turned(xp, W), self._cut(xp, flat, places, rows.number))
        dx = xp.reshape(dx, (dy.shape[0], self.groups * W.shape[1], -1, rows.number, self.pitch))
        return self._out_of_cells(xp, dx[:, :, :, :, : columns.number])

    def _cut(self, xp: Any, flat: Array, places: list[tuple[int, int]], rows: int) -> Array:
        """Return strips of so many rows, each from a channel of the cells on and a place in the vector."""
        strips = [flat[:, :, :, part, start : start + rows * self.pitch] for part, start in places]
        stacked = xp.stack(strips, axis=3)
        batch, groups, channels, kernel, length = stacked.shape
        return xp.reshape(stacked, (batch, groups, channels * kernel, length))

    def _laid_out(self, xp: Any, images: Array, above: int, left: int, rows: int) -> Array:
        """Return images as vectors, zeros before and behind, for strips of so many rows."""
        down, right = (cells.size - 1 for cells in self.cells)
        *outer, height, width = images.shape
        wide = padded(xp, images, images.ndim - 1, 0, self.pitch - width)
        body = xp.reshape(wide, (*outer, height * self.pitch))
        front = above * self.pitch + left
        back = (rows + down) * self.pitch + right - front - body.shape[-1]
        return padded(xp, body, body.ndim - 1, front, back)

    def _in_cells(self, xp: Any, x: Array) -> Array:
        """Return images in cells, shape (batch, groups, channels / groups, s * s, rows, columns)."""
        batch, channels = x.shape[:2]
        rows, columns = self.cells
        down, right = self.rows.stride, self.columns.stride
        if down > 1:
            x = fitted(xp, x, 2, self.rows.before, rows.number * down)
        if right > 1:
            x = fitted(xp, x, 3, self.columns.before, columns.number * right)
        groups = (self.groups, channels // self.groups)
        x = xp.reshape(x, (batch, *groups, rows.number, down, columns.number, right))
        x = xp.permute_dims(x, (0, 1, 2, 4, 6, 3, 5))
        return xp.reshape(x, (batch, *groups, down * right, rows.number, columns.number))

    def _out_of_cells(self, xp: Any, x: Array) -> Array:
        """Return cells, shape (batch, channels, s * s, rows, columns), as images of the inputs' size."""
        batch, channels, _, height, width = x.shape
        down, right = self.rows.stride, self.columns.stride
        x = xp.reshape(x, (batch, channels, down, right, height, width))
        x = xp.permute_dims(x, (0, 1, 4, 2, 5, 3))
        x = xp.reshape(x, (batch, channels, height * down, width * right))
        if down > 1:
            x = fitted(xp, x, 2, -self.rows.before, self.rows.length)
        if right > 1:
            x = fitted(xp, x, 3, -self.columns.before, self.columns.length)
        return x

    def _turned(self, xp: Any, W: Array) -> Array:
        """Return kernels turned round, each row for a channel of a cell, shape (groups, rows, columns)."""
        (rows, columns), (down, right) = self.cells, (self.rows.stride, self.columns.stride)
        W = fitted(xp, fitted(xp, W, 2, 0, rows.size * down), 3, 0, columns.size * right)
        filters, channels = W.shape[:2]
        shape = (self.groups, filters // self.groups, channels, rows.size, down, columns.size, right)
        W = xp.flip(xp.reshape(W, shape), axis=(3, 5))
        W = xp.permute_dims(W, (0, 2, 4, 6, 1, 3, 5))
        return xp.reshape(W, (self.groups, channels * down * right, -1))
