"""Activations as layers. `ACTIVATIONS` finds one by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.nn import activation_functions as functions
from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Shape, Tree, Variables
from xpnet.validation import check_number, settle

Array = Any


class Pair(NamedTuple):
    """The two functions that belong together."""

    forward: Callable[[Any, Array], tuple[Array, Any]]
    backward: Callable[[Any, Array, Any], Array]


class Activation(Layer):
    """A layer that applies a function of `xpnet.nn.activation_functions`: to each element, mostly."""

    elementwise: ClassVar[bool] = True
    pair: Pair

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the function's values, of the shape of the inputs, a cache, and no state."""
        y, cache = self.pair.forward(c.xp, x)
        return y, cache, {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradient of the inputs; there are no parameters."""
        return (self.pair.backward(c.xp, dy, cache) if need_dx else None), {}


@dataclass(frozen=True)
class ReLU(Activation):
    """The rectifier: ``max(x, 0)``."""

    pair = Pair(functions.relu_forward, functions.relu_backward)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """The leaky rectifier: ``x`` where it is positive, ``slope * x`` elsewhere.

    Parameters
    ----------
    slope : float, default 0.01
        Between 0 and 1.

    Raises
    ------
    InvalidInputError
        If the slope is out of range.
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        settle(self, slope=check_number("slope", self.slope, 0.0, 1.0))

    @property
    def pair(self) -> Pair:  # type: ignore[override]
        """The functions, with the slope."""
        forward = partial(functions.leaky_relu_forward, slope=self.slope)
        return Pair(forward, functions.leaky_relu_backward)


class _Gated(Activation):
    """An activation that keeps its outputs and the gate."""

    def shapes(self, inputs: Shape) -> list[Shape]:
        """Return the shapes of inputs, gate and outputs."""
        return [inputs, inputs, inputs]


@dataclass(frozen=True)
class SiLU(_Gated):
    """The sigmoid-weighted linear unit, or Swish: ``x * sigmoid(x)``."""

    pair = Pair(functions.silu_forward, functions.silu_backward)


@dataclass(frozen=True)
class GELU(_Gated):
    """The Gaussian error linear unit by its tanh approximation, PyTorch's ``gelu(approximate="tanh")``.

    The exact one needs the error function, which the Array API does not have.
    """

    pair = Pair(functions.gelu_forward, functions.gelu_backward)


@dataclass(frozen=True)
class Softplus(Activation):
    """The smooth rectifier: ``log(1 + exp(x))``."""

    pair = Pair(functions.softplus_forward, functions.softplus_backward)


@dataclass(frozen=True)
class Sigmoid(Activation):
    """The logistic function: ``1 / (1 + exp(-x))``."""

    pair = Pair(functions.sigmoid_forward, functions.sigmoid_backward)


@dataclass(frozen=True)
class Tanh(Activation):
    """The hyperbolic tangent."""

    pair = Pair(functions.tanh_forward, functions.tanh_backward)


@dataclass(frozen=True)
class Softmax(Activation):
    """The exponentials along a sample's last axis over their sum.

    Not for the end of a classifier: the loss ``"softmax_cross_entropy"`` takes logits, and
    `Model.predict_proba` gives the probabilities.
    """

    elementwise: ClassVar[bool] = False
    pair = Pair(functions.softmax_forward, functions.softmax_backward)

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of the inputs; there must be an axis."""
        if not inputs:
            raise InvalidInputError(f"{self!r} takes samples of one axis or more, not single numbers")
        return inputs


@dataclass(frozen=True)
class Identity(Activation):
    """The inputs themselves."""

    pair = Pair(functions.identity_forward, functions.identity_backward)


@dataclass(frozen=True)
class Step(Activation):
    """1 where ``x > 0`` and 0 elsewhere, for inference only."""

    pair = Pair(functions.step_forward, functions.step_backward)


ACTIVATIONS: dict[str, type[Activation]] = {
    "relu": ReLU,
    "leaky_relu": LeakyReLU,
    "gelu": GELU,
    "silu": SiLU,
    "softplus": Softplus,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "softmax": Softmax,
    "identity": Identity,
    "step": Step,
}
