"""JAX: one compiled step a call, and a compiled loop of many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from bench.peers.base import Peer
from bench.task import Task

_OPERATIONS_AT_ONCE = 2e9


def _affine(x: jax.Array, W: jax.Array, b: jax.Array) -> jax.Array:
    return x @ W + b


def _convolved(layer: Any, x: jax.Array, W: jax.Array, b: jax.Array) -> jax.Array:
    padding = layer.padding.upper() if isinstance(layer.padding, str) else [(p, p) for p in layer.padding]
    return jax.lax.conv_general_dilated(x, W, (1, 1), padding) + b[:, None, None]


def _pooled(layer: Any, x: jax.Array) -> jax.Array:
    window = (1, 1, *layer.size)
    return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")


_FUNCTIONS: dict[str, Callable[..., jax.Array]] = {
    "Conv2D": lambda layer, x, weights: _convolved(layer, x, *next(weights)),
    "Dense": lambda layer, x, weights: _affine(x, *next(weights)),
    "Flatten": lambda layer, x, weights: x.reshape(len(x), -1),
    "MaxPool2D": lambda layer, x, weights: _pooled(layer, x),
    "ReLU": lambda layer, x, weights: jax.nn.relu(x),
}
"""By the names of layers: functions of the layer, its inputs, and the weights that are left."""


class Jit(Peer):
    """``jax.jit`` of the whole step, its parameters donated; the data is resident."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        if task.spec.dtype == "float64":
            jax.config.update("jax_enable_x64", True)
        # float32 in full for every contestant: on a GPU JAX would multiply in TensorFloat-32.
        jax.config.update("jax_default_matmul_precision", "highest")
        self._x, self._t = jax.device_put((task.scaled(), task.t))
        self._params = jax.device_put(task.initial_params())
        self._step = jax.jit(self._make_step(), donate_argnums=0)
        self._losses: list[jax.Array] = []

    def _make_step(self) -> Any:
        rate, layers = self.task.spec.learning_rate, self.task.spec.network.layers

        def loss_of(params: Any, x: jax.Array, t: jax.Array) -> jax.Array:
            weights = iter([(params[f"W{i}"], params[f"b{i}"]) for i in range(1, len(params) // 2 + 1)])
            for layer in layers:
                x = _FUNCTIONS[type(layer).__name__](layer, x, weights)
            logits = x
            chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), t[:, None], axis=1)
            return -jnp.mean(chosen)

        def step(params: Any, x: jax.Array, t: jax.Array, indices: Any) -> tuple[Any, jax.Array]:
            if indices is not None:
                x, t = (a.at[indices].get(mode="promise_in_bounds") for a in (x, t))
            loss, gradients = jax.value_and_grad(loss_of)(params, x, t)
            return jax.tree.map(lambda p, g: p - rate * g, params, gradients), loss

        return step

    def train(self, iterations: int) -> None:
        """Call the step once an iteration."""
        self._losses = []
        for count, rows in self.next_rows(iterations):
            for i in range(count):
                indices = None if rows is None else rows[i]
                self._params, loss = self._step(self._params, self._x, self._t, indices)
                self._losses.append(loss)

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return [loss for some in self._losses for loss in jnp.atleast_1d(some).tolist()]

    def synchronize(self) -> None:
        """Wait for the last update."""
        jax.block_until_ready((self._params, self._losses))

    def device_peak(self) -> int | None:
        """Return the peak of XLA's allocator."""
        stats = jax.devices()[0].memory_stats()
        return None if stats is None else int(stats["peak_bytes_in_use"])


class Scan(Jit):
    """``jax.lax.scan`` over a chunk of iterations, compiled as one program."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        operations = task.spec.network.operations
        self.chunk = self.rows_at_once = max(1, min(64, int(_OPERATIONS_AT_ONCE / operations)))
        step = self._make_step()

        def scan(params: Any, x: jax.Array, t: jax.Array, rows: Any) -> tuple[Any, jax.Array]:
            return jax.lax.scan(lambda p, row: step(p, x, t, row), params, rows, length=self.chunk)

        self._scan = jax.jit(scan, donate_argnums=0)

    def train(self, iterations: int) -> None:
        """Call the loop once a chunk."""
        self._losses = []
        for count, rows in self.next_rows(iterations):
            if count != self.chunk:
                raise ValueError(f"a loop of {self.chunk} iterations cannot run {count}")
            self._params, losses = self._scan(self._params, self._x, self._t, rows)
            self._losses.append(losses)
