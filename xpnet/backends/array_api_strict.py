"""array-api-strict: the standard and nothing else, to prove that the mathematics asks for no more."""

from __future__ import annotations

import array_api_strict as xp
import numpy as np

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.backends.host import host_memory
from xpnet.errors import BackendError


class ArrayApiStrictBackend(Backend):
    """array-api-strict on ``"CPU_DEVICE"`` or on its pretended ``"device1"`` and ``"device2"``."""

    name = "array_api_strict"
    xp = xp

    def __init__(self, device: str | None = None) -> None:
        self._name = device or "CPU_DEVICE"
        try:
            self.device = xp.Device(self._name)
        except ValueError as error:
            raise BackendError(
                f"array-api-strict has no device {device!r}; there are CPU_DEVICE, device1, device2"
            ) from error

    @classmethod
    def info(cls) -> BackendInfo:
        """Tell array-api-strict's version."""
        return BackendInfo(True, xp.__version__, "cpu", blas="NumPy's")

    @classmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the array on the host."""
        return np.array(xp.asarray(array, device=xp.Device("CPU_DEVICE")))

    def from_numpy(self, array: np.ndarray) -> Array:
        """Return a copy on this device."""
        return xp.asarray(np.array(array), device=self.device, copy=True)

    def owns(self, array: object) -> bool:
        """Tell whether it is an array of array-api-strict."""
        return isinstance(array, xp.asarray(0).__class__)

    @property
    def device_name(self) -> str:
        """Its name in array-api-strict."""
        return self._name

    def memory(self) -> Memory:
        """Tell the resident memory of this process."""
        return Memory(*host_memory())
