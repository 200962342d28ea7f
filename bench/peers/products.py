"""The limit: a step's matrix products and nothing else, into arrays allocated beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np

from bench.peers.base import Peer
from bench.task import Task


class Products(Peer):
    """With NumPy: forward, the gradients of the weights, and those of the inputs but for the first layer.

    A fully connected layer has one product of matrices each, a convolution one a sample.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        found = [self._of_layer(self._batch(), *sizes) for sizes in self._sizes()]
        first, *others = [gradients for _, *gradients in found]
        backward = [call for gradients in reversed(others) for call in gradients]
        self._calls = [*(forward for forward, *_ in found), *backward, first[0]]

    def _batch(self) -> int:
        return self.task.spec.batch

    def _sizes(self) -> list[tuple[int, int, int]]:
        return self.task.spec.network.products

    def _of_layer(self, batch: int, outputs: int, inputs: int, places: int) -> list[tuple[Any, Any, Any]]:
        """Return factors and result: forward, the gradient of the weights, that of the inputs."""
        if places == 1:
            x, W, y = self._array(batch, inputs), self._array(inputs, outputs), self._array(batch, outputs)
            dW, dx = self._array(inputs, outputs), self._array(batch, inputs)
            return [(x, W, y), (x.T, y, dW), (y, W.T, dx)]
        x, y = self._array(batch, inputs, places), self._array(batch, outputs, places)
        W, dW, dx = self._array(outputs, inputs), self._array(batch, inputs, outputs), self._array(*x.shape)
        return [(W, x, y), (x, y.swapaxes(1, 2), dW), (W.T, y, dx)]

    def _array(self, *shape: int) -> Any:
        numbers = np.random.default_rng(0).standard_normal(shape)
        return (numbers / shape[-1]).astype(self.task.spec.dtype)

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

    def _array(self, *shape: int) -> Any:
        import torch

        return torch.tensor(super()._array(*shape), device=self.task.spec.device)

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

    def _array(self, *shape: int) -> Any:
        import cupy

        return cupy.asarray(super()._array(*shape))

    def _matmul(self) -> Any:
        import cupy

        return cupy.matmul

    def synchronize(self) -> None:
        """Wait for the GPU."""
        import cupy

        cupy.cuda.Device().synchronize()


class _SingleNumbers(Products):
    """As many products, each of a single number: what launching them takes by itself."""

    def _batch(self) -> int:
        return 1

    def _sizes(self) -> list[tuple[int, int, int]]:
        return [(1, 1, 1)] * len(super()._sizes())


class TorchLaunches(_SingleNumbers, TorchProducts):
    """The launch-bound floor of PyTorch on a GPU."""


class CupyLaunches(_SingleNumbers, CupyProducts):
    """The launch-bound floor of CuPy."""
