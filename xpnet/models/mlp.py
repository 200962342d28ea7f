"""The multilayer perceptron: fully connected layers with one activation between them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xpnet.backends import Backend
from xpnet.errors import InvalidInputError
from xpnet.models.blueprint import Blueprint
from xpnet.models.model import Model
from xpnet.nn.activations import ACTIVATIONS
from xpnet.nn.affine import Dense
from xpnet.nn.layer import Layer, Variables
from xpnet.nn.losses.loss import Loss
from xpnet.nn.losses.table import get_loss
from xpnet.nn.network import Network
from xpnet.nn.sequential import Sequential
from xpnet.validation import check_name, check_sizes


def perceptron(sizes: Sequence[int], activation: str | Sequence[str], init: str | float = "he") -> Sequential:
    """Return the layers of a perceptron: fully connected ones with an activation between each two.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, outputs.
    activation : str or sequence of str
        A name in `ACTIVATIONS`; or one for each hidden layer.
    init : str or float, default "he"
        The initial weights.

    Raises
    ------
    InvalidInputError
        If an argument is unknown or out of range.

    Examples
    --------
    >>> perceptron([2, 3, 4, 2], ["relu", "tanh"]).layers[1::2]
    (ReLU(), Tanh())
    """
    sizes = check_sizes(sizes)
    depth, several = len(sizes) - 2, isinstance(activation, tuple | list)
    names = [
        check_name("activation", name, ACTIVATIONS) for name in (activation if several else [activation])
    ]
    names = names if several else names * depth
    if len(names) != depth:
        raise InvalidInputError(
            f"activation must be one name, or one for each of the {depth} hidden layers, not {activation!r}"
        )
    layers: list[Layer] = []
    for units, name in zip(sizes[1:], names, strict=False):
        layers += [Dense(units, init), ACTIVATIONS[name]()]
    return Sequential((*layers, Dense(sizes[-1], init)))


class MLP(Model):
    """A multilayer perceptron, on any array library.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, outputs: ``[784, 50, 10]``. Two sizes make softmax regression.
    activation : str or sequence of str, default "relu"
        Between the layers: ``"relu"``, ``"leaky_relu"``, ``"gelu"``, ``"silu"``, ``"softplus"``,
        ``"sigmoid"``, ``"tanh"``, ``"softmax"``, ``"identity"``, ``"step"``; or one name for each hidden
        layer. The derivative of ReLU at 0 is 0; ``"step"`` cannot be trained.
    init : {"he", "xavier", "uniform"} or float, default "he"
        The initial weights; a number is the standard deviation of normal ones. Biases begin at 0.
    seed, dtype, backend, device, arithmetic, l2, loss, reduction, scale
        As for `Model`.

    Raises
    ------
    InvalidInputError
        If an argument is unknown or out of range.
    BackendError
        If the library or the device cannot be used, or lacks the dtype.

    Examples
    --------
    >>> import numpy as np
    >>> net = MLP([2, 3, 2], activation="tanh", backend="numpy")
    >>> net.predict(np.zeros((1, 2)))
    array([0])
    """

    def __init__(
        self,
        sizes: Sequence[int],
        activation: str | Sequence[str] = "relu",
        init: str | float = "he",
        seed: int = 0,
        dtype: str = "float32",
        backend: str | Backend = "auto",
        device: str | None = None,
        arithmetic: str = "standard",
        l2: float = 0.0,
        loss: str | Loss = "softmax_cross_entropy",
        reduction: str = "mean",
        scale: str = "auto",
    ) -> None:
        layers, inputs = perceptron(sizes, activation, init), (check_sizes(sizes)[0],)
        super().__init__(layers, inputs, loss, reduction, l2, seed, dtype, backend, device, arithmetic, scale)

    @classmethod
    def from_params(
        cls,
        params: Mapping[str, Any],
        backend: str | Backend = "auto",
        device: str | None = None,
        activation: str | Sequence[str] = "relu",
        init: str | float = "he",
        loss: str | Loss = "softmax_cross_entropy",
        reduction: str = "mean",
        l2: float = 0.0,
        **settings: Any,
    ) -> MLP:
        """Return a network with the given parameters ``W1 b1 W2 b2 …``.

        Parameters
        ----------
        params : mapping of arrays
            Of any library; the sizes are read from their shapes.
        backend, device
            As for the network itself.
        activation, init, loss, reduction, l2
            As for the network itself.
        **settings
            ``seed``, ``dtype``, ``arithmetic``, ``scale``.

        Returns
        -------
        MLP

        Raises
        ------
        InvalidInputError
            If a parameter is missing, superfluous, or of a shape that does not fit the others.

        Examples
        --------
        >>> import numpy as np
        >>> MLP.from_params({"W1": np.eye(2), "b1": np.zeros(2)}, backend="numpy").sizes
        [2, 2]
        """
        sizes = sizes_of(params)
        layers = perceptron(sizes, activation, init)
        network = Network(layers, (sizes[0],), get_loss(loss), reduction, l2)
        return cls.build(blueprint_of(network, settings), Variables(params, {}), backend, device)

    @property
    def title(self) -> str:
        """Sizes and activations, for a reader: ``784-50-10 ReLU``."""
        layers = self.network.layer.layers  # type: ignore[attr-defined]
        names = dict.fromkeys(type(layer).__name__ for layer in layers[1::2])
        return " ".join(["-".join(map(str, self.sizes)), *names])

    @property
    def sizes(self) -> list[int]:
        """Inputs, hidden units of each layer, outputs."""
        return sizes_of(self.params)


def blueprint_of(network: Network, settings: Mapping[str, Any]) -> Blueprint:
    """Return a blueprint with other settings than the defaults; `InvalidInputError` on unknown ones."""
    return Blueprint(network).changed(**settings)


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
        named = ", ".join(sorted(params)) or "none"
        raise InvalidInputError(f"expected W1, b1, W2, b2 … with matrices W1, W2 …; there are {named}")
    return [weights[0].shape[0], *(W.shape[1] for W in weights)]  # type: ignore[union-attr]
