"""Initial weights: drawn on the host in float64, so that they are the same bits on every library."""

from __future__ import annotations

import math
from typing import Any

from xpnet.random import Stream
from xpnet.validation import check_name, check_number

Array = Any

INITIALIZERS = ("he", "uniform", "xavier")


def initial_weights(init: str | float, stream: Stream, inputs: int, outputs: int) -> Array:
    """Draw the weights of one layer.

    Parameters
    ----------
    init : {"he", "xavier", "uniform"} or float
        ``"he"``: normal, variance ``2 / inputs``, for ReLU [1]_. ``"xavier"``: normal, variance
        ``2 / (inputs + outputs)``, for sigmoid and tanh [2]_. ``"uniform"``: between
        ``-1 / sqrt(inputs)`` and ``1 / sqrt(inputs)``. A number: normal with this standard deviation.
    stream : Stream
        Where the random numbers come from.
    inputs, outputs : int
        The layer's sizes.

    Returns
    -------
    numpy.ndarray, shape (inputs, outputs), float64

    Raises
    ------
    InvalidInputError
        If the name is unknown, or the standard deviation is not a finite number of at least 0.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Delving deep into rectifiers", ICCV 2015.
    .. [2] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward neural
       networks", AISTATS 2010.

    Examples
    --------
    >>> initial_weights(0.01, Stream(0, "W1"), 784, 50).shape
    (784, 50)
    """
    shape = (inputs, outputs)
    init = check_init(init)
    if init == "uniform":
        return (2.0 * stream.uniform(shape) - 1.0) * (1.0 / math.sqrt(inputs))
    return stream.normal(shape) * _standard_deviation(init, inputs, outputs)


def check_init(init: Any) -> str | float:
    """Return the name of an initialiser or a standard deviation, or raise `InvalidInputError`."""
    if isinstance(init, str):
        return check_name("initializer", init, INITIALIZERS)
    return check_number("init as a standard deviation", init, 0.0)


def _standard_deviation(init: str | float, inputs: int, outputs: int) -> float:
    if init == "he":
        return math.sqrt(2.0 / inputs)
    if init == "xavier":
        return math.sqrt(2.0 / (inputs + outputs))
    return float(init)
