"""NumPy: the reference, always there."""

from __future__ import annotations

from typing import Any

import array_api_compat.numpy as xp
import numpy as np

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.backends.host import host_memory
from xpnet.errors import BackendError


class NumpyBackend(Backend):
    """NumPy on the CPU."""

    name = "numpy"
    xp = xp
    takes_out = True

    def __init__(self, device: str | None = None) -> None:
        if device not in (None, "cpu"):
            raise BackendError(f"NumPy computes on 'cpu' alone, not on {device!r}; for a GPU, ask for 'cupy'")
        self.device = "cpu"

    @classmethod
    def info(cls) -> BackendInfo:
        """Tell the versions of NumPy and of the BLAS it was built with."""
        built: Any = np.show_config(mode="dicts")
        blas = built["Build Dependencies"]["blas"]
        return BackendInfo(True, np.__version__, "cpu", blas=f"{blas['name']} {blas['version']}")

    @classmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the array itself."""
        return np.asarray(array)

    def from_numpy(self, array: np.ndarray) -> Array:
        """Return the array itself."""
        return array

    def owns(self, array: object) -> bool:
        """Tell whether it is a NumPy array as all libraries have them, no subclass and of native bytes."""
        return type(array) is np.ndarray and array.dtype.isnative

    def contiguous(self, array: Array) -> Array:
        """Return the array in C order."""
        return np.asarray(array, order="C")

    def memory(self) -> Memory:
        """Tell the resident memory of this process."""
        return Memory(*host_memory())
