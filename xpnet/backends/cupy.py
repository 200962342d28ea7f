"""CuPy: NumPy's functions on CUDA devices."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

import array_api_compat.cupy as xp
import cupy
import numpy as np

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.errors import BackendError


class CupyBackend(Backend):
    """CuPy on ``"cuda"``, ``"cuda:1"`` …; the current CUDA device where omitted."""

    name = "cupy"
    xp = xp
    out_of_memory_errors = (MemoryError, RuntimeError)

    def __init__(self, device: str | None = None) -> None:
        found = self.info()
        if not found.available:
            raise BackendError(str(found.reason))
        platform, _, index = (device or "cuda").partition(":")
        count = cupy.cuda.runtime.getDeviceCount()
        current = cupy.cuda.runtime.getDevice()
        if platform != "cuda" or not (index or "0").isdecimal() or int(index or 0) >= count:
            known = ", ".join(f"cuda:{i}" for i in range(count))
            raise BackendError(f"CuPy has no device {device!r} here; there are: {known}")
        self.device = cupy.cuda.Device(int(index) if index else current)

    @classmethod
    def info(cls) -> BackendInfo:
        """Ask the driver itself: ``import cupy`` succeeds on machines without a GPU."""
        try:
            count = cupy.cuda.runtime.getDeviceCount()
        except cupy.cuda.runtime.CUDARuntimeError as error:
            reason = (
                f"CuPy {cupy.__version__} is installed but no CUDA device answers: {error};"
                " see what the command nvidia-smi says of the driver"
            )
            return BackendInfo(False, cupy.__version__, None, reason)
        if count == 0:
            reason = f"CuPy {cupy.__version__} is installed but the driver shows no CUDA device"
            return BackendInfo(False, cupy.__version__, None, reason)
        try:
            blas = f"cuBLAS {cupy.cuda.cublas.getVersion(cupy.cuda.device.get_cublas_handle())}"
        except (ImportError, RuntimeError) as error:
            reason = (
                f"CuPy {cupy.__version__} sees the CUDA device but cannot multiply matrices: {error};"
                " pip install 'xpnet[cuda12]' or 'xpnet[cuda13]' brings the libraries of CUDA"
            )
            return BackendInfo(False, cupy.__version__, None, reason)
        name = cupy.cuda.runtime.getDeviceProperties(cupy.cuda.runtime.getDevice())["name"].decode()
        return BackendInfo(True, cupy.__version__, name, blas=blas, tf32=_tf32())

    @classmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the array on the host, waiting for it."""
        return cupy.asnumpy(array)

    def from_numpy(self, array: np.ndarray) -> Array:
        """Return a copy on this device."""
        with self.device:
            return cupy.asarray(array)

    def move(self, array: Array) -> Array:
        """Return the array on this device."""
        with self.device:
            return array.copy()

    def contiguous(self, array: Array) -> Array:
        """Return the array in C order."""
        with self.device:
            return cupy.asarray(array, order="C")

    def owns(self, array: object) -> bool:
        """Tell whether it is a CuPy array."""
        return isinstance(array, cupy.ndarray)

    def scope(self) -> AbstractContextManager[Any]:
        """Make the device CUDA's current one."""
        return cupy.cuda.Device(self.device.id)

    def synchronize(self) -> None:
        """Wait for the device's queue."""
        with self.device:
            cupy.cuda.get_current_stream().synchronize()

    def is_out_of_memory(self, error: Exception) -> bool:
        """Tell so by the type, or by the message of what the driver and cuBLAS raise."""
        return isinstance(error, MemoryError) or any(told in str(error) for told in _OUT_OF_MEMORY)

    @property
    def device_name(self) -> str:
        """CUDA's number of it."""
        return f"cuda:{self.device.id}"

    @property
    def on_gpu(self) -> bool:
        """Always."""
        return True

    def memory(self) -> Memory:
        """Tell what the memory pool holds in use; free is what lies idle in it or on the device."""
        with self.device:
            pool = cupy.get_default_memory_pool()
            free, total = self.device.mem_info
            used, free, limit = pool.used_bytes(), free + pool.free_bytes(), pool.get_limit()
            return Memory(used, min(free, limit - used) if limit else free, total)


_OUT_OF_MEMORY = ("ALLOC_FAILED", "OUT_OF_MEMORY", "out of memory", "cudaErrorMemoryAllocation")


def _tf32() -> bool:
    """Read the switch that CuPy reads at its first product, where it stumbles over what is no number."""
    switch = os.environ.get("CUPY_TF32", "0")
    if not switch:
        del os.environ["CUPY_TF32"]
        return False
    try:
        return int(switch) > 0
    except ValueError as error:
        raise BackendError(f"the environment variable CUPY_TF32 must be 0 or 1, not {switch!r}") from error
