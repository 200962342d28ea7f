"""The numerical gradient by central differences: one parameter at a time, and many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from xpnet.nn.activations import Identity
from xpnet.nn.context import Context
from xpnet.nn.layer import NOTHING, Layer, Tree, Variables
from xpnet.nn.losses.targets import one_hot
from xpnet.nn.network import Network
from xpnet.trees import like, map_tree, paths
from xpnet.validation import check_number

Array = Any

_SMALLEST_STEP = 1e-12
"""A smaller step to either side changes nothing that float64 can tell."""

_ELEMENTS_AT_ONCE = 2**15
"""How many numbers a block holds, 256 kB of float64: it stays in the processor's cache, and with the
common allocators larger temporary arrays are fresh pages each time, measured to cost three times as much."""


def numerical_gradient(
    c: Context, network: Network, v: Variables, data: Mapping[str, Array], h: float = 1e-4
) -> Tree:
    """Return the central differences of a network's loss.

    Of a perceptron many weights are moved at once, of other networks one after the other.

    Parameters
    ----------
    c : Context
        What computes.
    network : Network
        The network.
    v : Variables
        Its variables.
    data : mapping
        ``x``, in the dtype of the parameters, ``t``, and ``weight`` where samples have weights.
    h : float, default 1e-4
        The step to either side.

    Returns
    -------
    tree of arrays
        Shaped like the parameters.

    Raises
    ------
    InvalidInputError
        If the step is not a finite number of at least 1e-12.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> from xpnet.nn.affine import Dense
    >>> from xpnet.nn.context import context
    >>> from xpnet.nn.losses.cross_entropy import SoftmaxCrossEntropy
    >>> from xpnet.nn.sequential import Sequential
    >>> network = Network(Sequential((Dense(2),)), (1,), SoftmaxCrossEntropy())
    >>> v = Variables({"W1": np.zeros((1, 2)), "b1": np.zeros(2)}, {})
    >>> data = {"x": np.ones((1, 1)), "t": np.asarray([0])}
    >>> numerical_gradient(context(np, np.float64), network, v, data)["W1"].round(6)
    array([[-0.5,  0.5]])
    """
    h = check_number("h", h, _SMALLEST_STEP)
    if network.weight(c, data) is None and _is_perceptron(network.layer):
        return _many_at_once(c, network, v, data, h)
    return central_differences(
        c.xp, lambda params: network.loss_of(c, Variables(params, v.state), data), v.params, h
    )


def central_differences(xp: Any, function: Callable[[Tree], Array], params: Tree, h: float = 1e-4) -> Any:
    """Return the gradient of any function, by two evaluations for each number of each parameter.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    function : callable
        From a tree of parameters to an array of shape ``()``.
    params : tree of arrays
        Where the gradient is wanted.
    h : float, default 1e-4
        The step to either side.

    Returns
    -------
    tree of arrays
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
    values = [value for _, value in paths(params)]
    gradients = []
    for place, value in enumerate(values):
        flat = xp.reshape(value, (-1,))
        count = flat.shape[0]
        numbers = xp.arange(count, dtype=xp.int32, device=getattr(flat, "device", None))
        position = xp.reshape(numbers, value.shape)
        slopes = []
        for i in range(count):
            shift = xp.astype(position == i, value.dtype) * h
            above = function(like(params, [*values[:place], value + shift, *values[place + 1 :]]))
            below = function(like(params, [*values[:place], value - shift, *values[place + 1 :]]))
            slopes.append((above - below) * (0.5 / h))
        gradients.append(xp.reshape(xp.stack(slopes), value.shape))
    return like(params, gradients)


def _is_perceptron(layer: Layer) -> bool:
    """Tell whether affine layers take turns with elementwise ones, from the first to the last."""
    layers = getattr(layer, "layers", ())
    return len(layers) % 2 == 1 and all(
        item.elementwise if position % 2 else item.affine for position, item in enumerate(layers)
    )


