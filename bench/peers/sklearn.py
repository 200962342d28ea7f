"""scikit-learn's `MLPClassifier`."""

from __future__ import annotations

import numpy as np
from sklearn import config_context
from sklearn.neural_network import MLPClassifier

from bench.peers.base import Peer
from bench.task import Task
from xpnet import XpnetError


class Sklearn(Peer):
    """``partial_fit`` on stretches of many mini-batches; one call makes one update a mini-batch.

    ``fit`` checks and converts its data once, so a stretch is long, unchecked for NaN
    (``assume_finite``) and not shuffled again: the updates themselves are what takes the time.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        task.without_other_layers("scikit-learn")
        spec = task.spec
        if spec.sizes[-1] == 2:
            raise XpnetError("scikit-learn gives two classes a single logistic output: another network")
        self._x, self._t = task.scaled(), task.t
        self._model = MLPClassifier(
            spec.sizes[1:-1],
            solver="sgd",
            alpha=0.0,
            batch_size=spec.batch,
            learning_rate_init=spec.learning_rate,
            momentum=0.0,
            nesterovs_momentum=False,
            shuffle=False,
        )
        self._start_from(task.initial_params())

    def _start_from(self, params: dict[str, np.ndarray]) -> None:
        """Let it make its arrays, then fill them."""
        batch, classes = self.task.spec.batch, np.arange(self.task.spec.sizes[-1])
        self._model.partial_fit(self._x[:batch], self._t[:batch], classes=classes)
        for i, (weights, biases) in enumerate(
            zip(self._model.coefs_, self._model.intercepts_, strict=True), start=1
        ):
            weights[...], biases[...] = params[f"W{i}"], params[f"b{i}"]

    def train(self, iterations: int) -> None:
        """Fit the rows of each stretch, in their order."""
        self._model.loss_curve_.clear()
        with config_context(assume_finite=True):
            for count, rows in self.next_rows(iterations):
                if rows is None:
                    for _ in range(count):
                        self._model.partial_fit(self._x, self._t)
                else:
                    flat = rows.reshape(-1)
                    self._model.partial_fit(self._x[flat], self._t[flat])

    def losses(self) -> list[float]:
        """Return the mean loss of each stretch."""
        return [float(loss) for loss in self._model.loss_curve_]
