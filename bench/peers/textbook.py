"""The textbook's NumPy loop, in float64 as written or in float32."""

from __future__ import annotations

import numpy as np

from bench import textbook_conv
from bench.data import load_test
from bench.peers.base import Peer
from bench.task import Task
from bench.textbook import forward, make_loop


class Textbook(Peer):
    """`bench.textbook` on data scaled and made one-hot beforehand."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        batch = None if task.spec.sampling == "full" else task.spec.batch
        self._params = task.initial_params()
        if task.spec.stack:
            layers = textbook_conv.layers_of(task.spec.network.layers, self._params)
            self._run = textbook_conv.make_loop(layers, task.scaled(), task.t, batch, task.spec.learning_rate)
        else:
            self._run = make_loop(self._params, task.scaled(), task.t, batch, task.spec.learning_rate)
        self._losses: list[float] = []

    def train(self, iterations: int) -> None:
        """Train on, drawing mini-batches with ``np.random.choice``."""
        self._losses = self._run(iterations)

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return self._losses

    def accuracy(self) -> float:
        """Return the accuracy on the test set."""
        x, t = load_test(self.task.spec.data)
        scaled = x.astype(self.task.spec.dtype) / (255 if x.dtype == np.uint8 else 1)
        return float(np.mean(forward(self._params, scaled)[0].argmax(axis=1) == t))
