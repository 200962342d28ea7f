"""Same seed, same bits: whole trainings in exact arithmetic on every backend, against published strings."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import flushing
import numpy as np
import pytest
from conftest import require
from golden.write import cases, train

import xpnet
from xpnet.arithmetic.exact import REPLACED
from xpnet.training import Checkpoint

backend = flushing.backend

GOLDEN = Path(__file__).parent / "golden"
DIGITS = json.loads((GOLDEN / "digits.json").read_text())
MNIST = json.loads((GOLDEN / "mnist.json").read_text())


def name_of(case):
    net = case["net"]
    sizes = "-".join(map(str, net["sizes"]))
    parts = (
        sizes,
        net["activation"],
        net.get("dtype", "float32"),
        case["optimizer"]["name"],
        case["iterations"],
    )
    return " ".join(map(str, parts))


@pytest.fixture(scope="module")
def digits():
    return xpnet.datasets.load("digits")


@pytest.fixture(scope="module")
def mnist():
    if not os.environ.get("XPNET_DATA"):  # nothing is downloaded for a test
        pytest.skip("MNIST is not here: set XPNET_DATA to its folder")
    return xpnet.datasets.load("mnist")


def test_golden_files_hold_the_cases_that_are_written():
    for name, listed in cases().items():
        golden = json.loads((GOLDEN / f"{name}.json").read_text())
        assert [{key: case[key] for key in case if key != "sha256"} for case in golden] == listed


@pytest.mark.parametrize("case", DIGITS, ids=name_of)
def test_digits_end_on_the_published_bits(backend, digits, case):
    assert train(case, digits, backend).fingerprint() == case["sha256"]


@pytest.mark.parametrize("case", [case for case in MNIST if case["iterations"] == 100], ids=name_of)
def test_mnist_ends_on_the_published_bits(backend, mnist, case):
    assert train(case, mnist, backend).fingerprint() == case["sha256"]


@pytest.mark.parametrize("name", ["numpy", "torch"])
@pytest.mark.parametrize("case", [case for case in MNIST if case["iterations"] == 2000], ids=name_of)
def test_long_training_on_mnist_ends_on_the_published_bits(name, mnist, case):
    require(name)
    assert train(case, mnist, xpnet.get_backend(name)).fingerprint() == case["sha256"]


ONE_TRAINING = """
import json, sys
import numpy as np
import xpnet
rng = np.random.default_rng(0)
x, t = rng.random((2000, 400)), rng.integers(0, 10, 2000)
net = xpnet.MLP([400, 300, 10], backend=sys.argv[1], arithmetic=sys.argv[2], dtype="float64")
xpnet.train(net, x, t, batch_size=500, iterations=6, eval_every=0)
print(net.fingerprint())
"""


@pytest.mark.parametrize("name", ["numpy", "torch"])
def test_number_of_threads_does_not_show(name):
    require(name)
    found = set()
    for threads in ("1", "2"):
        variables = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        run = subprocess.run(
            [sys.executable, "-c", ONE_TRAINING, name, "exact"],
            env={**os.environ, **dict.fromkeys(variables, threads)},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(run.stdout.strip())
    assert len(found) == 1


def test_moving_to_another_backend_on_the_way_does_not_show(backend, digits, tmp_path):
    data, path = (digits.x_train, digits.t_train), tmp_path / "run.safetensors"
    config = {"arithmetic": "exact", "activation": "tanh", "sizes": [64, 16, 10]}

    def begin(iterations):
        net = xpnet.MLP(**config, backend="numpy")
        settings = {"sampling": "shuffle", "batch_size": 50, "iterations": iterations, "eval_every": 0}
        xpnet.train(net, *data, xpnet.Adam(0.01), **settings, checkpoint=Checkpoint(path, every=10))
        return net

    stayed = begin(30).fingerprint()
    begin(10)
    moved, history = xpnet.resume(path, *data, iterations=30, backend=backend)
    assert moved.fingerprint() == stayed
    assert len(history.loss) == 30


def test_weights_that_decay_to_nothing_do_not_part_the_bits(backend, digits):
    """XLA takes subnormal numbers for zeros: a penalty brings the weights of dark pixels down there."""

    def trained(on):
        net = xpnet.MLP([64, 5, 10], backend=on, arithmetic="exact", l2=1.0)
        data = digits.x_train[:200], digits.t_train[:200]
        xpnet.train(net, *data, xpnet.SGD(0.9), batch_size=20, iterations=60, eval_every=0)
        return net

    net = trained("numpy")
    assert np.any(net.params["W1"] == 0.0)  # 0.1**60 of what they were is below the smallest float32
    assert trained(backend).fingerprint() == net.fingerprint()


def test_pixels_as_bytes_are_exact_too(backend):
    rng = np.random.default_rng(3)
    x, t = rng.integers(0, 256, (80, 64), dtype=np.uint8), rng.integers(0, 10, 80)

    def trained(on):
        net = xpnet.MLP([64, 16, 10], backend=on, arithmetic="exact")
        xpnet.train(net, x, t, batch_size=50, iterations=10, eval_every=0)
        return net.fingerprint()

    assert trained(backend) == trained("numpy")


@pytest.mark.parametrize("broken", ["matmul", "sum", "exp"])
def test_one_operation_of_the_library_instead_parts_the_bits(broken, digits, monkeypatch):
    """PyTorch's own operation in place of one exact one, which NumPy keeps."""
    require("torch")
    case = {
        "net": {"sizes": [64, 50, 10], "activation": "tanh", "dtype": "float64"},
        "optimizer": {"name": "sgd", "learning_rate": 0.1},
        "batch_size": 100,
        "iterations": 50,
    }
    whole = train(case, digits, "torch").fingerprint()
    assert whole == train(case, digits, "numpy").fingerprint()
    replaced = {**REPLACED, broken: lambda xp, *args, **kwargs: getattr(xp, broken)(*args, **kwargs)}
    monkeypatch.setattr(import_module("xpnet.arithmetic.exact"), "REPLACED", replaced)
    assert train(case, digits, "torch").fingerprint() != whole


@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid"])
def test_gradients_are_right_in_exact_arithmetic(digits, activation):
    net = xpnet.MLP([64, 8, 6, 10], activation, backend="numpy", arithmetic="exact", l2=0.01)
    # A product carries 42 bits of its operands: a difference needs a wider step than with all 53.
    differences = xpnet.gradcheck(net, digits.x_train[:6], digits.t_train[:6], h=1e-4)
    assert max(differences.values()) < 1e-7


def test_exact_and_standard_training_agree_to_rounding(digits):
    config = {"sizes": [64, 30, 10], "activation": "tanh", "dtype": "float64", "backend": "numpy"}
    ends = []
    for arithmetic in ("standard", "exact"):
        net = xpnet.MLP(**config, arithmetic=arithmetic)
        xpnet.train(net, digits.x_train, digits.t_train, iterations=100, eval_every=0)
        ends.append(net.params)
    for name, value in ends[0].items():
        np.testing.assert_allclose(ends[1][name], value, rtol=0, atol=1e-11)