def _many_at_once(c: Context, network: Network, v: Variables, data: Mapping[str, Array], h: float) -> Tree:
    """Return the gradient of a perceptron's loss, many weights moved at once.

    A weight ``W[i, j]`` moved by ``h`` moves one column of its layer's outputs, by ``h * x[:, i]``, and
    through the activation one column of the next layer's inputs: what comes before is computed
    once for all, and the next layer's product becomes the addition of one row of its weights. From
    there on the perturbed copies are stacked and go through the rest together. A weight whose input
    is zero in every sample reaches nothing: its slope is zero without being computed. The penalty is
    quadratic, so its central difference is ``l2 * W`` itself.
    """
    layers: tuple[Layer, ...] = network.layer.layers  # type: ignore[attr-defined]
    own = [
        Variables({"W": v.params[f"W{i}"], "b": v.params[f"b{i}"]}, {})
        for i in range(1, len(layers) // 2 + 2)
    ]
    x, gradients = data["x"], {}
    for number, variables in enumerate(own, start=1):
        depth = 2 * (number - 1)
        outputs = layers[depth].forward(c, variables, x)[0]
        downstream = _Downstream(c, network, layers[depth + 1 :], own[number:], outputs, data["t"])
        gradients[f"W{number}"] = downstream.slopes(x, h)
        gradients[f"b{number}"] = downstream.slopes(c.xp.ones_like(x[:, :1]), h)[0, :]
        if number < len(own):
            x = layers[depth + 1].forward(c, NOTHING, outputs)[0]
    if network.l2:
        return map_tree(
            lambda p, slope, decayed: slope + network.l2 * p if decayed else slope,
            v.params, gradients, network.decayed,
        )  # fmt: skip
    return gradients


class _Downstream:
    """What follows an affine layer, prepared for many small changes of its outputs ``(batch, outputs)``.

    Parameters
    ----------
    c : Context
        What computes.
    network : Network
        Whose loss it is.
    layers : tuple of Layer
        What follows: elementwise and affine layers in turn.
    variables : list of Variables
        Of the affine layers among them.
    outputs : array, shape (batch, outputs)
        Of the affine layer before.
    t : array
        The targets.
    """

    def __init__(
        self,
        c: Context,
        network: Network,
        layers: tuple[Layer, ...],
        variables: list[Variables],
        outputs: Array,
        t: Array,
    ) -> None:
        self.c, self.xp, self.network = c, c.xp, network
        self.columns = c.xp.matrix_transpose(outputs)  # (outputs, batch)
        if not layers:  # the logits themselves: a change is added to one column
            self.activation: Layer = Identity()
            self.rest: list[tuple[Layer, Variables]] = []
            self.base = outputs
            width, device = outputs.shape[1], getattr(outputs, "device", None)
            self.rows = c.xp.eye(width, dtype=outputs.dtype, device=device)
        else:
            self.activation, following = layers[:2]
            turns = [item for own in variables[1:] for item in (NOTHING, own)]
            self.rest = list(zip(layers[2:], turns, strict=True))
            inputs = self.activation.forward(c, NOTHING, outputs)[0]
            self.base = following.forward(c, variables[0], inputs)[0]
            self.rows = variables[0].params["W"]
        self.targets = one_hot(c.xp, t, self._through_rest(self.base))

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
        before = self.activation.forward(self.c, NOTHING, self.columns[columns, :])[0]
        difference = self._losses(shifts, columns, before) - self._losses(-shifts, columns, before)
        return self.xp.sum(difference, axis=-1) * (0.5 / h)

    def _losses(self, shifts: Array, columns: slice, before: Array) -> Array:
        """Return the samples' losses where each output in turn is shifted: ``(inputs, outputs, batch)``."""
        after = self.activation.forward(self.c, NOTHING, self.columns[columns, :] + shifts[:, None, :])[0]
        stacked = self.base + (after - before)[..., None] * self.rows[columns, None, :]
        return self._losses_of_samples(self._through_rest(stacked))

    def _through_rest(self, stacked: Array) -> Array:
        xp = self.xp
        for layer, variables in self.rest:
            flat = layer.forward(self.c, variables, xp.reshape(stacked, (-1, stacked.shape[-1])))[0]
            stacked = xp.reshape(flat, (*stacked.shape[:-1], flat.shape[-1]))
        return stacked

    def _losses_of_samples(self, logits: Array) -> Array:
        """Return what each sample adds to the loss, ``(..., batch)``."""
        xp, loss, width = self.xp, self.network.loss, logits.shape[-1]
        targets = xp.reshape(xp.broadcast_to(self.targets, logits.shape), (-1, width))
        values = xp.reshape(loss.values(xp, xp.reshape(logits, (-1, width)), targets), logits.shape[:-1])
        samples = logits.shape[-2] * loss.elements((width,))
        return values * (1.0 / samples) if self.network.reduction == "mean" else values
