"""The gradient check: backward against central differences, in float64, away from kinks."""

from __future__ import annotations

import math
from typing import Any

from xpnet.models.model import Model
from xpnet.nn.layer import Variables
from xpnet.random import Stream
from xpnet.trees import Path, flat, like, paths

Array = Any

_DISTANCE = 0.02
_KINK = 5e-8
"""Where two step sizes give slopes that differ by more of the largest slope, the function is not smooth."""
_NEGLIGIBLE = 1e-2
"""Of the largest element of all gradients: what smaller ones count as."""
_MOST_KINKS = 0.1
"""If more of a parameter's elements seem to lie at kinks, all of them are compared."""


def gradcheck(net: Model, x: Array, t: Array, h: float = 1e-5) -> dict[str, float]:
    """Compare the backward pass with the numerical gradient, for any layers.

    A copy of the network is checked, in float64, its parameters moved at random by a little: zero biases
    would put samples of zeros on the kinks of ReLU. Within a step of a kink a difference quotient says
    nothing about the derivative on either side: weights whose slopes by two step sizes disagree are left out.

    Parameters
    ----------
    net : Model
        The network, which stays as it is.
    x : array, shape (batch, *inputs)
        A few samples.
    t : array, shape (batch,) or (batch, outputs)
        Their targets.
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
        If ``x`` or ``t`` do not fit the network, or a layer cannot be trained.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet import MLP
    >>> net = MLP([4, 3, 2], activation="tanh", backend="numpy")
    >>> max(gradcheck(net, np.eye(4), np.asarray([0, 1, 0, 1])).values()) < 1e-7
    True
    """
    double = _moved(net.copy(dtype="float64"))
    backward = flat(double.gradient(x, t))
    numerical = flat(double.numerical_gradient(x, t, h))
    coarser = flat(double.numerical_gradient(x, t, 2.0 * h))
    with double.backend.scope():
        xp = double.backend.xp
        least = _NEGLIGIBLE * max(_largest(xp, value) for value in numerical.values())
        return {
            name: smooth_difference(xp, backward[name], numerical[name], coarser[name], least)
            for name in backward
        }


def _moved(net: Model) -> Model:
    """Return the network at a point nearby."""

    def moved(path: Path, value: Array) -> Array:
        noise = Stream(0, "gradcheck/" + "/".join(path)).normal(value.shape)
        return net.backend.to_numpy(value) + _DISTANCE * noise

    params = like(net.params, [moved(path, value) for path, value in paths(net.params)])
    return net.with_variables(Variables(params, net.state))


def smooth_difference(
    xp: Any, backward: Array, numerical: Array, coarser: Array, least: float = 0.0
) -> float:
    """Return the largest difference of two gradients away from kinks, relative to the largest element.

    Parameters
    ----------
    xp : namespace
        The library's functions.
    backward, numerical : arrays
        What is compared.
    coarser : array
        The numerical gradient by larger steps, which tells where kinks are.
    least : float, default 0.0
        What elements count as at least: a gradient that is zero has nothing to be relative to.
    """
    largest = max(_largest(xp, numerical), _largest(xp, coarser), least)
    kinks = xp.abs(numerical - coarser) > _KINK * largest
    if int(xp.sum(xp.astype(kinks, xp.int64))) > _MOST_KINKS * math.prod(backward.shape):
        kinks = xp.zeros_like(kinks)
    zeros = xp.zeros_like(backward)
    a, b = (xp.where(kinks, zeros, gradient) for gradient in (backward, numerical))
    return relative_difference(xp, a, b, least)


def relative_difference(xp: Any, a: Array, b: Array, least: float = 0.0) -> float:
    """Return the largest absolute difference over the largest absolute element of either."""
    largest = max(_largest(xp, a), _largest(xp, b), least)
    return float(xp.max(xp.abs(a - b))) / largest if largest > 0 else 0.0


def _largest(xp: Any, array: Array) -> float:
    return float(xp.max(xp.abs(array)))
