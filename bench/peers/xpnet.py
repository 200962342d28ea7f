"""xpnet on one of its backends."""

from __future__ import annotations

from typing import ClassVar

import xpnet
from bench.data import load_test
from bench.peers.base import Peer
from bench.task import Task
from xpnet.optim import OPTIMIZERS
from xpnet.training import Run, Settings


class Xpnet(Peer):
    """What `xpnet.train` does, without evaluation, in portions."""

    backend: ClassVar[str]

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        spec = task.spec
        self.net = self._model(task)
        settings = Settings(batch_size=spec.batch, sampling=spec.sampling)
        optimizer = OPTIMIZERS[spec.optimizer](spec.learning_rate)
        data = self.net.prepare(task.x, task.t)
        self.net.settle_scale(data["x"])
        self.run = Run(self.net, optimizer, settings, data)
        self.chunk = self.run.chunk

    def _model(self, task: Task) -> xpnet.Model:
        spec = task.spec
        device = None if self.backend in ("numpy", "cupy") else spec.device
        return xpnet.Model(
            spec.network.layers,
            spec.network.inputs,
            dtype=spec.dtype,
            backend=self.backend,
            device=device,
            arithmetic=spec.arithmetic,
        )

    def train(self, iterations: int) -> None:
        """Go on with the run."""
        self.run.history.loss.clear()
        self.run.advance(iterations)

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return self.run.history.loss

    def accuracy(self) -> float:
        """Return the accuracy on the test set."""
        return self.net.accuracy(*load_test(self.task.spec.data))

    def synchronize(self) -> None:
        """Wait for the backend's device."""
        self.net.backend.synchronize()

    def device_peak(self) -> int | None:
        """Return what the library's allocator tells of the GPU."""
        return None if self.task.spec.device == "cpu" else _PEAKS[self.backend]()


class OnNumpy(Xpnet):
    """On NumPy."""

    backend = "numpy"


class OnCupy(Xpnet):
    """On CuPy."""

    backend = "cupy"


class OnTorch(Xpnet):
    """On PyTorch."""

    backend = "torch"


class OnJax(Xpnet):
    """On JAX."""

    backend = "jax"


def _cupy_peak() -> int:
    import cupy

    return int(cupy.get_default_memory_pool().total_bytes())  # it grows and never shrinks by itself


def _torch_peak() -> int:
    import torch

    return int(torch.cuda.max_memory_allocated())


def _jax_peak() -> int:
    import jax

    return int(jax.devices()[0].memory_stats()["peak_bytes_in_use"])


_PEAKS = {"cupy": _cupy_peak, "torch": _torch_peak, "jax": _jax_peak}
