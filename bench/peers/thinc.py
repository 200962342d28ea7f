"""thinc, on its NumPy operations, which multiply with BLIS."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from thinc.api import SGD, Model, NumpyOps, Relu, Softmax, chain, set_current_ops

from bench.peers.base import Peer
from bench.task import Task


class Thinc(Peer):
    """``chain(Relu, …, Softmax)`` with ``begin_update``, its backprop and ``finish_update``."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        task.without_other_layers("thinc")
        set_current_ops(NumpyOps())
        sizes = task.spec.sizes
        params: dict[str, Any] = task.initial_params()
        pairs = list(pairwise(sizes))
        layers: list[Model[Any, Any]] = [Relu(outputs, inputs) for inputs, outputs in pairs[:-1]]
        layers.append(Softmax(pairs[-1][1], pairs[-1][0]))
        self._model = layers[0] if len(layers) == 1 else chain(*layers)
        self._model.initialize()
        for i, layer in enumerate(layers, start=1):
            layer.set_param("W", params[f"W{i}"].T.copy())
            layer.set_param("b", params[f"b{i}"])
        self._optimizer = SGD(task.spec.learning_rate, grad_clip=0.0, use_averages=False)
        self._x, self._t = task.scaled(), task.t
        self._each = np.arange(task.spec.batch)
        self._losses: list[float] = []

    def train(self, iterations: int) -> None:
        """Make one update a mini-batch."""
        self._losses = []
        for count, rows in self.next_rows(iterations):
            for i in range(count):
                x, t = (self._x, self._t) if rows is None else (self._x[rows[i]], self._t[rows[i]])
                self._losses.append(self._step(x, t))

    def _step(self, x: np.ndarray, t: np.ndarray) -> float:
        probabilities, backprop = self._model.begin_update(x)
        chosen = probabilities[self._each, t]
        gradient = probabilities
        gradient[self._each, t] -= 1.0
        gradient /= len(t)
        backprop(gradient)
        self._model.finish_update(self._optimizer)
        return float(-np.log(chosen).mean())

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return self._losses
