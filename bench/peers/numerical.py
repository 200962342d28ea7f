"""The numerical gradient of ten samples: the textbook's way, and xpnet's."""

from __future__ import annotations

import numpy as np

import xpnet
from bench import textbook
from bench.peers.base import Peer
from bench.task import Task


class OneAtATime(Peer):
    """Each parameter changed in place, the loss taken twice; an iteration is a whole gradient."""

    most_compared = 1

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        batch = task.spec.batch
        self._params, self._x = task.initial_params(), task.scaled()[:batch]
        self._labels = task.t[:batch]
        self._rows = np.eye(task.spec.sizes[-1], dtype=task.spec.dtype)[self._labels]
        self._gradient: dict[str, np.ndarray] = {}

    def train(self, iterations: int) -> None:
        """Take the gradient so many times."""
        for _ in range(iterations):
            self._gradient = textbook.numerical_gradient(self._params, self._x, self._rows)

    def losses(self) -> list[float]:
        """Return the Euclidean norm of each parameter's gradient, to compare."""
        return [float(np.linalg.norm(value)) for value in self._gradient.values()]


class ManyAtOnce(OneAtATime):
    """``net.numerical_gradient`` on NumPy."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._net = xpnet.MLP.from_params(self._params, backend="numpy", dtype=task.spec.dtype)

    def train(self, iterations: int) -> None:
        """Take the gradient so many times."""
        for _ in range(iterations):
            self._gradient = self._net.numerical_gradient(self._x, self._labels)
