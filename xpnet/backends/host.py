"""The way to the host: any library's array as a NumPy array, and the host's own memory."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from xpnet.errors import BackendError

# The top package that defines an array's type -> the backend that can fetch it.
_LIBRARIES = {
    "cupy": "CupyBackend",
    "torch": "TorchBackend",
    "jax": "JaxBackend",
    "jaxlib": "JaxBackend",
    "array_api_strict": "ArrayApiStrictBackend",
}


def to_host(array: Any) -> np.ndarray:
    """Return any library's array, or nested sequences of numbers, as a NumPy array.

    Only the module of the library that made the array is imported.

    Examples
    --------
    >>> to_host([[1, 2], [3, 4]])
    array([[1, 2],
           [3, 4]])
    """
    library = type(array).__module__.partition(".")[0]
    if isinstance(array, np.ma.MaskedArray):
        raise BackendError("masked arrays are not taken: fill what is masked, array.filled(…)")
    if library not in _LIBRARIES:
        try:
            return np.asarray(array)
        except ValueError as error:
            raise BackendError(f"expected an array of numbers, or lists of one length: {error}") from error
    module = import_module(f"xpnet.backends.{library.replace('jaxlib', 'jax')}")
    return getattr(module, _LIBRARIES[library]).to_numpy(array)


def plain(array: np.ndarray) -> np.ndarray:
    """Return an array of numbers in a dtype and byte order that every library has.

    Raises
    ------
    BackendError
        If it does not hold real numbers.

    Examples
    --------
    >>> plain(np.asarray([1, 2], dtype=">u2")).dtype
    dtype('int64')
    """
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind not in "biuf":
        raise BackendError(f"expected an array of numbers, not one of dtype {array.dtype}")
    if kind == "f" and size not in (4, 8):
        return array.astype(np.float32 if size < 4 else np.float64)
    if kind == "u" and size > 1:
        return array.astype(np.int64)
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def host_memory() -> tuple[int, int, int]:
    """Return the resident memory of this process, what the machine has left, and what it has, in bytes."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    statm = Path("/proc/self/statm")
    if statm.exists():
        used = int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        lines = Path("/proc/meminfo").read_text().splitlines()
        available = [int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:")]
        return used, available[0] if available else total - used, total
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # the peak: nothing better is portable
    used = peak if sys.platform == "darwin" else peak * 1024
    return used, total - used, total
