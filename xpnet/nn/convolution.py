"""The convolution of images, forward and backward: one product of matrices for each sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.initializers import check_init
from xpnet.nn.layer import Cache, Layer, Parameter, Shape, Tree, Variables
from xpnet.nn.strips import Strips, product
from xpnet.nn.windows import Axis, Padding, axes_of, check_padding, check_pair, image
from xpnet.validation import check_count, check_flag, check_number, settle

Array = Any


@dataclass(frozen=True)
class Conv2D(Layer):
    """A convolution of images: ``y[f, u, v] = sum(W[f] * window of x at (stride * u, stride * v)) + b[f]``.

    Parameters
    ----------
    filters : int
        How many channels the outputs have.
    size : int or (int, int)
        Height and width of the kernels.
    stride : int or (int, int), default 1
        From a window to the next.
    padding : {"valid", "same"}, int or (int, int), default "valid"
        Zeros around the images: none; as many as make outputs of ``ceil(length / stride)``, what is
        odd going below and to the right; or so many on each side, fewer than the kernel has.
    groups : int, default 1
        The channels are cut into so many groups, each with filters of its own.
    init : {"he", "xavier", "uniform"} or float, default "he"
        The initial weights, see `initial`; biases begin at 0.
    bias : bool, default True
        Whether there is a ``b``; a normalisation that follows has its own.
    scale : float, default 1.0
        A constant factor of the inputs, cheaper here than on every input.

    Raises
    ------
    InvalidInputError
        If an argument is out of range.

    Notes
    -----
    Images are ``(channels, height, width)``, weights ``(filters, channels / groups, height, width)``.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
    recognition", Proc. IEEE 86, 1998.

    Examples
    --------
    >>> Conv2D(30, 5).output_shape((1, 28, 28))
    (30, 24, 24)
    >>> Conv2D(16, 3, padding="same").variables((8, 28, 28)).params["W"].shape
    (16, 8, 3, 3)
    """

    filters: int
    size: int | tuple[int, int]
    stride: int | tuple[int, int] = 1
    padding: Padding = "valid"
    groups: int = 1
    init: str | float = "he"
    bias: bool = True
    scale: float = 1.0

    def __post_init__(self) -> None:
        settle(self, filters=check_count("filters", self.filters), size=check_pair("size", self.size))
        settle(self, stride=check_pair("stride", self.stride), groups=check_count("groups", self.groups))
        settle(self, padding=check_padding(self.padding, self.size), init=check_init(self.init))  # type: ignore[arg-type]
        settle(self, bias=check_flag("bias", self.bias), scale=check_number("scale", self.scale, 0.0))
        if self.filters % self.groups:
            raise InvalidInputError(f"{self.filters} filters cannot be cut into {self.groups} equal groups")

    def output_shape(self, inputs: Shape) -> Shape:
        """Return ``(filters, height, width)``."""
        rows, columns = self._axes(inputs)
        return (self.filters, rows.outputs, columns.outputs)

    def variables(self, inputs: Shape) -> Variables:
        """Declare ``W``, shape (filters, channels / groups, height, width), and ``b``, shape (filters,)."""
        channels = image(self, inputs)[0]
        if channels % self.groups:
            raise InvalidInputError(
                f"{self!r} cannot cut {channels} channels into {self.groups} equal groups"
            )
        rows, columns = self._axes(inputs)
        window = rows.size * columns.size
        shape = (self.filters, channels // self.groups, rows.size, columns.size)
        weights = Parameter(shape, self.init, (shape[1] * window, self.filters * window), decayed=True)
        return Variables({"W": weights, **({"b": Parameter((self.filters,))} if self.bias else {})}, {})

    def multiplications(self, inputs: Shape) -> int:
        """Return how many a sample takes forward: each weight is used in all places of the outputs."""
        _, height, width = self.output_shape(inputs)
        return super().multiplications(inputs) * height * width

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the outputs, shape (batch, filters, height, width), a cache, and no state."""
        strips = Strips(*self._axes(tuple(x.shape[1:])), self.groups)
        flat = strips.of_inputs(c.xp, c.operand(x))
        kernels = c.xp.reshape(self._weights(v), (self.groups, self.filters // self.groups, -1))
        y = product(c.xp, kernels, strips.under_kernels(c.xp, flat))
        if self.bias:
            y = y + c.xp.reshape(v.params["b"], (self.groups, -1, 1))
        return strips.outputs(c.xp, y), (strips, flat), {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs, shape (batch, channels, height, width), and of the parameters.

        What kernels meet is cut out anew: it takes the memory of the inputs for each element of a kernel.
        """
        (strips, flat), W = cache, v.params["W"]
        of_outputs = strips.of_outputs(c.xp, dy)
        gradient = c.samples.sum(strips.kernel_gradients(c.xp, flat, of_outputs))
        gradient = c.xp.reshape(c.xp.matrix_transpose(gradient), W.shape)
        gradients = {"W": gradient if self.scale == 1.0 else gradient * self.scale}
        if self.bias:
            gradients["b"] = c.samples.sum(c.xp.sum(dy, axis=(2, 3)))
        return (strips.input_gradient(c.xp, of_outputs, self._weights(v)) if need_dx else None), gradients

    def on_pixels(self, scale: float) -> Conv2D:
        """Return the layer that multiplies its weights, fewer than its inputs, by the constant."""
        return replace(self, scale=self.scale * scale)

    def _weights(self, v: Variables) -> Array:
        return v.params["W"] if self.scale == 1.0 else v.params["W"] * self.scale

    def _axes(self, inputs: Shape) -> tuple[Axis, Axis]:
        return axes_of(self, inputs, self.size, self.stride, self.padding)  # type: ignore[arg-type]
