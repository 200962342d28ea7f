"""Keras 3, on JAX or on PyTorch."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from bench.peers.base import Peer
from bench.task import Task
from xpnet import XpnetError


class Keras(Peer):
    """``fit`` on stretches of many mini-batches, in their order, compiled where the backend does so."""

    backend: ClassVar[str]

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        task.without_other_layers("Keras")
        os.environ["KERAS_BACKEND"] = self.backend
        import keras

        if keras.config.backend() != self.backend:
            raise XpnetError(f"Keras has already begun on {keras.config.backend()} in this process")
        keras.config.set_floatx(task.spec.dtype)
        sizes, params = task.spec.sizes, task.initial_params()
        layers: list[Any] = [keras.Input((sizes[0],))]
        layers += [keras.layers.Dense(size, activation="relu") for size in sizes[1:-1]]
        layers.append(keras.layers.Dense(sizes[-1]))
        self._model = keras.Sequential(layers)
        self._model.set_weights(list(params.values()))
        self._model.compile(
            optimizer=keras.optimizers.SGD(task.spec.learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            steps_per_execution=self._steps_per_execution(task),
        )
        self._x, self._t = task.scaled(), task.t
        self._losses: list[float] = []

    def _steps_per_execution(self, task: Task) -> int:
        return 1 if self.backend == "torch" or task.spec.sampling == "full" else 16

    def train(self, iterations: int) -> None:
        """Fit the rows of each stretch."""
        self._losses = []
        for count, rows in self.next_rows(iterations):
            if rows is None:
                history = self._fit(self._x, self._t, epochs=count)
            else:
                flat = rows.reshape(-1)
                history = self._fit(self._x[flat], self._t[flat], epochs=1)
            self._losses += history.history["loss"]

    def _fit(self, x: Any, t: Any, epochs: int) -> Any:
        return self._model.fit(x, t, batch_size=self.task.spec.batch, epochs=epochs, shuffle=False, verbose=0)

    def losses(self) -> list[float]:
        """Return the mean loss of each stretch, or of each pass where a batch is the whole set."""
        return [float(loss) for loss in self._losses]


class OnJax(Keras):
    """On JAX."""

    backend = "jax"


class OnTorch(Keras):
    """On PyTorch."""

    backend = "torch"
