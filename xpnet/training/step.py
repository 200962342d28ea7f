"""One training iteration as a pure function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpnet.models.model import Model
from xpnet.nn.layer import Variables
from xpnet.optim import Optimizer
from xpnet.programs.step import Array, Batch, Data, State, Step
from xpnet.trees import map_tree


def build_step(model: Model, optimizer: Optimizer) -> Callable[[Any], Step]:
    """Return what builds the function ``(state, data, batch) -> (state, loss)`` over a namespace.

    The function gathers the mini-batch from the data, takes the loss and its gradients, and updates the
    parameters: a pure function of arrays, for a program to compile or to replay.

    Parameters
    ----------
    model : Model
        What is trained; its arrays are no part of the step.
    optimizer : Optimizer
        The rule of the update.

    Returns
    -------
    callable
        From the array library's functions to the step. Its state is
        ``{"params": …, "state": …, "optimizer": …}``.

    Examples
    --------
    >>> import numpy as np
    >>> import xpnet
    >>> net = xpnet.MLP([2, 2], init=0.0, backend="numpy")
    >>> step = build_step(net, xpnet.SGD(0.1))(np)
    >>> data = {"x": np.ones((3, 2), dtype="float32"), "t": np.asarray([0, 1, 1])}
    >>> state = {"params": net.params, "state": {}, "optimizer": {}}
    >>> state, loss = step(state, data, Batch(np.asarray([0]), {"rate": np.float32(0.1)}))
    >>> round(float(loss), 4)
    0.6931
    """

    def build(library: Any) -> Step:
        xp = model.arithmetic.namespace(library)

        def step(state: State, data: Data, batch: Batch) -> tuple[State, Array]:
            if batch.indices is not None:
                data = {name: xp.take(values, batch.indices, axis=0) for name, values in data.items()}
            network = model.network_for(data["x"])
            c = model.context(xp, training=True, random=batch.random)
            variables = Variables(state["params"], state["state"])
            loss, gradients, running = network.loss_and_gradients(c, variables, data)
            params, slots = optimizer.update(
                xp, state["params"], gradients, state["optimizer"], batch.coefficients, network.decayed
            )
            return _settled(model, xp, {"params": params, "state": running, "optimizer": slots}), loss

        return step

    return build


def _settled(model: Model, xp: Any, state: State) -> State:
    """Return a state without the negligible numbers on which libraries disagree, in exact arithmetic."""
    settle = model.arithmetic.settle
    if settle is None:
        return state

    def settled(leaf: Array) -> Array:
        return settle(xp, leaf) if xp.isdtype(leaf.dtype, "real floating") else leaf

    return map_tree(settled, state)
