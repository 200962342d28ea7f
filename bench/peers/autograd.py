"""HIPS autograd: reverse-mode gradients of NumPy."""

from __future__ import annotations

from typing import Any

import autograd
import autograd.numpy
import numpy as np

from bench.peers.tape import Eager, loss_of
from bench.task import Task


class Autograd(Eager):
    """``autograd.value_and_grad`` of the same function, in the same loop."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._both = autograd.value_and_grad(lambda params, *data: loss_of(autograd.numpy, params, *data))

    def value_and_gradients(self, x: np.ndarray, rows: np.ndarray) -> tuple[Any, dict[str, np.ndarray]]:
        """Return the loss of a mini-batch and its gradients."""
        return self._both(self._params, x, rows)
