"""Targets and predictions as users give them, checked and brought to the host."""

from __future__ import annotations

from typing import Any

import numpy as np

from xpnet.backends.host import plain, to_host
from xpnet.errors import InvalidInputError


def labels(t: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return labels ``(samples,)``, or 0 and 1 ``(samples, labels)``, as integers of one shape.

    Raises
    ------
    InvalidInputError
        If they are no labels, or of different shapes.
    """
    pair = _whole(t, "t"), _whole(predicted, "predicted")
    _check_shapes(*pair)
    if pair[0].ndim == 2:
        for name, rows in zip(("t", "predicted"), pair, strict=True):
            if rows.min() < 0 or rows.max() > 1:
                raise InvalidInputError(
                    f"rows of labels must hold 0 and 1; those of {name} run from {rows.min()} to {rows.max()}"
                )
    return pair


def values(t: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return values ``(samples, outputs)`` in float64, of one shape.

    Raises
    ------
    InvalidInputError
        If they are no finite numbers, or of different shapes.
    """
    pair = finite(t, "t"), finite(predicted, "predicted")
    _check_shapes(*pair)
    samples = pair[0].shape[0]
    return pair[0].reshape(samples, -1), pair[1].reshape(samples, -1)


def finite(array: Any, name: str) -> np.ndarray:
    """Return finite numbers in float64, or raise `InvalidInputError` naming the argument."""
    numbers = _of_samples(array, name).astype(np.float64)
    if not np.isfinite(numbers).all():
        raise InvalidInputError(f"{name} contains NaN or infinity")
    return numbers


def _whole(array: Any, name: str) -> np.ndarray:
    found = _of_samples(array, name)
    if found.dtype.kind not in "biu":
        raise InvalidInputError(
            f"{name} must hold labels, integers or truth values, not {found.dtype}: take net.predict(x)"
        )
    return found.astype(np.int64)


def _of_samples(array: Any, name: str) -> np.ndarray:
    """Return numbers, the samples first; a single column is taken for a vector."""
    found = plain(to_host(array, name), name)
    if found.ndim not in (1, 2) or found.size == 0:
        raise InvalidInputError(
            f"{name} must have the shape (samples,) or (samples, outputs), none of them 0; it has the shape"
            f" {found.shape}"
        )
    return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found


def _check_shapes(t: np.ndarray, predicted: np.ndarray) -> None:
    if t.shape != predicted.shape:
        raise InvalidInputError(
            f"t and predicted must have one shape, a prediction for each target; they have {t.shape} and"
            f" {predicted.shape}"
        )
