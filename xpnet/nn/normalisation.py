"""Layers that bring what they are given to mean 0 and variance 1: over the batch, or over each sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.layer import Cache, Layer, Parameter, Shape, Tree, Variables
from xpnet.validation import check_number, settle

Array = Any


def _check_axis(layer: Layer, inputs: Shape) -> Shape:
    if not inputs:
        raise InvalidInputError(f"{layer!r} takes samples of one axis or more, not single numbers")
    return inputs


class _Normalisation(Layer):
    """A layer whose outputs are ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``."""

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of the inputs; there must be an axis."""
        return _check_axis(self, inputs)

    def shapes(self, inputs: Shape) -> list[Shape]:
        """Return the shapes of the inputs, what they are when normalised, and the outputs."""
        return [inputs, inputs, inputs]


@dataclass(frozen=True)
class BatchNorm(_Normalisation):
    """Batch normalisation [1]_: each feature, or each channel of an image, gets mean 0 and variance 1.

    ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``. A sample's first axis is that of features or
    channels, ``(features,)`` or ``(channels, height, width)``; mean and variance are over all others and the
    batch. While training they are those of the mini-batch, the variance the biased one, which divides by the
    number of values. Else they are the running ones, so that a sample's outputs do not depend on others:
    ``running = momentum * running + (1 - momentum) * batch``, from means 0 and variances 1 on.

    Parameters
    ----------
    momentum : float, default 0.9
        How much of the running mean and variance an iteration leaves, from 0 to 1; PyTorch's ``momentum`` is
        ``1 - momentum``.
    epsilon : float, default 1e-5
        Added to the variance.

    Raises
    ------
    InvalidInputError
        If a setting is out of range; while training, if a mini-batch holds only one value of each feature.

    Notes
    -----
    The running variance averages the unbiased one, which divides by the number of values less one, as
    PyTorch's does: both give the same outputs after the same steps.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing
       internal covariate shift", ICML 2015.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> x, gamma, beta = np.asarray([[1.0], [3.0]]), np.ones(1), np.zeros(1)
    >>> v = Variables({"gamma": gamma, "beta": beta}, {"mean": np.zeros(1), "variance": np.ones(1)})
    >>> y, _, state = BatchNorm().forward(context(np, training=True), v, x)
    >>> y.round(3), state["mean"]
    (array([[-1.],
           [ 1.]]), array([0.2]))
    """

    momentum: float = 0.9
    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        settle(self, momentum=check_number("momentum", self.momentum, 0.0, 1.0))
        settle(self, epsilon=_check_epsilon(self.epsilon))

    def variables(self, inputs: Shape) -> Variables:
        """Declare ``gamma`` and ``beta``, as state ``mean`` and ``variance``: each of shape (features,)."""
        shape = _check_axis(self, inputs)[:1]
        ones, zeros = Parameter(shape, "ones"), Parameter(shape)
        return Variables({"gamma": ones, "beta": zeros}, {"mean": zeros, "variance": ones})

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the outputs, of the shape of the inputs, a cache, and the new running state."""
        xp, mean, variance, state = c.xp, v.state["mean"], v.state["variance"], v.state
        if c.training:
            axes, share = _over(x), 1.0 / self._count(c, x)
            mean = c.samples.sum(x, axes) * share
            centred = x - _like(xp, mean, x)
            variance = c.samples.sum(centred * centred, axes) * share
            state = self._moved(v.state, mean, variance, share)
        else:
            centred = x - _like(xp, mean, x)
        deviation = _like(xp, xp.sqrt(variance + self.epsilon), x)
        # Divided, and here and below before anything else: a product with the inverse would lift what some
        # libraries take for zero.
        normal = xp.divide(centred, deviation)
        y = normal * _like(xp, v.params["gamma"], x) + _like(xp, v.params["beta"], x)
        return y, (normal, deviation), state

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs and of the parameters.

        With ``n`` the normalised inputs and means over the batch: ``dbeta = sum(dy)``,
        ``dgamma = sum(dy * n)``, ``dx = gamma * (dy - n * mean(dy * n) - mean(dy)) / deviation``.
        """
        xp, axes, (normal, deviation) = c.xp, _over(dy), cache
        along, total = c.samples.sum(dy * normal, axes), c.samples.sum(dy, axes)
        gradients = {"gamma": along, "beta": total}
        if not need_dx:
            return None, gradients
        share = 1.0 / self._count(c, dy)
        slope, mean = (xp.divide(_like(xp, part * share, dy), deviation) for part in (along, total))
        dx = xp.divide(dy, deviation) - normal * slope - mean
        return dx * _like(xp, v.params["gamma"], dy), gradients

    def _count(self, c: Context, x: Array) -> int:
        """Return how many values a mean is over; there must be several."""
        count = c.samples.count(x.shape[0]) * math.prod(x.shape[2:])
        if count < 2:
            raise InvalidInputError(
                f"{self!r} cannot learn from one value of each feature, whose variance is 0: give batches of"
                " two samples or more; where the last of an epoch is smaller, drop_last=True leaves it out"
            )
        return count

    def _moved(self, state: Tree, mean: Array, variance: Array, share: float) -> Tree:
        """Return the running mean and the running unbiased variance, moved towards those of a batch."""
        fresh = 1.0 - self.momentum
        return {
            "mean": self.momentum * state["mean"] + fresh * mean,
            "variance": self.momentum * state["variance"] + (fresh / (1.0 - share)) * variance,
        }


