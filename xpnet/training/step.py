"""One training iteration as a pure function."""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.choose import Arithmetic
from xpnet.backends import Array, Batch, Data, State, Step
from xpnet.nn.chain import Chain
from xpnet.optim import Optimizer


def build_step(library: Any, arithmetic: Arithmetic, chain: Chain, optimizer: Optimizer) -> Step:
    """Return the function ``(state, data, batch) -> (state, loss)``.

    It gathers the mini-batch from the data, takes the loss and its gradients, and updates the
    parameters: a pure function of arrays, for a backend to compile or to replay.

    Parameters
    ----------
    library : namespace
        The array library's functions.
    arithmetic : Arithmetic
        What makes of them the functions to compute with.
    chain : Chain
        The network.
    optimizer : Optimizer
        The rule of the update.

    Returns
    -------
    callable
        The state is ``{"params": …, "optimizer": …}``.

    Examples
    --------
    >>> import numpy as np
    >>> import xpnet
    >>> net = xpnet.MLP([2, 2], init=0.0, backend="numpy")
    >>> step = build_step(np, net.arithmetic, net.chain, xpnet.SGD(0.1))
    >>> batch = Batch(np.asarray([0]), {"rate": 0.1})
    >>> data = (np.ones((3, 2), dtype="float32"), np.asarray([0, 1, 1]))
    >>> state, loss = step({"params": net.params, "optimizer": {}}, data, batch)
    >>> round(float(loss), 4)
    0.6931
    """
    xp, settle = arithmetic.namespace(library), arithmetic.settle

    def step(state: State, data: Data, batch: Batch) -> tuple[State, Array]:
        x, t = data
        if batch.indices is not None:
            x, t = xp.take(x, batch.indices, axis=0), xp.take(t, batch.indices, axis=0)
        loss, gradients = chain.loss_and_gradients(xp, state["params"], x, t)
        params, slots = optimizer.update(
            xp, state["params"], gradients, state["optimizer"], batch.coefficients
        )
        if settle is not None:
            params = {name: settle(xp, value) for name, value in params.items()}
            slots = {
                slot: {name: settle(xp, value) for name, value in values.items()}
                for slot, values in slots.items()
            }
        return {"params": params, "optimizer": slots}, loss

    return step
