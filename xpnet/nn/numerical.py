"""The numerical gradient by central differences: one parameter at a time, and many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xpnet.nn.chain import Chain
from xpnet.nn.layers import Activation, Affine, Params
from xpnet.nn.losses import losses_of_samples, one_hot
from xpnet.validation import check_number

Array = Any

_SMALLEST_STEP = 1e-12
"""A smaller step to either side changes nothing that float64 can tell."""

_ELEMENTS_AT_ONCE = 2**15
"""How many numbers a block holds, 256 kB of float64: it stays in the processor's cache, and with the
common allocators larger temporary arrays are fresh pages each time, measured to cost three times as much."""


def central_differences(
    xp: Any, function: Callable[[Mapping[str, Array]], Array], params: Params, h: float = 1e-4
) -> dict[str, Array]:
    """Return the gradient of any function, by two evaluations for each number of each parameter.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    function : callable
        From parameters to an array of shape ``()``.
    params : mapping of arrays
        Where the gradient is wanted.
    h : float, default 1e-4
        The step to either side.

    Returns
    -------
    dict of arrays
        Shaped like ``params``.

    Raises
    ------
    InvalidInputError
        If the step is not a finite number of at least 1e-12.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> slopes = central_differences(np, lambda p: np.sum(p["W"] * p["W"]), {"W": np.asarray([1.0, 3.0])})
    >>> slopes["W"].round(6)
    array([2., 6.])
    """
    h = check_number("h", h, _SMALLEST_STEP)
    gradients = {}
    for name, value in params.items():
        flat = xp.reshape(value, (-1,))
        count = flat.shape[0]
        numbers = xp.arange(count, dtype=xp.int32, device=getattr(flat, "device", None))
        position = xp.reshape(numbers, value.shape)
        slopes = []
        for i in range(count):
            shift = xp.astype(position == i, value.dtype) * h
            above = function({**params, name: value + shift})
            below = function({**params, name: value - shift})
            slopes.append((above - below) * (0.5 / h))
        gradients[name] = xp.reshape(xp.stack(slopes), value.shape)
    return gradients


def numerical_gradient(
    xp: Any, chain: Chain, params: Params, x: Array, t: Array, h: float = 1e-4
) -> dict[str, Array]:
    """Return the central differences of a chain's loss, many perturbed weights at once.

    A weight ``W[i, j]`` moved by ``h`` moves one column of its layer's outputs, by ``h * x[:, i]``, and
    through the activation one column of the next layer's inputs: what comes before is computed
    once for all, and the next layer's product becomes the addition of one row of its weights. From
    there on the perturbed copies are stacked and go through the rest together. A weight whose input
    is zero in every sample reaches nothing: its slope is zero without being computed.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    chain : Chain
        The network.
    params : mapping of arrays
        Its parameters.
    x : array, shape (batch, features)
        The samples, in the dtype of the parameters.
    t : array, shape (batch,) or (batch, classes)
        Their labels.
    h : float, default 1e-4
        The step to either side.

    Returns
    -------
    dict of arrays
        Shaped like ``params``. The penalty is quadratic, so its central difference is ``l2 * W`` itself.

    Raises
    ------
    InvalidInputError
        If the step is not a finite number of at least 1e-12.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> from xpnet.nn.layers import fully_connected
    >>> chain = Chain(fully_connected([1, 2], "identity"))
    >>> params = {"W1": np.zeros((1, 2)), "b1": np.zeros(2)}
    >>> numerical_gradient(np, chain, params, np.ones((1, 1)), np.asarray([0]))["W1"].round(6)
    array([[-0.5,  0.5]])
    """
    h = check_number("h", h, _SMALLEST_STEP)
    gradients = {}
    for depth, layer in enumerate(chain.layers):
        if not isinstance(layer, Affine):
            x, _ = layer.forward(xp, x)
            continue
        outputs, _ = layer.forward(xp, params, x)
        downstream = _Downstream(xp, chain, params, depth, outputs, t)
        weights = downstream.slopes(x, h)
        gradients[layer.weight] = weights + chain.l2 * params[layer.weight] if chain.l2 else weights
        gradients[layer.bias] = downstream.slopes(xp.ones_like(x[:, :1]), h)[0, :]
        x = outputs
    return {name: gradients[name] for name in params}


class _Downstream:
    """What follows an affine layer, prepared for many small changes of its outputs ``(batch, outputs)``."""

    def __init__(self, xp: Any, chain: Chain, params: Params, depth: int, outputs: Array, t: Array) -> None:
        self.xp, self.chain, self.params = xp, chain, params
        self.columns = xp.matrix_transpose(outputs)  # (outputs, batch)
        if depth + 1 == len(chain.layers):  # the logits themselves: a change is added to one column
            self.activation = Activation("identity")
            self.rest: tuple[Affine | Activation, ...] = ()
            self.base = outputs
            self.rows = xp.eye(outputs.shape[1], dtype=outputs.dtype, device=getattr(outputs, "device", None))
        else:
            activation, following, *rest = chain.layers[depth + 1 :]
            assert isinstance(activation, Activation)
            assert isinstance(following, Affine)
            self.activation, self.rest = activation, tuple(rest)
            self.base, _ = following.forward(xp, params, activation.forward(xp, outputs)[0])
            self.rows = params[following.weight]
        self.targets = one_hot(xp, t, self._through_rest(self.base))

    def slopes(self, x: Array, h: float) -> Array:
        """Return the loss's slope for each weight, ``(inputs, outputs)``, of a layer fed with ``x``."""
        xp = self.xp
        used = xp.astype(xp.any(x != 0, axis=0), xp.int32)
        order = xp.argsort(used, descending=True, stable=True)
        count = int(xp.sum(used))
        shifts = xp.matrix_transpose(xp.take(x, order[:count], axis=1)) * h
        outputs = self.columns.shape[0]
        per_output = self.base.shape[0] * self.base.shape[1]
        columns_at_once = min(outputs, max(1, _ELEMENTS_AT_ONCE // per_output))
        inputs_at_once = max(1, _ELEMENTS_AT_ONCE // (per_output * columns_at_once))
        unused = xp.zeros_like(xp.matmul(xp.matrix_transpose(x[:, count:]), x[:, :1]))  # (inputs - count, 1)
        found = []
        for column in range(0, outputs, columns_at_once):
            columns = slice(column, min(column + columns_at_once, outputs))
            blocks = [
                self._slopes_of_block(shifts[i : min(i + inputs_at_once, count), :], columns, h)
                for i in range(0, count, inputs_at_once)
            ]
            width = columns.stop - columns.start
            found.append(xp.concat([*blocks, xp.broadcast_to(unused, (unused.shape[0], width))], axis=0))
        return xp.take(xp.concat(found, axis=1), xp.argsort(order), axis=0)

    def _slopes_of_block(self, shifts: Array, columns: slice, h: float) -> Array:
        """Return the slopes for some of the inputs and some of the outputs, ``(inputs, outputs)``."""
        before, _ = self.activation.forward(self.xp, self.columns[columns, :])
        difference = self._losses(shifts, columns, before) - self._losses(-shifts, columns, before)
        return self.xp.sum(difference, axis=-1) * (0.5 / h)

    def _losses(self, shifts: Array, columns: slice, before: Array) -> Array:
        """Return the samples' losses where each output in turn is shifted: ``(inputs, outputs, batch)``."""
        xp = self.xp
        after, _ = self.activation.forward(xp, self.columns[columns, :] + shifts[:, None, :])
        stacked = self.base + (after - before)[..., None] * self.rows[columns, None, :]
        logits = self._through_rest(stacked)
        return losses_of_samples(xp, self.chain.loss, logits, self.targets, self.chain.reduction)

    def _through_rest(self, stacked: Array) -> Array:
        xp = self.xp
        for layer in self.rest:
            if isinstance(layer, Affine):
                flat, _ = layer.forward(xp, self.params, xp.reshape(stacked, (-1, layer.inputs)))
                stacked = xp.reshape(flat, (*stacked.shape[:-1], layer.outputs))
            else:
                stacked, _ = layer.forward(xp, stacked)
        return stacked
