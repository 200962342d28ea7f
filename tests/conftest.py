"""The backends that the mathematics is tested on, each in its least forgiving form.

A test that takes the fixture ``backend`` runs on every array library that is installed; the others
are skipped with their reason. The environment variable ``XPNET_REQUIRE_BACKENDS="numpy,torch"``
turns the skip of a named library into a failure.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

# JAX reads these when it starts, which another test module may cause: a second device to compute on.
os.environ.setdefault("JAX_NUM_CPU_DEVICES", "2")
# Where no NVIDIA driver is, JAX need not look for GPUs; where one is, it shall not take the others' memory.
os.environ.setdefault(
    "JAX_PLATFORMS",
    "" if Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") else "cpu",
)
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import array_api_compat
import numpy as np
import pytest

from xpnet.backends import Backend, backend_info, get_backend
from xpnet.backends.numpy import NumpyBackend
from xpnet.errors import BackendError
from xpnet.trees import map_tree


class ReadOnlyNamespace:
    """A namespace whose functions return arrays that cannot be written to: whoever mutates a result fails."""

    def __init__(self, library: Any) -> None:
        self.library = library

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.library, name)
        if isinstance(value, ModuleType):
            value = ReadOnlyNamespace(value)
        elif callable(value) and not isinstance(value, type):
            value = _with_read_only_results(value)
        setattr(self, name, value)
        return value


def _with_read_only_results(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arguments, **options: _read_only(function(*arguments, **options))


class ReadOnlyNumpyBackend(NumpyBackend):
    """NumPy that hands out arrays which cannot be written to, as do all its functions."""

    xp = ReadOnlyNamespace(NumpyBackend.xp)

    def asarray(self, array: Any, dtype: str | None = None, name: str = "array") -> np.ndarray:
        return _read_only(super().asarray(array, dtype, name))

    takes_out = False  # its steps run operation by operation, each result guarded

    def from_numpy(self, array: np.ndarray) -> np.ndarray:
        return _read_only(super().from_numpy(array))


def _read_only(tree: Any) -> Any:
    def guarded(leaf: Any) -> Any:
        if not isinstance(leaf, np.ndarray):
            return leaf
        view = leaf.view()
        view.flags.writeable = False
        return view

    return map_tree(guarded, tree)


@contextmanager
def _numpy() -> Iterator[Backend]:
    yield get_backend("numpy")


@contextmanager
def _numpy_read_only() -> Iterator[Backend]:
    yield ReadOnlyNumpyBackend()


@contextmanager
def _array_api_strict() -> Iterator[Backend]:
    """All that the standard leaves open is switched off, and the device is not the default one."""
    import array_api_strict

    with array_api_strict.ArrayAPIStrictFlags(
        boolean_indexing=False, data_dependent_shapes=False, enabled_extensions=()
    ):
        yield get_backend("array_api_strict", "device1")


@contextmanager
def _torch() -> Iterator[Backend]:
    """The default device holds no numbers: whoever forgets ``device=`` fails."""
    import torch

    with torch.device("meta"):
        yield get_backend("torch", "cpu")


@contextmanager
def _torch_cuda() -> Iterator[Backend]:
    """The last CUDA device; the default device holds no numbers."""
    import torch

    with torch.device("meta"):
        yield get_backend("torch", f"cuda:{torch.cuda.device_count() - 1}")


@contextmanager
def _jax() -> Iterator[Backend]:
    """The second device, in 64-bit mode."""
    with _jax_in_64_bits():
        yield get_backend("jax", "cpu:1")


@contextmanager
def _jax_cuda() -> Iterator[Backend]:
    """The last CUDA device, in 64-bit mode."""
    import jax

    with _jax_in_64_bits():
        yield get_backend("jax", f"cuda:{len(jax.devices('cuda')) - 1}")


@contextmanager
def _jax_in_64_bits() -> Iterator[None]:
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        yield
    finally:
        jax.config.update("jax_enable_x64", before)


@contextmanager
def _cupy() -> Iterator[Backend]:
    """The last CUDA device, and current: a kernel refuses arrays of another device than the current one.

    That xpnet itself makes it current wherever it computes is tested in ``test_devices``.
    """
    import cupy

    backend = get_backend("cupy", f"cuda:{cupy.cuda.runtime.getDeviceCount() - 1}")
    with backend.scope():
        yield backend


BACKENDS: dict[str, Callable[[], AbstractContextManager[Backend]]] = {
    "numpy": _numpy,
    "numpy_read_only": _numpy_read_only,
    "array_api_strict": _array_api_strict,
    "torch": _torch,
    "torch_cuda": _torch_cuda,
    "jax": _jax,
    "jax_cuda": _jax_cuda,
    "cupy": _cupy,
}


def require(name: str) -> None:
    """Skip the test where a library, or a form of it in `BACKENDS`, cannot be used; or fail, if so asked."""
    reason = _missing(name)
    if reason is None:
        return
    if name in os.environ.get("XPNET_REQUIRE_BACKENDS", "").split(","):
        pytest.fail(f"XPNET_REQUIRE_BACKENDS names {name}, but: {reason}")
    pytest.skip(reason)


def _missing(name: str) -> str | None:
    """Return why a library cannot be used, or None."""
    library = name.removesuffix("_read_only").removesuffix("_cuda")
    info = backend_info(library)
    if not info.available or not name.endswith("_cuda"):
        return info.reason
    try:
        get_backend(library, "cuda:0")
    except BackendError as error:
        return str(error)
    return None


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    """Every array library in turn."""
    require(request.param)
    with BACKENDS[request.param]() as opened:
        yield opened


@pytest.fixture
def xp(backend: Backend) -> Any:
    """Return the functions of that library."""
    return backend.xp


@pytest.fixture
def torch() -> Any:
    """PyTorch, as a reference to compare with."""
    require("torch")
    import torch

    return torch


def library_of(xp: Any) -> Any:
    """Return the namespace itself, without the guard around it."""
    return xp.library if isinstance(xp, ReadOnlyNamespace) else xp


def assert_close(
    backend: Backend, got: Any, expected: np.ndarray | np.generic, rtol: float = 0.0, atol: float = 0.0
) -> None:
    """Assert that an array has the library, device, dtype and shape that it should, and such values.

    The reference is NumPy's and its dtype is the one that is expected: nothing is converted.
    """
    assert isinstance(expected, np.ndarray | np.generic), "build the reference in NumPy"
    assert array_api_compat.array_namespace(got) is library_of(backend.xp)
    assert array_api_compat.device(got) == backend.device
    assert got.dtype == getattr(backend.xp, expected.dtype.name)
    assert tuple(got.shape) == expected.shape
    np.testing.assert_allclose(backend.to_numpy(got), expected, rtol=rtol, atol=atol)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Skip what a pretended CUDA driver cannot translate: it says so by an error that no real one has."""
    report = yield
    if call.excinfo is not None and "CUDA_ERROR_PRETENDED" in str(call.excinfo.value):
        report.outcome = "skipped"
        reason = "Skipped: the pretended CUDA driver cannot translate a kernel of CuPy's: it needs a GPU"
        report.longrepr = (str(item.path), item.location[1] or 0, reason)
    return report
