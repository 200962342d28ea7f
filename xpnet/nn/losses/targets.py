"""Targets: labels and rows of values, checked and brought into the form that a loss takes."""

from __future__ import annotations

from typing import Any

from xpnet.errors import InvalidInputError

Array = Any
Shape = tuple[int, ...]

_ROUNDING = 1e-3
"""Rows of probabilities may be so far from adding up to 1."""


def one_hot(xp: Any, targets: Array, outputs: Array) -> Array:
    """Return integer labels as rows of zeros with a one, of the dtype of ``outputs``; rows as they are.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    targets : array, shape (batch,) of integers, or (batch, classes)
        The labels.
    outputs : array, shape (batch, classes)
        What they are to be compared with.

    Returns
    -------
    array, shape (batch, classes)

    Examples
    --------
    >>> import numpy as np
    >>> one_hot(np, np.asarray([2, 0]), np.zeros((2, 3)))
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """
    if targets.ndim == 2:
        return xp.astype(targets, outputs.dtype, copy=False)
    return one_hot_rows(xp, targets, outputs.shape[-1], outputs.dtype)


def one_hot_rows(xp: Any, labels: Array, classes: int, dtype: Any) -> Array:
    """Return integer labels ``(batch,)`` as rows ``(batch, classes)`` of zeros with a one."""
    # Arrays under JAX's tracer have no device; what they are combined with settles it.
    numbers = xp.arange(classes, dtype=labels.dtype, device=getattr(labels, "device", None))
    return xp.astype(xp.expand_dims(labels, axis=-1) == numbers, dtype)


def check_labels(xp: Any, t: Array, outputs: Shape) -> Array:
    """Return labels ``(batch,)`` or rows ``(batch, classes)``, or raise `InvalidInputError`."""
    samples, classes = outputs
    if t.ndim == 2 and tuple(t.shape) == (samples, classes):
        return t
    if t.ndim != 1 or t.shape[0] != samples:
        raise InvalidInputError(
            f"t must have the shape ({samples},), a label for each sample of x, or ({samples}, {classes}),"
            f" a one-hot row for each; it has the shape {tuple(t.shape)}"
        )
    if not xp.isdtype(t.dtype, "integral"):
        raise InvalidInputError(
            f"labels must be integers, not {t.dtype}; for one-hot rows give {classes} columns"
        )
    low, high = int(xp.min(t)), int(xp.max(t))
    if low < 0 or high >= classes:
        raise InvalidInputError(
            f"labels must lie between 0 and {classes - 1}, the network has {classes} outputs;"
            f" these run from {low} to {high}"
        )
    return t


def check_probabilities(xp: Any, t: Array) -> Array:
    """Return rows of probabilities, or raise `InvalidInputError`.

    The cross-entropy's gradient, softmax minus targets, is right for rows that add up to 1 alone.
    """
    check_finite(xp, t)
    if bool(xp.any(t < 0)):
        raise InvalidInputError("t has negative entries: its rows must be one-hot, or probabilities")
    if bool(xp.any(xp.abs(xp.sum(t, axis=1) - 1.0) > _ROUNDING)):
        raise InvalidInputError(
            "each row of t must add up to 1, as one-hot rows and probabilities do;"
            " for other target values give loss='mean_squared_error' to the network"
        )
    return t


def check_values(xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
    """Return target values ``(batch, outputs)``, or raise `InvalidInputError`.

    One value a sample may come as a vector; integer labels for several outputs become one-hot rows.
    """
    samples, width = outputs
    if width == 1 and t.ndim == 1 and t.shape[0] == samples:
        t = xp.reshape(t, (samples, 1))
    elif width > 1 and t.ndim == 1:
        return one_hot_rows(xp, check_labels(xp, t, outputs), width, dtype)
    if tuple(t.shape) != (samples, width):
        vector = f"({samples},) or " if width == 1 else ""
        raise InvalidInputError(
            f"t must have the shape {vector}({samples}, {width}), the values that the network should give for"
            f" each sample of x; it has the shape {tuple(t.shape)}"
        )
    return check_finite(xp, xp.astype(t, dtype, copy=False))


def check_finite(xp: Any, t: Array) -> Array:
    """Return target values, or raise `InvalidInputError` where one is no finite number."""
    if not bool(xp.all(xp.isfinite(t))):
        raise InvalidInputError("t contains NaN or infinity")
    return t
