"""CuPy: its switches as people leave them, and the errors by which it says that memory ran out."""

import numpy as np
import pytest
from conftest import require
from test_backends import path_with, python
from test_devices import CUPY, told_by_cupy

from xpnet.backends import get_backend
from xpnet.errors import OutOfMemoryError
from xpnet.training.memory import memory_guard


def test_an_empty_switch_of_tf32_counts_as_not_set(tmp_path):
    told = told_by_cupy(tmp_path, CUPY_TF32="")
    assert "available=True" in told
    assert "tf32=False" in told


def test_a_switch_of_tf32_that_is_none_is_told(tmp_path):
    told = told_by_cupy(tmp_path, CUPY_TF32="yes")
    assert "available=False" in told
    assert "the environment variable CUPY_TF32 must be 0 or 1, not 'yes'" in told


def test_cupy_multiplies_with_an_empty_switch(monkeypatch):
    """CuPy itself would fail at its first product."""
    require("cupy")
    monkeypatch.setenv("CUPY_TF32", "")
    backend = get_backend("cupy")
    with backend.scope():
        ones = backend.asarray(np.ones((3, 3), dtype=np.float32))
        assert backend.to_numpy(backend.xp.matmul(ones, ones)).tolist() == [[3.0] * 3] * 3


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("CUBLAS_STATUS_ALLOC_FAILED", True),
        ("CUDA_ERROR_OUT_OF_MEMORY: out of memory", True),
        ("cudaErrorMemoryAllocation: out of memory", True),
        ("CUBLAS_STATUS_EXECUTION_FAILED", False),
        ("CUDA_ERROR_ILLEGAL_ADDRESS: an illegal memory access was encountered", False),
    ],
)
def test_what_the_driver_and_cublas_raise_is_known(tmp_path, message, expected):
    (tmp_path / "cupy.py").write_text(CUPY.replace("FAILURE", "pass"))
    code = f"""
        import sys, types
        sys.modules["array_api_compat.cupy"] = types.ModuleType("array_api_compat.cupy")
        from xpnet.backends.cupy import CupyBackend
        error = RuntimeError({message!r})
        print(isinstance(error, CupyBackend.out_of_memory_errors), CupyBackend.is_out_of_memory(None, error))
    """
    assert python(code, PYTHONPATH=path_with(tmp_path)).split() == ["True", str(expected)]


def test_errors_of_cupy_itself():
    require("cupy")
    import cupy

    backend = get_backend("cupy")
    short = [
        cupy.cuda.cublas.CUBLASError(3),
        cupy.cuda.runtime.CUDARuntimeError(2),
        cupy.cuda.memory.OutOfMemoryError(8, 8),
    ]
    for error in short:
        with pytest.raises(OutOfMemoryError, match=r"out of memory \(cupy"), memory_guard(backend, str):
            raise error
    for error in (cupy.cuda.cublas.CUBLASError(13), cupy.cuda.driver.CUDADriverError(700)):
        with pytest.raises(type(error)), memory_guard(backend, str):
            raise error
