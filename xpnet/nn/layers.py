"""Layers: the shapes of their parameters and their pair of functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.affine import affine_forward, affine_input_gradient, affine_parameter_gradients
from xpnet.validation import check_name

Array = Any
Params = Mapping[str, Array]


@dataclass(frozen=True)
class Affine:
    """A fully connected layer: ``y = scale * x @ W + b``.

    Parameters
    ----------
    number : int
        Its place, counted from 1: its parameters are ``W1`` and ``b1``.
    inputs, outputs : int
        Its sizes.
    """

    number: int
    inputs: int
    outputs: int

    @property
    def weight(self) -> str:
        """The name of the weights, shape ``(inputs, outputs)``."""
        return f"W{self.number}"

    @property
    def bias(self) -> str:
        """The name of the biases, shape ``(outputs,)``."""
        return f"b{self.number}"

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters by name."""
        return {self.weight: (self.inputs, self.outputs), self.bias: (self.outputs,)}

    def forward(self, xp: Any, params: Params, x: Array, scale: float = 1.0) -> tuple[Array, Any]:
        """Return the outputs ``(batch, outputs)`` and a cache."""
        return affine_forward(xp, x, params[self.weight], params[self.bias], scale)

    def gradients(self, xp: Any, dy: Array, cache: Any) -> dict[str, Array]:
        """Return the gradients of the parameters by name."""
        dW, db = affine_parameter_gradients(xp, dy, cache)
        return {self.weight: dW, self.bias: db}

    def backward(self, xp: Any, dy: Array, cache: Any) -> Array:
        """Return the gradient of the inputs, ``(batch, inputs)``."""
        return affine_input_gradient(xp, dy, cache)


@dataclass(frozen=True)
class Activation:
    """An elementwise layer without parameters, known by its function's name."""

    name: str

    def forward(self, xp: Any, x: Array) -> tuple[Array, Any]:
        """Return the function's values and a cache."""
        return ACTIVATIONS[self.name].forward(xp, x)

    def backward(self, xp: Any, dy: Array, cache: Any) -> Array:
        """Return the gradient of the inputs."""
        return ACTIVATIONS[self.name].backward(xp, dy, cache)


def fully_connected(sizes: Sequence[int], activation: str) -> tuple[Affine | Activation, ...]:
    """Return the layers of a perceptron: affine ones with an activation between each two.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, outputs.
    activation : str
        A name in `ACTIVATIONS`.

    Returns
    -------
    tuple of layers

    Raises
    ------
    InvalidInputError
        If the activation is unknown.

    Examples
    --------
    >>> fully_connected([2, 3, 2], "tanh")[1]
    Activation(name='tanh')
    """
    check_name("activation", activation, ACTIVATIONS)
    layers: list[Affine | Activation] = []
    for number, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        layers += [Affine(number, inputs, outputs), Activation(activation)]
    return tuple(layers[:-1])
