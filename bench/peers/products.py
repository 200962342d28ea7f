"""The limit: a step's matrix products and nothing else, into arrays allocated beforehand."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from bench.peers.base import Peer
from bench.task import Task


class Products(Peer):
    """With NumPy: forward ``z @ W``, backward ``z.T @ d``, and ``d @ W.T`` for all layers but the first."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        batch, sizes = self._shape()
        pairs = list(pairwise(sizes))
        z, d = ([self._array(batch, size) for size in sizes] for _ in range(2))
        weights, gradients = ([self._array(*pair) for pair in pairs] for _ in range(2))
        self._calls = [(z[i], weights[i], z[i + 1]) for i in range(len(pairs))]
        for i in reversed(range(len(pairs))):
            self._calls.append((z[i].T, d[i + 1], gradients[i]))
            if i > 0:
                self._calls.append((d[i + 1], weights[i].T, d[i]))

    def _shape(self) -> tuple[int, tuple[int, ...]]:
        return self.task.spec.batch, self.task.spec.sizes

    def _array(self, rows: int, columns: int) -> Any:
        numbers = np.random.default_rng(0).standard_normal((rows, columns))
        return (numbers / columns).astype(self.task.spec.dtype)

    def _matmul(self) -> Any:
        """Return the library's matrix product."""
        return np.matmul

    def train(self, iterations: int) -> None:
        """Repeat the products."""
        matmul, calls = self._matmul(), self._calls
        for _ in range(iterations):
            for a, b, out in calls:
                matmul(a, b, out=out)

    def losses(self) -> list[float]:
        """Nothing is trained."""
        return []


class TorchProducts(Products):
    """With PyTorch: MKL, or cuBLAS."""

    def _array(self, rows: int, columns: int) -> Any:
        import torch

        return torch.tensor(super()._array(rows, columns), device=self.task.spec.device)

    def _matmul(self) -> Any:
        import torch

        return torch.matmul

    def synchronize(self) -> None:
        """Wait for the GPU."""
        import torch

        if self.task.spec.device == "cuda":
            torch.cuda.synchronize()


class CupyProducts(Products):
    """With CuPy: cuBLAS."""

    def _array(self, rows: int, columns: int) -> Any:
        import cupy

        return cupy.asarray(super()._array(rows, columns))

    def _matmul(self) -> Any:
        import cupy

        return cupy.matmul

    def synchronize(self) -> None:
        """Wait for the GPU."""
        import cupy

        cupy.cuda.Device().synchronize()


class _SingleNumbers(Products):
    """As many products, each of a single number: what launching them takes by itself."""

    def _shape(self) -> tuple[int, tuple[int, ...]]:
        return 1, (1,) * len(self.task.spec.sizes)


class TorchLaunches(_SingleNumbers, TorchProducts):
    """The launch-bound floor of PyTorch on a GPU."""


class CupyLaunches(_SingleNumbers, CupyProducts):
    """The launch-bound floor of CuPy."""
