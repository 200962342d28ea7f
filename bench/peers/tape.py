"""xpnet's tape: a step without a single backward pass written by hand, and gradients without a step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import xpnet
from bench.peers.base import Peer
from bench.peers.xpnet import OnNumpy
from bench.task import Task
from xpnet.nn.layer import Cache, Tree, Variables
from xpnet.nn.losses.targets import one_hot


@dataclass(frozen=True)
class Dense(xpnet.Dense):
    """`xpnet.Dense`, its backward pass taken away."""

    on_pixels = xpnet.Dense.on_pixels

    def forward(self, c: Any, v: Variables, x: Any) -> tuple[Any, Cache, Tree]:
        """Return what `xpnet.Dense` does."""
        return super().forward(c, v, x)


@dataclass(frozen=True)
class ReLU(xpnet.Layer):
    """``max(x, 0)``, and nothing else."""

    def forward(self, c: Any, v: Variables, x: Any) -> tuple[Any, Cache, Tree]:
        """Return the larger of each element and 0."""
        return c.xp.maximum(x, c.xp.zeros_like(x)), None, {}


@dataclass(frozen=True)
class CrossEntropy(xpnet.SoftmaxCrossEntropy):
    """`xpnet.SoftmaxCrossEntropy`, its gradient taken away; the largest logit cancels: a constant."""

    gradient = xpnet.Loss.gradient
    values_and_gradient = xpnet.Loss.values_and_gradient

    def values(self, xp: Any, y: Any, t: Any) -> Any:
        """Return the cross-entropy of each sample."""
        z = y - xpnet.stop_gradient(xp.max(y, axis=-1, keepdims=True))
        return xp.log(xp.sum(xp.exp(z), axis=-1)) - xp.sum(one_hot(xp, t, y) * z, axis=-1)


class Replayed(OnNumpy):
    """A training step whose gradients all come from the tape, recorded and replayed."""

    def _model(self, task: Task) -> xpnet.Model:
        _, *hidden, outputs = task.spec.sizes
        layers = [layer for size in hidden for layer in (Dense(size), ReLU())]
        settings = {"dtype": task.spec.dtype, "backend": self.backend, "arithmetic": task.spec.arithmetic}
        return xpnet.Model([*layers, Dense(outputs)], task.spec.sizes[:1], loss=CrossEntropy(), **settings)


def loss_of(xp: Any, params: Any, x: Any, rows: Any) -> Any:
    """Return the cross-entropy, averaged over the batch: the functions that all of NumPy's kin have."""
    depth = len(params) // 2
    for i in range(1, depth):
        x = xp.maximum(xp.matmul(x, params[f"W{i}"]) + params[f"b{i}"], 0.0)
    z = xp.matmul(x, params[f"W{depth}"]) + params[f"b{depth}"]
    z = z - xp.max(z, axis=1, keepdims=True)
    values = xp.log(xp.sum(xp.exp(z), axis=1)) - xp.sum(rows * z, axis=1)
    return xp.sum(values) * (1.0 / x.shape[0])


class Eager(Peer):
    """`xpnet.value_and_grad` of a function, called anew for each mini-batch; the update in place."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._params, self._x = task.initial_params(), task.scaled()
        self._rows = np.eye(task.spec.sizes[-1], dtype=task.spec.dtype)[task.t]
        self._losses: list[float] = []

    def train(self, iterations: int) -> None:
        """Train on, a mini-batch at a time."""
        self._losses, rate = [], self.task.spec.learning_rate
        for count, rows in self.next_rows(iterations):
            for i in range(count):
                chosen = slice(None) if rows is None else rows[i]
                value, gradients = self.value_and_gradients(self._x[chosen], self._rows[chosen])
                for name, parameter in self._params.items():
                    parameter -= rate * gradients[name]
                self._losses.append(float(value))

    def value_and_gradients(self, x: np.ndarray, rows: np.ndarray) -> tuple[Any, dict[str, np.ndarray]]:
        """Return the loss of a mini-batch and its gradients."""
        return xpnet.value_and_grad(loss_of)(xpnet.get_backend("numpy").xp, self._params, x, rows)

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return self._losses
