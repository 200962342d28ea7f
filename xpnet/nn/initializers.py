"""Initial values: drawn on the host in float64, so that they are the same bits on every library."""

from __future__ import annotations

import math
from typing import Any

from xpnet.nn.checks import check_like
from xpnet.nn.layer import Parameter
from xpnet.random import Stream
from xpnet.trees import Tree, like, paths
from xpnet.validation import check_name, check_number

Array = Any

INITIALIZERS = ("he", "uniform", "xavier")
_CONSTANTS = {"zeros": 0.0, "ones": 1.0}


def initial_tree(declared: Tree, seed: int) -> Any:
    """Draw all that a network declares, each from a stream of its own that its name addresses.

    Parameters
    ----------
    declared : tree of Parameter
        What `Layer.variables` returned.
    seed : int
        Of all streams.

    Returns
    -------
    tree of numpy.ndarray, float64

    Examples
    --------
    >>> initial_tree({"b1": Parameter((2,))}, seed=0)
    {'b1': array([0., 0.])}
    """
    return like(declared, [initial(item, Stream(seed, "/".join(path))) for path, item in paths(declared)])


def initial(parameter: Parameter, stream: Stream) -> Array:
    """Draw one array.

    Parameters
    ----------
    parameter : Parameter
        Its shape and how it begins. ``"he"``: normal, variance ``2 / inputs``, for ReLU [1]_.
        ``"xavier"``: normal, variance ``2 / (inputs + outputs)``, for sigmoid and tanh [2]_. ``"uniform"``:
        between ``-1 / sqrt(inputs)`` and ``1 / sqrt(inputs)``. A number: normal with this standard
        deviation. ``"zeros"`` and ``"ones"``. A function of the stream and the shape.
    stream : Stream
        Where the random numbers come from.

    Returns
    -------
    numpy.ndarray of that shape, float64

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
    >>> initial(Parameter((784, 50), 0.01), Stream(0, "W1")).shape
    (784, 50)
    """
    init, shape = parameter.init, parameter.shape
    if callable(init):
        drawn = init(stream, shape)
        check_like("what init returns", drawn, tuple(shape))
        return drawn
    if init in _CONSTANTS:
        return stream.constant(_CONSTANTS[init], shape)
    init = check_init(init)
    inputs, outputs = parameter.fans
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
