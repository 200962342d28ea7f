"""The way to the host: any library's array as a NumPy array, and the host's own memory."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

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
    if library not in _LIBRARIES:
        return np.asarray(array)
    module = import_module(f"xpnet.backends.{library.replace('jaxlib', 'jax')}")
    return getattr(module, _LIBRARIES[library]).to_numpy(array)


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
