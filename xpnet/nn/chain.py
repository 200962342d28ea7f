"""A chain of layers with a loss at its end: pure functions of the parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from xpnet.nn.layers import Activation, Affine, Params
from xpnet.nn.losses import LOSSES, REDUCTIONS
from xpnet.validation import check_name

Array = Any

PIXEL_SCALE = 1.0 / 255.0
"""What images stored as bytes are multiplied by."""


@dataclass(frozen=True)
class Chain:
    """Layers in a row, a loss, and a penalty on the weights.

    Inputs are ``(batch, features)`` in the dtype of the parameters, or in uint8: bytes are taken for
    pixels and scaled to 0..1, on the device and only for the batch at hand.

    Parameters
    ----------
    layers : tuple of layers
        From the inputs to the logits; the first one is affine.
    loss : str
        A name in `LOSSES`.
    reduction : {"mean", "sum"}
        How the loss of a batch comes from the losses of its samples.
    l2 : float
        The factor of the penalty ``0.5 * l2 * sum(W**2)`` over the weights, not the biases.
    integer_pixels : bool
        Whether the namespace multiplies matrices of bytes with matrices of floats as they are.

    Raises
    ------
    InvalidInputError
        If loss or reduction are unknown.
    """

    layers: tuple[Affine | Activation, ...]
    loss: str = "softmax_cross_entropy"
    reduction: str = "mean"
    l2: float = 0.0
    integer_pixels: bool = False

    def __post_init__(self) -> None:
        check_name("loss", self.loss, LOSSES)
        check_name("reduction", self.reduction, REDUCTIONS)

    @property
    def affine_layers(self) -> list[Affine]:
        """The layers that have parameters."""
        return [layer for layer in self.layers if isinstance(layer, Affine)]

    @property
    def sizes(self) -> list[int]:
        """Inputs, hidden units of each layer, outputs."""
        affine = self.affine_layers
        return [layer.inputs for layer in affine] + [affine[-1].outputs]

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the parameters by name, in order."""
        return {name: shape for layer in self.affine_layers for name, shape in layer.shapes.items()}

    def forward(self, xp: Any, params: Params, x: Array) -> tuple[Array, list[Any]]:
        """Return the logits ``(batch, classes)`` and each layer's cache."""
        scale = 1.0
        if x.dtype == xp.uint8:
            scale = PIXEL_SCALE
            x = x if self.integer_pixels else xp.astype(x, params["W1"].dtype)
        caches = []
        for layer in self.layers:
            if isinstance(layer, Affine):
                x, cache = layer.forward(xp, params, x, scale)
                scale = 1.0
            else:
                x, cache = layer.forward(xp, x)
            caches.append(cache)
        return x, caches

    def logits(self, xp: Any, params: Params, x: Array) -> Array:
        """Return the logits ``(batch, classes)``."""
        return self.forward(xp, params, x)[0]

    def loss_of(self, xp: Any, params: Params, x: Array, t: Array) -> Array:
        """Return the loss of a batch with its penalty, shape ``()``."""
        return self.loss_of_logits(xp, params, self.logits(xp, params, x), t)

    def loss_of_logits(self, xp: Any, params: Params, logits: Array, t: Array) -> Array:
        """Return the loss of a batch with its penalty, shape ``()``, from its logits."""
        value, _ = LOSSES[self.loss].forward(xp, logits, t, self.reduction)
        return value + self.penalty(xp, params) if self.l2 else value

    def penalty(self, xp: Any, params: Params) -> Array:
        """Return ``0.5 * l2 * sum(W**2)`` over the weights, shape ``()``."""
        squares = [xp.sum(params[layer.weight] * params[layer.weight]) for layer in self.affine_layers]
        return sum(squares[1:], start=squares[0]) * (0.5 * self.l2)

    def loss_and_gradients(
        self, xp: Any, params: Params, x: Array, t: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return the loss of a batch, shape ``()``, and its gradient by parameter."""
        logits, caches = self.forward(xp, params, x)
        value, loss_cache = LOSSES[self.loss].forward(xp, logits, t, self.reduction)
        dy = LOSSES[self.loss].backward(xp, loss_cache)
        gradients: dict[str, Array] = {}
        for depth in reversed(range(len(self.layers))):
            layer = self.layers[depth]
            if isinstance(layer, Affine):
                gradients |= layer.gradients(xp, dy, caches[depth])
            if depth > 0:  # nobody asks for the gradient of the data
                dy = layer.backward(xp, dy, caches[depth])
        if self.l2:
            value = value + self.penalty(xp, params)
            for layer in self.affine_layers:
                gradients[layer.weight] = gradients[layer.weight] + self.l2 * params[layer.weight]
        return value, {name: gradients[name] for name in params}
