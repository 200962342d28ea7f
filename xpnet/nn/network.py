"""A network: a layer, a loss at its end and a penalty, as pure functions of the variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from xpnet.nn.checks import check_gradients, check_like
from xpnet.nn.context import Context
from xpnet.nn.layer import Layer, Shape, Tree, Variables
from xpnet.nn.losses.loss import REDUCTIONS, Loss
from xpnet.nn.pixels import on_pixels
from xpnet.trees import leaves, map_tree
from xpnet.validation import check_name, check_number, check_shape, settle

Array = Any


@dataclass(frozen=True)
class Network:
    """What is trained, without arrays.

    Parameters
    ----------
    layer : Layer
        From the inputs to the outputs; mostly a `Sequential`.
    inputs : tuple of int
        The shape of one sample.
    loss : Loss
        What is minimised.
    reduction : {"mean", "sum"}, default "mean"
        How the loss of a batch comes from the losses of its samples.
    l2 : float, default 0.0
        The factor of the penalty ``0.5 * l2 * sum(W**2)`` over the weights, not the biases.

    Raises
    ------
    InvalidInputError
        If a layer does not fit its inputs, the loss does not fit the outputs, or a setting is unknown.
    """

    layer: Layer
    inputs: Shape
    loss: Loss
    reduction: str = "mean"
    l2: float = 0.0

    def __post_init__(self) -> None:
        check_name("reduction", self.reduction, REDUCTIONS)
        settle(self, inputs=check_shape("inputs", self.inputs), l2=check_number("l2", self.l2, 0.0))
        self.loss.check_outputs(self.outputs)

    @cached_property
    def outputs(self) -> Shape:
        """The shape of one sample's outputs."""
        return self.layer.output_shape(self.inputs)

    @cached_property
    def variables(self) -> Variables:
        """What the layers declare: trees of `Parameter`."""
        return self.layer.variables(self.inputs)

    @cached_property
    def decayed(self) -> Tree:
        """Which parameters penalty and decay touch: a tree of bool."""
        return map_tree(lambda parameter: parameter.decayed, self.variables.params)

    def on_pixels(self, scale: float) -> Network:
        """Return the network that takes bytes and multiplies them by a constant first."""
        return replace(self, layer=on_pixels(self.layer, scale))

    def forward(self, c: Context, v: Variables, x: Array) -> Array:
        """Return the outputs, shape (batch, *outputs)."""
        return self.layer.forward(c, v, x)[0]

    def loss_of(self, c: Context, v: Variables, data: Mapping[str, Array]) -> Array:
        """Return the loss of a batch with its penalty, shape ``()``.

        Parameters
        ----------
        c : Context
            What computes.
        v : Variables
            The network's.
        data : mapping
            ``x`` and ``t``, and ``weight`` where samples have weights.
        """
        return self.loss_of_outputs(c, v, self.forward(c, v, data["x"]), data)

    def loss_of_outputs(self, c: Context, v: Variables, y: Array, data: Mapping[str, Array]) -> Array:
        """Return the loss of a batch with its penalty, shape ``()``, from the outputs."""
        values = self.loss.values(c.xp, y, data["t"])
        weight = self.weight(c, data)
        return self._total(c, v, _weighted(values, weight), self._factor(c, y, weight))

    def loss_and_gradients(
        self, c: Context, v: Variables, data: Mapping[str, Array]
    ) -> tuple[Array, Tree, Tree]:
        """Return the loss of a batch, shape ``()``, its gradient by parameter, and the new running state."""
        y, cache, state = self.layer.forward(c, v, data["x"])
        check_like("the outputs of the layers", y, (data["x"].shape[0], *self.outputs))
        values, dy = self.loss.values_and_gradient(c.xp, y, data["t"])
        check_like("the values of the loss", values, (y.shape[0],))
        check_like("the gradient of the loss", dy, tuple(y.shape))
        weight = self.weight(c, data)
        factor = self._factor(c, y, weight)
        value = self._total(c, v, _weighted(values, weight), factor)
        dy = _scaled(_weighted(dy, None if weight is None else _like_rows(c.xp, weight, dy)), factor)
        _, gradients = self.layer.backward(c, v, dy, cache, need_dx=False)
        check_gradients(v.params, gradients)
        if self.l2:
            gradients = map_tree(partial(self._penalised, c.xp), v.params, gradients, self.decayed)
        return value, gradients, state

    def weight(self, c: Context, data: Mapping[str, Array]) -> Array | None:
        """Return how much each sample counts, by itself and by its target; None where all count alike."""
        own, of_target = data.get("weight"), self.loss.weights(c.xp, data["t"], c.dtype)
        if own is None or of_target is None:
            return of_target if own is None else own
        return own * of_target

    def _total(self, c: Context, v: Variables, values: Array, factor: Array | float) -> Array:
        """Return the loss of a batch with its penalty from the values of its samples."""
        value = _scaled(c.samples.sum(values), factor)
        return value + self.penalty(c, v.params) if self.l2 else value

    def penalty(self, c: Context, params: Tree) -> Array:
        """Return ``0.5 * l2 * sum(W**2)`` over the weights, shape ``()``."""
        marked = zip(leaves(params), leaves(self.decayed), strict=True)
        squares = [c.xp.sum(weights * weights) for weights, decayed in marked if decayed]
        return sum(squares[1:], start=squares[0]) * (0.5 * self.l2) if squares else 0.0

    def _penalised(self, xp: Any, parameter: Array, gradient: Array, decayed: bool) -> Array:
        return xp.add(gradient, xp.multiply(parameter, self.l2)) if decayed else gradient

    def _factor(self, c: Context, y: Array, weight: Array | None) -> Array | float:
        """Return what the sum over the samples is multiplied by: one over their number, or their weight."""
        if self.reduction == "sum":
            return 1.0
        elements = self.loss.elements(tuple(y.shape[1:]))
        if weight is None:
            # Inverted on the host: a compiled division by a constant may round differently.
            return 1.0 / (c.samples.count(y.shape[0]) * elements)
        total = c.samples.sum(weight) * float(elements)
        return c.xp.divide(c.xp.ones_like(total), c.xp.where(total > 0, total, c.xp.ones_like(total)))


def _scaled(array: Array, factor: Array | float) -> Array:
    return array if isinstance(factor, float) and factor == 1.0 else array * factor


def _weighted(array: Array, weight: Array | None) -> Array:
    return array if weight is None else array * weight


def _like_rows(xp: Any, weight: Array, rows: Array) -> Array:
    """Return a weight for each sample, of a shape that broadcasts with rows."""
    return xp.reshape(weight, (weight.shape[0],) + (1,) * (rows.ndim - 1))
