"""The gradient check: backward against central differences, in float64, away from kinks."""

from __future__ import annotations

from typing import Any

from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.chain import PIXEL_SCALE, Chain
from xpnet.nn.layers import Affine, Params
from xpnet.nn.network import MLP
from xpnet.nn.numerical import numerical_gradient

Array = Any

_SMALLEST_GAP = 1e-2
"""Below this gap between the outputs of two samples, a hidden unit is made positive for all of them."""


def gradcheck(net: MLP, x: Array, t: Array, h: float = 1e-5) -> dict[str, float]:
    """Compare the backward pass with the numerical gradient.

    A copy of the network is checked, in float64. Where its activation has a kink, the copy's hidden
    biases are moved first, so that no sample comes near the kink: there a difference quotient
    says nothing about the derivative on either side.

    Parameters
    ----------
    net : MLP
        The network, which stays as it is.
    x : array, shape (batch, features)
        A few samples.
    t : array, shape (batch,) or (batch, classes)
        Their labels.
    h : float, default 1e-5
        The step of the central differences.

    Returns
    -------
    dict of float
        For each parameter the largest difference, relative to the largest element of its gradient.
        Right is below 1e-7; wrong is around 1.

    Raises
    ------
    InvalidInputError
        If ``x`` or ``t`` do not fit the network, or its activation cannot be trained.

    Examples
    --------
    >>> import numpy as np
    >>> net = MLP([4, 3, 2], activation="tanh", backend="numpy")
    >>> max(gradcheck(net, np.eye(4), np.asarray([0, 1, 0, 1])).values()) < 1e-7
    True
    """
    double = net.copy(dtype="float64")
    x, t = double.prepare(x, t)
    xp, chain = double.xp, double.chain
    with double.backend.scope():
        if x.dtype == xp.uint8:
            x = xp.astype(x, xp.float64) * PIXEL_SCALE
        params = dodge_kinks(xp, chain, double.params, x)
        _, backward = chain.loss_and_gradients(xp, params, x, t)
        numerical = numerical_gradient(xp, chain, params, x, t, h)
        return {name: relative_difference(xp, backward[name], numerical[name]) for name in params}


def relative_difference(xp: Any, a: Array, b: Array) -> float:
    """Return the largest absolute difference over the largest absolute element of either."""
    largest = max(float(xp.max(xp.abs(a))), float(xp.max(xp.abs(b))))
    return float(xp.max(xp.abs(a - b))) / largest if largest > 0 else 0.0


def dodge_kinks(xp: Any, chain: Chain, params: Params, x: Array) -> dict[str, Array]:
    """Return parameters whose hidden biases keep every sample away from the activation's kink at 0.

    Each hidden unit's bias is moved so that 0 lies in the middle of the widest gap between the
    unit's outputs for the samples.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    chain : Chain
        The network.
    params : mapping of arrays
        Its parameters.
    x : array, shape (batch, features)
        The samples that must stay clear of kinks.

    Returns
    -------
    dict of arrays
        Shaped like ``params``; equal to it where the activation is smooth.
    """
    moved = dict(params)
    for depth, layer in enumerate(chain.layers):
        if not isinstance(layer, Affine):
            x, _ = layer.forward(xp, x)
            continue
        following = chain.layers[depth + 1] if depth + 1 < len(chain.layers) else None
        if following is not None and ACTIVATIONS[following.name].kink:  # type: ignore[union-attr]
            outputs, _ = layer.forward(xp, moved, x)
            moved[layer.bias] = moved[layer.bias] - _middle_of_widest_gap(xp, outputs)
        x, _ = layer.forward(xp, moved, x)
    return moved


def _middle_of_widest_gap(xp: Any, outputs: Array) -> Array:
    """Return for each column of ``(batch, units)`` a value far from all its elements, ``(units,)``."""
    ordered = xp.sort(outputs, axis=0)
    ordered = xp.concat([ordered[:1, :] - _SMALLEST_GAP, ordered], axis=0)
    gaps = ordered[1:, :] - ordered[:-1, :]
    widest = xp.expand_dims(xp.argmax(gaps, axis=0), axis=0)
    middles = (ordered[1:, :] + ordered[:-1, :]) * 0.5
    return xp.take_along_axis(middles, widest, axis=0)[0, :]
