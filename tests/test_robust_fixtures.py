"""The guards of the tests themselves: read-only results, and forms that need a GPU."""

import conftest
import numpy as np
import pytest
from conftest import BACKENDS, ReadOnlyNumpyBackend, library_of, require

from xpnet.arithmetic.exact import exact

ROW = np.asarray([[3.0, 1.0, 2.0]])


@pytest.mark.parametrize(
    "compute",
    [
        lambda xp, x: xp.exp(x),
        lambda xp, x: xp.zeros((2, 2)),
        lambda xp, x: xp.matmul(x, xp.reshape(x, (3, 1))),
        lambda xp, x: xp.astype(x, xp.float32),
        lambda xp, x: xp.sort(x),
        lambda xp, x: xp.asarray(x, copy=True),
        lambda xp, x: xp.unstack(x)[0],
        lambda xp, x: xp.unique_counts(x).values,
        lambda xp, x: xp.linalg.matrix_transpose(x),
        lambda xp, x: exact(xp).exp(x),
    ],
)
def test_results_cannot_be_written_to(compute):
    backend = ReadOnlyNumpyBackend()
    result = compute(backend.xp, backend.asarray(ROW))
    with pytest.raises(ValueError, match="read-only"):
        result[...] = 0.0


def test_the_guard_leaves_the_rest_as_it_is():
    xp = ReadOnlyNumpyBackend.xp
    assert xp is ReadOnlyNumpyBackend().xp
    assert xp.float32 is np.float32
    assert library_of(xp).__name__ == "array_api_compat.numpy"
    mine = np.ones(2)
    xp.asarray(mine)
    mine[0] = 2.0


def test_gpu_forms_are_skipped_with_their_reason(monkeypatch):
    """On a machine without a GPU; on one with, the fixture runs them."""
    monkeypatch.setenv("XPNET_REQUIRE_BACKENDS", "")
    for name in ("torch_cuda", "jax_cuda"):
        if conftest._missing(name) is None:
            with BACKENDS[name]() as backend:
                assert backend.on_gpu
        else:
            with pytest.raises(pytest.skip.Exception, match=r"'cuda:0'|is not installed"):
                require(name)


def test_a_form_that_is_asked_for_must_not_be_missing(monkeypatch):
    monkeypatch.setenv("XPNET_REQUIRE_BACKENDS", "numpy,torch_cuda")
    monkeypatch.setattr("conftest._missing", lambda name: "no GPU")
    with pytest.raises(pytest.fail.Exception, match="names torch_cuda, but: no GPU"):
        require("torch_cuda")
    with pytest.raises(pytest.skip.Exception, match="no GPU"):
        require("torch")
