"""Samples, targets and weights as users give them, checked and laid on a model's device."""

from __future__ import annotations

import math
import sys
import warnings
from typing import Any

from xpnet.backends import Array, Backend
from xpnet.errors import InvalidInputError, XpnetError
from xpnet.nn.layer import Shape
from xpnet.nn.losses.loss import Loss

FAR = 30.0
"""Inputs that reach further are told of: networks learn from numbers of about 0..1."""
_DARK = 127
"""Bytes that are images reach further than this."""


class ScaleWarning(XpnetError, UserWarning):
    """Inputs are far from the range in which networks learn."""


def prepare_inputs(backend: Backend, x: Any, inputs: Shape, dtype: str) -> Array:
    """Return samples on the device, of shape (batch, *inputs), uint8 or the network's dtype.

    Raises
    ------
    InvalidInputError
        If they have another shape, or hold anything but finite real numbers.
    """
    xp = backend.xp
    x = check_numeric(xp, "x", backend.asarray(x, name="x"))
    x = x if x.dtype == xp.uint8 else backend.asarray(x, dtype)
    return _shaped(xp, x, inputs)


def prepare_ids(backend: Backend, x: Any, inputs: Shape, count: int) -> Array:
    """Return samples that are integer ids on the device, of shape (batch, *inputs), int32.

    Raises
    ------
    InvalidInputError
        If they have another shape, are no whole numbers, or not from 0 to ``count - 1``.
    """
    xp = backend.xp
    x = check_numeric(xp, "x", backend.asarray(x, name="x"))
    if xp.isdtype(x.dtype, "real floating"):
        largest_magnitude(xp, x)
        if bool(xp.any(x != xp.round(x))):
            raise InvalidInputError("x must hold whole numbers, the ids that the first layer takes")
    elif x.dtype == xp.bool:
        x = xp.astype(x, xp.int32)
    x = _shaped(xp, x, inputs)
    lowest, highest = int(xp.min(x)), int(xp.max(x))
    if lowest < 0 or highest >= count:
        raise InvalidInputError(
            f"ids in x must lie between 0 and {count - 1}, the first layer knows {count};"
            f" these run from {lowest} to {highest}"
        )
    return backend.asarray(x, "int32")


def prepare_targets(backend: Backend, t: Any, loss: Loss, outputs: Shape, dtype: str) -> Array:
    """Return targets on the device as the loss takes them: labels in int32, values in the network's dtype.

    Raises
    ------
    InvalidInputError
        If they do not fit the loss or the outputs.
    """
    xp = backend.xp
    t = loss.check(xp, check_numeric(xp, "t", backend.asarray(t, name="t")), outputs, backend.dtype(dtype))
    return backend.asarray(t, "int32" if xp.isdtype(t.dtype, "integral") else dtype)


def prepare_weight(backend: Backend, weight: Any, samples: int, dtype: str) -> Array:
    """Return a weight for each sample on the device, shape (samples,).

    Raises
    ------
    InvalidInputError
        If they are not as many as the samples, or not finite numbers of at least 0, some of them above.
    """
    xp = backend.xp
    weight = backend.asarray(weight, dtype, "sample_weight")
    if tuple(weight.shape) != (samples,):
        raise InvalidInputError(
            f"sample_weight must have the shape ({samples},), a weight for each sample of x; it has the shape"
            f" {tuple(weight.shape)}"
        )
    lowest, highest = float(xp.min(weight)), float(xp.max(weight))
    if not 0.0 <= lowest <= highest < math.inf or highest == 0.0:
        raise InvalidInputError(
            f"sample_weight must hold finite numbers of at least 0, some above; these run from {lowest:g} to"
            f" {highest:g}"
        )
    return weight


def largest_magnitude(xp: Any, x: Array) -> float:
    """Return the largest magnitude of samples, or raise `InvalidInputError` where one is not finite."""
    if xp.isdtype(x.dtype, "integral"):
        return float(xp.max(x))
    largest = float(xp.max(xp.abs(x)))
    if not math.isfinite(largest):
        raise InvalidInputError(
            f"x contains NaN, infinity or numbers beyond {x.dtype}: clean the data, or fill what is missing"
        )
    return largest


def are_pixels(xp: Any, x: Array) -> bool:
    """Tell whether samples are bytes that reach as far as images do."""
    return bool(x.dtype == xp.uint8) and largest_magnitude(xp, x) > _DARK


def warn_of_scale(largest: float) -> None:
    """Tell that inputs are far from 0..1."""
    warnings.warn(
        ScaleWarning(
            f"x has numbers as large as {largest:g}; networks learn from numbers of about 0..1: scale them,"
            " or give images as uint8, which are scaled for you"
        ),
        stacklevel=_levels_to_the_user(),
    )


def _levels_to_the_user() -> int:
    """Return how many calls up the first one is that is no function of the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("xpnet."):
        frame, level = frame.f_back, level + 1
    return level


def check_numeric(xp: Any, name: str, array: Array) -> Array:
    """Return an array of numbers or truth values, or raise `InvalidInputError` naming the argument."""
    if not xp.isdtype(array.dtype, ("bool", "integral", "real floating")):
        raise InvalidInputError(f"{name} must be an array of real numbers, not one of dtype {array.dtype}")
    return array


def _shaped(xp: Any, x: Array, inputs: Shape) -> Array:
    """Return samples of the shape that the network takes; images and vectors become one another."""
    if x.ndim > 1 and tuple(x.shape[1:]) != inputs and _same_numbers(x.shape[1:], inputs):
        x = xp.reshape(x, (x.shape[0], *inputs))
    if x.ndim != len(inputs) + 1 or tuple(x.shape[1:]) != inputs:
        wanted = ", ".join(map(str, ("batch", *inputs)))
        one = ", ".join(map(str, (1, *inputs)))
        hint = f"; for one sample, give x[None, :] of shape ({one})" if x.ndim == len(inputs) else ""
        raise InvalidInputError(
            f"x must have the shape ({wanted}): one sample a row, as many columns as the network has inputs;"
            f" it has the shape {tuple(x.shape)}{hint}"
        )
    if x.shape[0] == 0:
        raise InvalidInputError("x is empty: there must be at least one sample")
    return x


def _same_numbers(shape: Shape, inputs: Shape) -> bool:
    return math.prod(shape) == math.prod(inputs) and (len(shape) > 1 or len(inputs) > 1)
