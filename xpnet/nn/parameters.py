"""The parameters of a network as a whole: what they begin as, and which sizes they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.chain import Chain
from xpnet.nn.initializers import initial_weights
from xpnet.random import Stream


def initial_parameters(chain: Chain, init: str | float, seed: int) -> dict[str, Any]:
    """Draw the weights of every layer; biases begin at 0.

    Parameters
    ----------
    chain : Chain
        The network.
    init : str or float
        As for `initial_weights`.
    seed : int
        Each layer's weights have a stream of their own.

    Returns
    -------
    dict of numpy.ndarray
        ``W1`` of shape ``(inputs, outputs)``, ``b1`` of shape ``(outputs,)``, ``W2`` …, in float64.

    Examples
    --------
    >>> from xpnet.nn.layers import fully_connected
    >>> params = initial_parameters(Chain(fully_connected([3, 2], "relu")), "he", seed=0)
    >>> {name: value.shape for name, value in params.items()}
    {'W1': (3, 2), 'b1': (2,)}
    """
    params = {}
    for layer in chain.affine_layers:
        stream = Stream(seed, layer.weight)
        params[layer.weight] = initial_weights(init, stream, layer.inputs, layer.outputs)
        params[layer.bias] = initial_weights(0.0, stream, 1, layer.outputs)[0, :] * 0.0
    return params


def check_parameters(chain: Chain, params: Mapping[str, Any]) -> None:
    """Raise `InvalidInputError` unless the parameters have the names and shapes of the chain's layers."""
    if set(chain.shapes) != set(params):
        raise InvalidInputError(
            f"a network of the sizes {chain.sizes} has the parameters {', '.join(chain.shapes)};"
            f" these are {', '.join(sorted(params))}"
        )
    for name, shape in chain.shapes.items():
        found = tuple(getattr(params[name], "shape", ()))
        if found != shape:
            raise InvalidInputError(
                f"{name} must have the shape {shape} in a network of the sizes {chain.sizes}, not {found}"
            )


def sizes_of(params: Mapping[str, Any]) -> list[int]:
    """Return the layer sizes that the shapes of ``W1 W2 …`` tell.

    Raises
    ------
    InvalidInputError
        If the weights are not numbered from 1, or are no matrices.

    Examples
    --------
    >>> import numpy as np
    >>> sizes_of({"W1": np.zeros((4, 3)), "b1": np.zeros(3)})
    [4, 3]
    """
    depth = sum(name.startswith("W") for name in params)
    weights = [params.get(f"W{i}") for i in range(1, depth + 1)]
    if not weights or any(getattr(W, "ndim", None) != 2 for W in weights):
        given = ", ".join(sorted(params)) or "none"
        raise InvalidInputError(f"expected W1, b1, W2, b2 … with matrices W1, W2 …; there are {given}")
    return [weights[0].shape[0], *(W.shape[1] for W in weights)]  # type: ignore[union-attr]
