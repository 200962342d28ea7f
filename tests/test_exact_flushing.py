"""The processor's flags as the tests set them: they take effect, and are as before afterwards."""

import json
from pathlib import Path

import numpy as np
import pytest
from flushing import FlushingNumpyBackend, flushing
from golden.write import train

import xpnet

TINY = np.full(3, 2.0**-1022)
DIGITS = json.loads((Path(__file__).parent / "golden" / "digits.json").read_text())


def test_subnormal_numbers_are_zeros_while_it_lasts():
    assert (TINY * 0.5).any()
    with flushing():
        assert not (TINY * 0.5).any()
        with flushing():
            assert not (TINY * 0.5).any()
        assert not (TINY * 0.5).any()
    assert (TINY * 0.5).any()


def test_an_error_ends_it_too():
    with pytest.raises(ZeroDivisionError), flushing():
        _ = 1 / 0
    assert (TINY * 0.5).any()


def test_arrays_of_the_backend_are_computed_with_in_this_way():
    with flushing():
        backend = FlushingNumpyBackend()
    x = backend.asarray(TINY)
    halves = [x * 0.5, 0.5 * x, backend.xp.multiply(x, 0.5), backend.xp.sum(x) - x[0] * 2.5]
    assert not any(backend.to_numpy(half).any() for half in halves)
    assert not backend.to_numpy(
        backend.xp.astype(backend.asarray(np.asarray([1e-40], "float32")), np.float64)
    ).any()
    assert (TINY * 0.5).any()


@pytest.mark.parametrize("case", DIGITS[::4])
def test_a_processor_without_subnormal_numbers_ends_on_the_published_bits(case):
    with flushing():
        assert train(case, xpnet.datasets.load("digits"), "numpy").fingerprint() == case["sha256"]