@dataclass(frozen=True)
class LayerNorm(_Normalisation):
    """Layer normalisation [1]_: each sample's last axis gets mean 0 and variance 1.

    ``gamma * (x - mean) / sqrt(variance + epsilon) + beta``, mean and (biased) variance over the last axis:
    all of a vector, each position of a sequence ``(length, width)``. Other samples have no influence.

    Parameters
    ----------
    epsilon : float, default 1e-5
        Added to the variance.

    Raises
    ------
    InvalidInputError
        If the setting is out of range.

    References
    ----------
    .. [1] J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization", arXiv:1607.06450, 2016.

    Examples
    --------
    >>> import numpy as np
    >>> from xpnet.nn.context import context
    >>> v = Variables({"gamma": np.ones(2), "beta": np.zeros(2)}, {})
    >>> LayerNorm().forward(context(np), v, np.asarray([[1.0, 3.0]]))[0].round(3)
    array([[-1.,  1.]])
    """

    epsilon: float = 1e-5

    def __post_init__(self) -> None:
        settle(self, epsilon=_check_epsilon(self.epsilon))

    def variables(self, inputs: Shape) -> Variables:
        """Declare ``gamma`` and ``beta``, each of shape (width,)."""
        shape = _check_axis(self, inputs)[-1:]
        return Variables({"gamma": Parameter(shape, "ones"), "beta": Parameter(shape)}, {})

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the outputs, of the shape of the inputs, a cache, and no state."""
        xp = c.xp
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        variance = xp.mean(centred * centred, axis=-1, keepdims=True)
        deviation = xp.sqrt(variance + self.epsilon)
        normal = xp.divide(centred, deviation)
        return normal * v.params["gamma"] + v.params["beta"], (normal, deviation), {}

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs and of the parameters."""
        xp, (normal, deviation), axes = c.xp, cache, tuple(range(dy.ndim - 1))
        gradients = {"gamma": c.samples.sum(dy * normal, axes), "beta": c.samples.sum(dy, axes)}
        if not need_dx:
            return None, gradients
        scaled = xp.divide(dy * v.params["gamma"], deviation)
        slope = xp.mean(scaled * normal, axis=-1, keepdims=True)
        return scaled - normal * slope - xp.mean(scaled, axis=-1, keepdims=True), gradients


def _check_epsilon(epsilon: float) -> float:
    """Return a number that keeps variances of 0 from being divided by."""
    return check_number("epsilon", epsilon, 1e-30)


def _over(x: Array) -> tuple[int, ...]:
    """Return the axes of a batch ``(batch, channels, ...)`` but that of the channels."""
    return (0, *range(2, x.ndim))


def _like(xp: Any, values: Array, x: Array) -> Array:
    """Return a value for each channel, of a shape that broadcasts with a batch."""
    return xp.reshape(values, (-1, *(1 for _ in x.shape[2:]))) if x.ndim > 2 else values
