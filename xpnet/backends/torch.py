"""PyTorch, on the CPU or on a GPU. Gradients are xpnet's own: autograd never records."""

from __future__ import annotations

import re

import array_api_compat.torch as xp
import numpy as np
import torch

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.backends.host import host_memory
from xpnet.errors import BackendError


class TorchBackend(Backend):
    """PyTorch on ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; a CUDA device where one answers."""

    name = "torch"
    xp = xp

    def __init__(self, device: str | None = None) -> None:
        wanted = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            # Making an array also settles the index: "cuda" becomes "cuda:0".
            self.device = torch.empty(0, device=wanted).device
        except (RuntimeError, AssertionError, NotImplementedError) as error:
            reason = str(error).splitlines()[0]
            raise BackendError(f"PyTorch has no device {wanted!r} here: {reason}") from error

    @classmethod
    def info(cls) -> BackendInfo:
        """Tell PyTorch's version and its first CUDA device."""
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
        if torch.cuda.is_available():
            blas = f"cuBLAS of CUDA {torch.version.cuda}"
        else:
            named = re.search(
                r"(Math Kernel Library|OpenBLAS|Accelerate)\D*([\d.]+)?", torch.__config__.show()
            )
            blas = " ".join(part for part in named.groups() if part) if named else "unknown"
        return BackendInfo(True, torch.__version__, device, blas=blas)

    @classmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the tensor on the host."""
        return array.detach().cpu().numpy()

    def from_numpy(self, array: np.ndarray) -> Array:
        """Return a tensor that shares no memory with the array."""
        return torch.tensor(array, device=self.device)

    def move(self, array: Array) -> Array:
        """Return the tensor on this device."""
        return array.to(self.device)

    def owns(self, array: object) -> bool:
        """Tell whether it is a PyTorch tensor."""
        return isinstance(array, torch.Tensor)

    def require_dtype(self, name: str) -> None:
        """Raise `BackendError` for float64 on Apple's GPUs, which lack it."""
        if name == "float64" and self.device.type == "mps":
            raise BackendError("the device 'mps' has no float64: ask for dtype='float32' or device='cpu'")

    def synchronize(self) -> None:
        """Wait for the device's queue."""
        if self.device.type != "cpu":
            getattr(torch, self.device.type).synchronize(self.device)

    def memory(self) -> Memory:
        """Tell the memory of PyTorch's CUDA allocator, or of this process."""
        if self.device.type != "cuda":
            return Memory(*host_memory())
        total = torch.cuda.get_device_properties(self.device).total_memory
        return Memory(torch.cuda.memory_allocated(self.device), total)
