"""What a layer is: a frozen dataclass without arrays, whose functions take them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.trees import leaves

Array = Any
Cache = Any
Shape = tuple[int, ...]
"""Of one sample, without the batch."""
Tree = Mapping[str, Any]
"""``Mapping[str, Array | Tree]``."""


@dataclass(frozen=True)
class Parameter:
    """What a layer declares of one of its arrays, before any is made.

    Parameters
    ----------
    shape : tuple of int
        Its shape.
    init : str, float or callable
        How it begins: a name in `INITIALIZERS`, ``"zeros"``, ``"ones"``, the standard deviation of
        normal numbers, or a function of a `Stream` and the shape that returns float64 numbers.
    fans : tuple of int, default (1, 1)
        How many inputs and outputs a unit has, for the initialisers that go by them.
    decayed : bool, default False
        Whether the penalty ``l2`` and the decay of AdamW touch it: weights are, biases are not.
    """

    shape: Shape
    init: str | float | Callable[..., Any] = "zeros"
    fans: tuple[int, int] = (1, 1)
    decayed: bool = False


class Variables(NamedTuple):
    """Of a layer or a whole network: arrays, or what is declared of them.

    Attributes
    ----------
    params : mapping
        What is trained.
    state : mapping
        What is carried from iteration to iteration, not trained: running means.
    """

    params: Tree
    state: Tree


NOTHING = Variables({}, {})


class Layer:
    """The base class of layers; each of its functions is pure.

    A layer is a frozen dataclass of settings, decorated with `xpnet.register`. One without variables
    needs `forward` and `backward` alone.

    Attributes
    ----------
    prefix : str
        What `Sequential` calls the variables of this layer as a group; empty where each has its own name.
    elementwise : bool
        Whether each output depends on the input in the same place alone, without variables.
    affine : bool
        Whether it is ``x @ W + b`` with the parameters ``W`` and ``b``: the numerical gradient then moves
        many weights at once.
    random : bool
        Whether it draws random bits while training.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> @dataclass(frozen=True)
    ... class Doubled(Layer):
    ...     def forward(self, c, v, x):
    ...         return x * 2.0, None, {}
    ...     def backward(self, c, v, dy, cache, need_dx):
    ...         return dy * 2.0, {}
    >>> Doubled().forward(context(np), NOTHING, np.ones(2))[0]
    array([2., 2.])
    """

    prefix: ClassVar[str] = ""
    elementwise: ClassVar[bool] = False
    affine: ClassVar[bool] = False
    random: ClassVar[bool] = False

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of one sample's output; raise `InvalidInputError` where the input does not fit."""
        return inputs

    def shapes(self, inputs: Shape) -> list[Shape]:
        """Return the shapes of one sample on its way: what is kept in memory while training."""
        return [inputs, self.output_shape(inputs)]

    def variables(self, inputs: Shape) -> Variables:
        """Declare parameters and running state, as trees of `Parameter`; names must not end in a digit."""
        return NOTHING

    def multiplications(self, inputs: Shape) -> int:
        """Return how many a sample takes forward: one a weight, where none is used in several places."""
        declared = leaves(self.variables(inputs).params)
        return sum(math.prod(item.shape) for item in declared if len(item.shape) > 1)

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the outputs, what `backward` needs, and the new running state.

        Parameters
        ----------
        c : Context
            The namespace, and what else is the same for all layers.
        v : Variables
            Arrays in the places of what `variables` declared.
        x : array, shape (batch, *inputs)
            The inputs.
        """
        raise NotImplementedError

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs, or None where nobody needs them, and of the parameters.

        Parameters
        ----------
        c, v
            As `forward` had them.
        dy : array, shape (batch, *outputs)
            The gradient of the loss with respect to the outputs.
        cache : object
            What `forward` returned.
        need_dx : bool
            Whether the first result is wanted.
        """
        raise InvalidInputError(f"{self!r} has no backward, which training asks for")

    @property
    def numbered(self) -> bool:
        """Whether `Sequential` counts it: whether it declares variables."""
        return type(self).variables is not Layer.variables

    def on_pixels(self, scale: float) -> Layer | None:
        """Return the layer that takes bytes times a constant, where it has a cheap way; else None."""
        return None


def vector(layer: Layer, inputs: Shape) -> int:
    """Return the length of a sample that is a vector, or raise `InvalidInputError` naming the layer."""
    if len(inputs) != 1:
        raise InvalidInputError(
            f"{layer!r} takes one vector a sample, not the shape {inputs}: put a layer that makes one first"
        )
    return inputs[0]
