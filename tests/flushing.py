"""NumPy on a processor that takes subnormal numbers for zeros: a library more to test exact arithmetic on.

PyTorch sets the flags of the processor's control register for the thread, and NumPy computes under them too.
They are on for the operations on the backend's own arrays alone: what is expected, in plain NumPy, is not.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from conftest import BACKENDS, require

from xpnet.backends import Backend
from xpnet.backends.numpy import NumpyBackend


@contextmanager
def flushing() -> Iterator[None]:
    """Take subnormal numbers for zeros while this lasts, or skip the test where that cannot be."""
    require("torch")
    import torch

    before = not _subnormal_numbers_live()
    if not torch.set_flush_denormal(True) or _subnormal_numbers_live():
        torch.set_flush_denormal(before)
        pytest.skip("this processor does not flush subnormal numbers at PyTorch's word")
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _subnormal_numbers_live() -> bool:
    return bool((np.full(4, 2.0**-1022) * 0.5 > 0.0).all())


class Flushed(np.ndarray):
    """An array that is computed with in this way, and whatever comes of it."""

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if "out" in options:
            options["out"] = tuple(map(plain, options["out"]))
        with flushing():
            result = getattr(ufunc, method)(*map(plain, inputs), **options)
        return flushed(result)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        with flushing():
            return super().__array_function__(function, types, args, kwargs)

    def astype(self, *args: Any, **kwargs: Any) -> Any:
        with flushing():
            return flushed(plain(self).astype(*args, **kwargs))


def plain(x: Any) -> Any:
    """Return a flushed array as one of NumPy's."""
    return x.view(np.ndarray) if isinstance(x, Flushed) else x


def flushed(x: Any) -> Any:
    """Return an array, or a tree of them, as flushed ones."""
    if isinstance(x, dict):
        return {name: flushed(value) for name, value in x.items()}
    if isinstance(x, tuple):
        return tuple(map(flushed, x))
    return np.asarray(x).view(Flushed) if isinstance(x, np.ndarray | np.generic) else x


class FlushingNumpyBackend(NumpyBackend):
    """NumPy whose arrays are `Flushed`."""

    takes_out = False  # a replay would write into arrays that are not

    def from_numpy(self, array: np.ndarray) -> np.ndarray:
        return flushed(super().from_numpy(array))

    def asarray(self, array: Any, dtype: str | None = None, name: str = "array") -> np.ndarray:
        return flushed(super().asarray(array, dtype, name))

    @classmethod
    def to_numpy(cls, array: Any) -> np.ndarray:
        return np.asarray(plain(super().to_numpy(array)))


@pytest.fixture(params=[*BACKENDS, "numpy_flushing"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Every array library in turn, and NumPy without subnormal numbers."""
    if request.param == "numpy_flushing":
        with flushing():
            pass  # skips where it cannot be
        yield FlushingNumpyBackend()
        return
    require(request.param)
    with BACKENDS[request.param]() as opened:
        yield opened
