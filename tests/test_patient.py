"""Exact steps compiled on JAX: the same bits as operation by operation, or not compiled at all."""

import json
import logging

import numpy as np
import pytest
from conftest import require
from golden.write import FOLDER, train

import xpnet
from xpnet.backends import get_backend
from xpnet.programs import patient, scanned
from xpnet.programs.guarded import ZEROS, GuardedRecord

DIGITS = xpnet.datasets.load("digits")
CASES = json.loads((FOLDER / "digits.json").read_text())


@pytest.fixture
def jax():
    require("jax")
    return get_backend("jax")


@pytest.fixture
def impatient(monkeypatch):
    """Compile after two iterations; return the chunks that compiled programs computed."""
    monkeypatch.setattr(patient, "PATIENCE", 2)
    chunks = []
    over = scanned.ScannedLoop.over

    def watched(loop, data):
        chunk = over(loop, data)

        def counted(state, batches):
            chunks.append(batches.iterations)
            return chunk(state, batches)

        return counted

    monkeypatch.setattr(scanned.ScannedLoop, "over", watched)
    return chunks


def in_pieces(case, backend):
    """Train the network of a golden case, three iterations at a time."""
    from golden.write import optimizer_of

    net = xpnet.MLP(**case["net"], seed=1, backend=backend, arithmetic="exact")
    settings = xpnet.training.Settings(batch_size=case["batch_size"], seed=1)
    run = xpnet.Run(net, optimizer_of(case), settings, net.prepare(DIGITS.x_train, DIGITS.t_train))
    losses = [run.advance(3) for _ in range(case["iterations"] // 3)]
    return net.fingerprint(), np.concatenate([backend.to_numpy(chunk) for chunk in losses])


@pytest.mark.parametrize("number", [0, 9, 19, 22])  # both dtypes, clipping, a penalty, squared errors
def test_compiled_steps_have_the_golden_bits(jax, impatient, number):
    fingerprint, _ = in_pieces(CASES[number], jax)
    assert fingerprint == CASES[number]["sha256"]
    assert impatient == [3] * 5  # the first of them computed both ways


def test_short_runs_are_not_compiled(jax, monkeypatch):
    monkeypatch.setattr(jax.__class__, "jit", lambda *_: pytest.fail("compiled"))
    assert train(CASES[0], DIGITS, jax).fingerprint() == CASES[0]["sha256"]


def test_a_compiler_that_changes_bits_is_found_out(jax, impatient, monkeypatch, caplog):
    """Without its guard XLA contracts products and sums: the steps go on one by one, and say so once."""
    monkeypatch.setattr(scanned, "ZEROS", {})
    with caplog.at_level(logging.WARNING, "xpnet"):
        fingerprint, losses = in_pieces(CASES[9], jax)
    assert fingerprint == CASES[9]["sha256"]
    assert len(losses) == 15
    assert impatient == [3]
    assert ["changes bits" in message for message in caplog.messages] == [True]


def test_the_guard_touches_products_and_zeros_alone():
    made = GuardedRecord(ZEROS)
    x = np.asarray([-0.0, 2.0])
    assert np.signbit(made.compute("multiply", np.multiply, (x, 1.0), {})).tolist() == [True, False]
    assert np.signbit(made.compute("add", np.add, (x, 0.0), {})).tolist() == [False, False]
    whole = np.asarray([3], dtype=np.int32)
    assert made.compute("multiply", np.multiply, (whole, whole), {}).dtype == np.int32
