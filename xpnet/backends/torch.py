"""PyTorch, on the CPU or on a GPU. Gradients are xpnet's own: autograd never records."""

from __future__ import annotations

import re
from contextlib import AbstractContextManager
from typing import Any

import array_api_compat.torch as xp
import numpy as np
import torch

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.backends.host import host_memory
from xpnet.errors import BackendError, InvalidInputError


class TorchBackend(Backend):
    """PyTorch on ``"cpu"``, ``"cuda"``, ``"cuda:1"`` or ``"mps"``; a CUDA device where one answers."""

    name = "torch"
    xp = xp
    out_of_memory_errors = (MemoryError, RuntimeError)

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
        if torch.cuda.is_available():
            blas = f"cuBLAS of CUDA {torch.version.cuda}"
            return BackendInfo(True, torch.__version__, torch.cuda.get_device_name(), blas=blas, tf32=_tf32())
        named = re.search(r"(Math Kernel Library|OpenBLAS|Accelerate)\D*([\d.]+)?", torch.__config__.show())
        blas = " ".join(part for part in named.groups() if part) if named else "unknown"
        return BackendInfo(True, torch.__version__, "cpu", blas=blas)

    @classmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the tensor on the host."""
        host = cls.bare(array).cpu()
        return (host if host.dtype in _IN_NUMPY else host.to(torch.float32)).numpy()

    def from_numpy(self, array: np.ndarray) -> Array:
        """Return a tensor, on the CPU over the same memory; PyTorch cannot share what is read-only.

        Nor what runs backwards, which a row of one number may, though it is contiguous.
        """
        forwards = array.flags.c_contiguous and min(array.strides, default=0) >= 0
        if self.device.type == "cpu" and array.flags.writeable and forwards:
            return torch.from_numpy(array)
        return torch.from_numpy(np.array(array, order="C")).to(self.device)

    def move(self, array: Array) -> Array:
        """Return the tensor on this device."""
        return array.to(self.device)

    def owns(self, array: object) -> bool:
        """Tell whether it is a PyTorch tensor."""
        return isinstance(array, torch.Tensor)

    @classmethod
    def bare(cls, array: Array, name: str = "array") -> Array:
        """Return the tensor without its history: autograd would keep every iteration of a training."""
        if array.layout is not torch.strided or array.is_nested:
            kind = "nested" if array.is_nested else str(array.layout).rpartition(".")[2]
            whole = "torch.nested.to_padded_tensor(…)" if array.is_nested else f"{name}.to_dense()"
            raise InvalidInputError(f"{name} is a tensor of layout {kind}: give it whole, {whole}")
        if array.is_quantized:
            raise InvalidInputError(f"{name} is quantised, {array.dtype}: give {name}.dequantize()")
        if array.device.type == "meta":
            raise InvalidInputError(f"{name} lies on PyTorch's device 'meta', which holds no numbers")
        return (array.detach() if array.requires_grad else array).resolve_conj().resolve_neg()

    def contiguous(self, array: Array) -> Array:
        """Return the tensor in C order."""
        return array.contiguous()

    def require_dtype(self, name: str) -> None:
        """Raise `BackendError` for float64 on Apple's GPUs, which lack it."""
        if name == "float64" and self.device.type == "mps":
            raise BackendError("the device 'mps' has no float64: ask for dtype='float32' or device='cpu'")

    def scope(self) -> AbstractContextManager[Any]:
        """Let autograd record nothing, whatever is computed with."""
        return torch.no_grad()

    def synchronize(self) -> None:
        """Wait for the device's queue."""
        if self.device.type != "cpu":
            getattr(torch, self.device.type).synchronize(self.device)

    @property
    def on_gpu(self) -> bool:
        """Whether it is not the CPU."""
        return self.device.type != "cpu"

    def memory(self) -> Memory:
        """Tell the memory of PyTorch's CUDA allocator, or of this process."""
        if self.device.type != "cuda":
            return Memory(*host_memory())
        free, total = torch.cuda.mem_get_info(self.device)
        used = torch.cuda.memory_allocated(self.device)
        return Memory(used, free + torch.cuda.memory_reserved(self.device) - used, total)

    def is_out_of_memory(self, error: Exception) -> bool:
        """Tell so by the type, or on the CPU, where PyTorch has no type for it, by the message."""
        known = isinstance(error, MemoryError | torch.OutOfMemoryError)
        return known or "can't allocate memory" in str(error)


_IN_NUMPY = {
    *(torch.bool, torch.uint8, torch.uint16, torch.uint32, torch.uint64),
    *(torch.int8, torch.int16, torch.int32, torch.int64),
    *(torch.float16, torch.float32, torch.float64, torch.complex32, torch.complex64, torch.complex128),
}


def _tf32() -> bool:
    """Read the switch; since PyTorch 2.9 it is a name, and the older one may refuse to be read."""
    matmul = torch.backends.cuda.matmul
    if hasattr(matmul, "fp32_precision"):
        return matmul.fp32_precision == "tf32"
    return matmul.allow_tf32
