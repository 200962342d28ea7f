"""The multilayer perceptron: a chain of layers, its parameters, and the backend they live on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from xpnet.arithmetic.choose import get_arithmetic
from xpnet.backends import Array, Backend, get_backend
from xpnet.io import write_weights
from xpnet.nn.chain import PIXEL_SCALE, Chain
from xpnet.nn.initializers import check_init
from xpnet.nn.layers import fully_connected
from xpnet.nn.losses import softmax
from xpnet.nn.numerical import numerical_gradient
from xpnet.nn.parameters import check_parameters, initial_parameters, sizes_of
from xpnet.random import check_seed
from xpnet.validation import (
    check_dtype,
    check_inputs,
    check_number,
    check_numeric,
    check_rows,
    check_sizes,
    check_targets,
)

_ROWS_AT_ONCE = 1000
"""Samples per block of a prediction: all of MNIST in float32 would take 188 MB."""


class MLP:
    """A multilayer perceptron that classifies, on any array library.

    Parameters
    ----------
    sizes : sequence of int
        Inputs, hidden units of each layer, classes: ``[784, 50, 10]``. Two sizes make softmax regression.
    activation : {"relu", "sigmoid", "tanh", "identity", "step"}, default "relu"
        Between the layers. The derivative of ReLU at 0 is 0; ``"step"`` cannot be trained.
    init : {"he", "xavier", "uniform"} or float, default "he"
        The initial weights; a number is the standard deviation of normal ones. Biases begin at 0.
    seed : int, default 0
        Of the initial weights, which are the same bits on every library.
    dtype : {"float32", "float64"}, default "float32"
        Of the parameters and of all computing.
    backend : str or Backend, default "auto"
        See `get_backend`.
    device : str, optional
        The library's name of the device, ``"cuda:1"``.
    arithmetic : {"standard", "exact"}, default "standard"
        The library's own, or the one that gives the same bits on every library and device.
    l2 : float, default 0.0
        Adds ``0.5 * l2 * sum(W**2)`` over the weights, never the biases, to the loss.
    loss : {"softmax_cross_entropy", "mean_squared_error"}, default "softmax_cross_entropy"
        What is minimised.
    reduction : {"mean", "sum"}, default "mean"
        How the loss of a batch comes from its samples.

    Attributes
    ----------
    params : dict of arrays
        ``W1`` of shape ``(inputs, hidden)``, ``b1`` of shape ``(hidden,)``, ``W2`` …, of the backend.
    backend : Backend
        The library and device.
    chain : Chain
        The mathematics, as pure functions of the parameters.
    xp : namespace
        The functions it computes with.

    Raises
    ------
    InvalidInputError
        If an argument is unknown or out of range.
    BackendError
        If the library or the device cannot be used, or lacks the dtype.

    Notes
    -----
    Inputs may be arrays of any library; results are arrays of the network's own. Inputs of dtype uint8
    are taken for pixels and scaled to 0..1.

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
        activation: str = "relu",
        init: str | float = "he",
        seed: int = 0,
        dtype: str = "float32",
        backend: str | Backend = "auto",
        device: str | None = None,
        arithmetic: str = "standard",
        l2: float = 0.0,
        loss: str = "softmax_cross_entropy",
        reduction: str = "mean",
    ) -> None:
        self.sizes = check_sizes(sizes)
        self.dtype = check_dtype(dtype)
        self.config: dict[str, Any] = {
            "sizes": self.sizes,
            "activation": activation,
            "init": check_init(init),
            "seed": check_seed(seed),
            "dtype": self.dtype,
            "arithmetic": arithmetic,
            "l2": check_number("l2", l2, 0.0),
            "loss": loss,
            "reduction": reduction,
        }
        self.arithmetic = get_arithmetic(arithmetic)
        self.chain = Chain(
            fully_connected(self.sizes, activation),
            loss,
            reduction,
            self.config["l2"],
            self.arithmetic.integer_products,
        )
        self.backend = get_backend(backend, device)
        self.backend.require_dtype(self.dtype)
        self.backend.require_dtype(self.arithmetic.working_dtype or self.dtype)
        self.xp = self.arithmetic.namespace(self.backend.xp)
        self._hits = self.compile(self._count_hits)
        self.params: dict[str, Array] = self._on_device(initial_parameters(self.chain, init, seed))

    @classmethod
    def from_params(
        cls,
        params: Mapping[str, Any],
        backend: str | Backend = "auto",
        device: str | None = None,
        **config: Any,
    ) -> MLP:
        """Return a network with the given parameters ``W1 b1 W2 b2 …``.

        Parameters
        ----------
        params : mapping of arrays
            Of any library; the sizes are read from their shapes.
        backend, device
            As for the network itself.
        **config
            The network's other arguments, among them ``activation``.

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
        net = cls(**{"sizes": sizes_of(params), **config}, backend=backend, device=device)
        net.params = net._on_device(params)
        return net

    def _on_device(self, params: Mapping[str, Any]) -> dict[str, Array]:
        check_parameters(self.chain, params)
        with self.backend.scope():
            xp, dtype = self.backend.xp, self.backend.dtype(self.dtype)
            given = {name: self.backend.asarray(params[name]) for name in self.chain.shapes}
            # Copies, so that nobody else's arrays change with the network's.
            return {
                name: xp.astype(check_numeric(xp, name, array), dtype, copy=True)
                for name, array in given.items()
            }

    def copy(self, backend: str | Backend | None = None, device: str | None = None, **changes: Any) -> MLP:
        """Return a network with the same parameters, on another backend or with another dtype.

        Parameters
        ----------
        backend, device : optional
            Where the copy lives; on the same device where omitted.
        **changes
            Arguments of the network to change: ``dtype``, ``arithmetic``, ``l2`` …

        Returns
        -------
        MLP

        Examples
        --------
        >>> MLP([2, 2], backend="numpy").copy(dtype="float64").params["W1"].dtype
        dtype('float64')
        """
        host = {name: self.backend.to_numpy(value) for name, value in self.params.items()}
        return MLP.from_params(host, backend or self.backend, device, **{**self.config, **changes})

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a pure function in the backend's fastest form that keeps the arithmetic's promise."""
        return self.backend.jit(function) if self.arithmetic.compilable else function

    def prepare(self, x: Any, t: Any) -> tuple[Array, Array]:
        """Return checked samples and labels on the device, as the functions of the chain take them.

        Parameters
        ----------
        x : array, shape (batch, features), or images (batch, rows, columns)
            The samples, of any library and any dtype of numbers.
        t : array, shape (batch,) or (batch, classes)
            Their labels, as integers or one-hot rows.

        Returns
        -------
        x : array, shape (batch, features), uint8 or the network's dtype
        t : array, int32 labels or rows of the network's dtype

        Raises
        ------
        InvalidInputError
            If shapes do not fit, a label is out of range, rows do not add up to 1 where the loss takes them
            for probabilities, or the data holds NaN.
        """
        backend, xp = self.backend, self.backend.xp
        x = self.prepare_inputs(x)
        with backend.scope():
            t = check_targets(xp, check_numeric(xp, "t", backend.asarray(t)), x.shape[0], self.sizes[-1])
            if t.ndim == 1:
                return x, backend.asarray(t, "int32")
            return x, check_rows(xp, backend.asarray(t, self.dtype), self.config["loss"])

    def prepare_inputs(self, x: Any) -> Array:
        """Return checked samples alone, as `prepare` does."""
        backend, xp = self.backend, self.backend.xp
        with backend.scope():
            x = check_numeric(xp, "x", backend.asarray(x))
            x = x if x.dtype == xp.uint8 else backend.asarray(x, self.dtype)
            return check_inputs(xp, x, self.sizes[0])

    def logits(self, x: Any) -> Array:
        """Return the outputs of the last layer, ``(batch, classes)``."""
        return self._logits_of_prepared(self.prepare_inputs(x))

    def _logits_of_prepared(self, x: Array) -> Array:
        with self.backend.scope():
            blocks = [
                self.chain.logits(self.xp, self.params, x[rows, :]) for rows in _blocks_of_rows(x.shape[0])
            ]
            return self.xp.concat(blocks, axis=0)

    def predict_proba(self, x: Any) -> Array:
        """Return the probabilities of the classes, ``(batch, classes)``: the softmax of the logits."""
        logits = self.logits(x)
        with self.backend.scope():
            return softmax(self.xp, logits)

    def predict(self, x: Any) -> Array:
        """Return the most probable class of each sample, ``(batch,)``."""
        logits = self.logits(x)
        with self.backend.scope():
            return self.xp.argmax(logits, axis=-1)

    def loss(self, x: Any, t: Any) -> float:
        """Return the loss of the samples, with the penalty on the weights."""
        x, t = self.prepare(x, t)
        with self.backend.scope():
            logits = self._logits_of_prepared(x)
            return float(self.chain.loss_of_logits(self.xp, self.params, logits, t))

    def gradient(self, x: Any, t: Any) -> dict[str, Array]:
        """Return the gradient of the loss by backward propagation, shaped like ``params``."""
        x, t = self.prepare(x, t)
        with self.backend.scope():
            return self.chain.loss_and_gradients(self.xp, self.params, x, t)[1]

    def numerical_gradient(self, x: Any, t: Any, h: float = 1e-4) -> dict[str, Array]:
        """Return the gradient of the loss by central differences of step ``h``, shaped like ``params``.

        Meaningful in float64: in float32 the loss has too few digits for a difference of 1e-4.
        """
        x, t = self.prepare(x, t)
        with self.backend.scope():
            if x.dtype == self.xp.uint8:
                x = self.xp.astype(x, self.params["W1"].dtype) * PIXEL_SCALE
            return numerical_gradient(self.xp, self.chain, self.params, x, t, h)

    def accuracy(self, x: Any, t: Any) -> float:
        """Return the share of samples whose most probable class is their label, 0 to 1."""
        x, t = self.prepare(x, t)
        return self.accuracy_of_prepared(x, t)

    def accuracy_of_prepared(self, x: Array, t: Array) -> float:
        """Return the accuracy on what `prepare` returned; read back from the device once."""
        with self.backend.scope():
            hits = [self._hits(self.params, x[rows, :], t[rows, ...]) for rows in _blocks_of_rows(x.shape[0])]
            return int(self.backend.xp.sum(self.backend.xp.stack(hits))) / x.shape[0]

    def _count_hits(self, params: Mapping[str, Array], x: Array, t: Array) -> Array:
        xp = self.backend.xp
        labels = t if t.ndim == 1 else xp.argmax(t, axis=-1)
        predicted = xp.argmax(self.chain.logits(self.xp, params, x), axis=-1)
        return xp.sum(xp.astype(predicted == xp.astype(labels, predicted.dtype), xp.int32))

    def fingerprint(self) -> str:
        """Return the SHA-256 of the parameters' names, shapes, dtypes and bytes: equal bits, equal string."""
        digest = hashlib.sha256()
        for name, value in self.params.items():
            host = self.backend.to_numpy(value)
            little_endian = host.astype(host.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{name} {list(host.shape)} {self.dtype}\n".encode())
            digest.update(little_endian.tobytes())
        return digest.hexdigest()

    def save(self, path: str | Path) -> None:
        """Write the network to a safetensors file, which `xpnet.load` reads on any backend.

        Raises
        ------
        DataError
            If the file cannot be written.
        """
        host = {name: self.backend.to_numpy(value) for name, value in self.params.items()}
        write_weights(path, host, {"xpnet": json.dumps(self.config)})

    def __repr__(self) -> str:
        activation = self.config["activation"]
        return f"MLP({self.sizes}, activation={activation!r}, dtype={self.dtype!r}, backend={self.backend!r})"


def _blocks_of_rows(count: int) -> list[slice]:
    return [slice(start, min(start + _ROWS_AT_ONCE, count)) for start in range(0, count, _ROWS_AT_ONCE)]
