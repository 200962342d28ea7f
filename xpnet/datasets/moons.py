"""Two moons: interleaved half circles, the classic test of a curved decision boundary."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xpnet.datasets.base import Dataset
from xpnet.random import Stream
from xpnet.validation import check_count, check_dtype, check_number

CLASS_NAMES = ("upper moon", "lower moon")


def make_moons(
    samples: int, noise: float, seed: int, dtype: str = "float64"
) -> tuple[NDArray[Any], NDArray[np.int32]]:
    """Return points on two interleaved half circles, with noise, in random order.

    The upper moon is the half circle of radius 1 about (0, 0), the lower one that about (1, 0.5); the
    points lie evenly on each. If ``samples`` is odd, the lower moon has one more.

    Parameters
    ----------
    samples : int
        The number of points, at least 1.
    noise : float
        The standard deviation of the normal noise added to both coordinates; 0 for none.
    seed : int
        Fixes the order and the noise.
    dtype : {"float64", "float32"}
        Of the coordinates.

    Returns
    -------
    x : ndarray, shape (samples, 2)
        The coordinates.
    t : ndarray of int32, shape (samples,)
        0 for the upper moon, 1 for the lower one.

    Raises
    ------
    InvalidInputError
        If ``samples`` is not a positive integer, ``noise`` is negative or not finite, or ``dtype``
        or ``seed`` is not as above.

    Examples
    --------
    >>> x, t = make_moons(5, noise=0.0, seed=0)
    >>> x.shape, sorted(t.tolist())
    ((5, 2), [0, 0, 1, 1, 1])
    """
    samples = check_count("samples", samples)
    noise = check_number("noise", noise, 0.0)
    dtype = check_dtype(dtype)
    stream = Stream(seed, "moons")
    upper = samples // 2
    t = (stream.permutation(samples) >= upper).astype(np.int32)
    x = np.empty((samples, 2))
    x[t == 0] = _half_circle(upper)
    x[t == 1] = (1.0, 0.5) - _half_circle(samples - upper)
    x += noise * stream.normal((samples, 2))
    return x.astype(dtype), t


def load_moons() -> Dataset:
    """Return 1,000 moons for training and 1,000 others for testing, noise 0.2, float32.

    Examples
    --------
    >>> load_moons().x_test.shape
    (1000, 2)
    """
    return Dataset(*make_moons(1000, 0.2, seed=0, dtype="float32"), *make_moons(1000, 0.2, 1, "float32"))


def _half_circle(points: int) -> NDArray[np.float64]:
    angle = np.linspace(0.0, np.pi, points)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)
