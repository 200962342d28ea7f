"""What every layer does in exact arithmetic: one set of bits, alone or among others, resumed, from a file."""

from contextlib import suppress

import numpy as np
import pytest
from cases import CASES, TRAINABLE

import xpnet

SAMPLES = 40


def model(case, backend, dtype="float32"):
    layers = [case.layer, xpnet.Flatten(), xpnet.Dense(3)]
    return xpnet.Model(layers, case.inputs, l2=0.01, dtype=dtype, arithmetic="exact", backend=backend)


def data_of(case):
    rng = np.random.default_rng(6)
    x = np.concatenate([case.x] * 7)[:SAMPLES]
    return (x + 0.1 * rng.normal(size=x.shape) if case.floating else x), rng.integers(0, 3, SAMPLES)


def trained(case, backend, dtype, iterations=12, callbacks=(), checkpoint=None):
    net = model(case, backend, dtype)
    xpnet.train(
        net,
        *data_of(case),
        xpnet.Momentum(0.05),
        batch_size=8,
        iterations=iterations,
        eval_every=4,
        seed=7,
        progress=False,
        callbacks=callbacks,
        checkpoint=checkpoint,
    )
    return net


EXPECTED = {}


def expected(name, dtype):
    """Return the model trained on NumPy."""
    if (name, dtype) not in EXPECTED:
        EXPECTED[name, dtype] = trained(CASES[name], "numpy", dtype)
    return EXPECTED[name, dtype]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TRAINABLE)
def test_one_fingerprint(backend, name, dtype):
    if backend.name == "jax" and dtype != ("float32", "float64")[list(TRAINABLE).index(name) % 2]:
        pytest.skip("JAX compiles each operation for each dtype: every case has one of them, in turns")
    assert trained(CASES[name], backend, dtype).fingerprint() == expected(name, dtype).fingerprint()


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_run_goes_on_on_another_library(backend, tmp_path, name):
    path = tmp_path / "run.safetensors"
    half = lambda evaluation: evaluation.history.iteration[-1] == 8  # noqa: E731
    with suppress(KeyboardInterrupt):
        trained(CASES[name], "numpy", "float32", callbacks=[half], checkpoint=xpnet.Checkpoint(path, 4))
    net, history = xpnet.resume(path, *data_of(CASES[name]), backend=backend, progress=False)
    assert net.fingerprint() == expected(name, "float32").fingerprint()
    assert len(history.loss) == 12


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_sample_is_predicted_alike_alone_and_in_any_batch(backend, name):
    net, (x, _) = expected(name, "float32").copy(backend), data_of(CASES[name])
    together = backend.to_numpy(net.logits(x[:7]))
    alone = np.concatenate([backend.to_numpy(net.logits(x[i : i + 1])) for i in range(7)])
    assert alone.tobytes() == together.tobytes()
    assert backend.to_numpy(net.logits(x[2:5])).tobytes() == together[2:5].tobytes()


@pytest.mark.parametrize("name", TRAINABLE)
def test_a_file_keeps_it(backend, tmp_path, name):
    path, net = tmp_path / "model.safetensors", expected(name, "float32")
    net.save(path)
    again = xpnet.load(path, backend=backend)
    assert again.network == net.network
    x = data_of(CASES[name])[0]
    assert backend.to_numpy(again.logits(x)).tobytes() == net.logits(x).tobytes()
