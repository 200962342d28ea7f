"""What was once wrong in the core, each the smallest case that showed it."""

import gc
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import require
from runs import LABELS, PIXELS, network

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.training.batches import make_sampler

X = PIXELS / np.float32(255)


def test_training_again_and_again_keeps_no_data(backend):
    """Exact training kept the data set of each call alive, and a program every array of its trace."""
    if backend.name == "jax":
        pytest.skip("operation by operation XLA's caches grow with each new shape, once")
    net = network(backend, "float32", arithmetic="exact")
    alive = []
    for _ in range(3):
        x = np.random.default_rng(0).normal(size=(500, 12))
        xpnet.train(net, x, np.arange(500) % 3, sampling="full", iterations=2, eval_every=0)
        gc.collect()
        alive.append(sum(array.nbytes for array in gc.get_objects() if type(array) is np.ndarray))
    assert alive[2] <= alive[1] + 10_000


def test_memory_after_many_runs():
    """In a process of its own: 20 exact runs on 12 MB of data, resident memory as after two."""
    code = """
        import gc, numpy as np, xpnet
        from xpnet.backends.host import host_memory
        x = np.random.default_rng(0).integers(0, 256, (15_000, 784)).astype(np.uint8)
        t = np.arange(15_000) % 10
        held = []
        for i in range(20):
            net = xpnet.MLP([784, 20, 10], backend="numpy", arithmetic="exact")
            xpnet.train(net, x.copy(), t, iterations=5, eval_every=0)
            gc.collect()
            held.append(host_memory()[0])
        print(held[-1] - held[1])
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True, timeout=300
    )
    assert int(done.stdout) < 20e6


def test_autograd_never_records():
    require("torch")
    import torch

    net = network("torch", "float32")
    net.params = {name: value.requires_grad_(True) for name, value in net.params.items()}
    x = torch.tensor(X, requires_grad=True)
    xpnet.train(net, x, LABELS, batch_size=10, iterations=3)
    outputs = [net.logits(x), *net.gradient(x, LABELS).values(), *net.params.values()]
    assert not any(value.requires_grad for value in outputs)


@pytest.mark.parametrize("lay", [np.asfortranarray, lambda x: np.hstack([x, x])[:, : x.shape[1]]])
def test_data_that_does_not_lie_row_by_row_is_laid_out_once(monkeypatch, lay):
    seen = []
    make_run = xpnet.Run.__init__

    def spy(self, net, optimizer, settings, data, *rest):
        seen.append(data["x"])
        make_run(self, net, optimizer, settings, data, *rest)

    monkeypatch.setattr(xpnet.Run, "__init__", spy)
    nets = [network("numpy", "float32"), network("numpy", "float32")]
    for net, x in zip(nets, (X, lay(X)), strict=True):
        xpnet.train(net, x, LABELS, batch_size=10, iterations=5)
    assert seen[1].flags.c_contiguous
    assert nets[0].fingerprint() == nets[1].fingerprint()


def test_more_samples_than_int32_counts_are_refused():
    with pytest.raises(InvalidInputError, match="2147483648 samples, more than the 2147483647"):
        make_sampler("with_replacement", 2**31, 100, seed=0)


def test_networks_from_arrays_draw_nothing(monkeypatch, tmp_path, backend):
    net = network(backend)
    net.save(tmp_path / "model")

    def never(*arguments):
        raise AssertionError("random weights were drawn")

    monkeypatch.setattr("xpnet.models.model.initial_tree", never)
    monkeypatch.setattr("xpnet.random.Stream.normal", never)
    same = [net.copy(), xpnet.MLP.from_params(net.params, backend, activation="tanh", dtype="float64")]
    for other in (*same, xpnet.load(tmp_path / "model", backend=backend)):
        assert other.fingerprint() == net.fingerprint()


def test_shapes_are_checked_before_memory_is_asked_for(tmp_path):
    """A small file that describes an enormous network."""
    from xpnet.io import read_weights, write_weights

    xpnet.MLP([2, 3, 2], backend="numpy").save(tmp_path / "small")
    arrays, metadata = read_weights(tmp_path / "small")
    described = metadata["xpnet"].replace('"units": 3', '"units": 30000000')
    write_weights(tmp_path / "forged", arrays, {"xpnet": described})
    with pytest.raises(InvalidInputError, match=r"W1 must have the shape \(2, 30000000\)"):
        xpnet.load(tmp_path / "forged", backend="numpy")


def test_networks_that_no_memory_holds_are_refused_before_they_are_drawn(monkeypatch):
    monkeypatch.setattr("xpnet.models.model.initial_tree", lambda *_: pytest.fail("weights were drawn"))
    with pytest.raises(xpnet.XpnetError, match=r"parameters would take .* are free|more than any memory"):
        xpnet.MLP([1000, 60_000_000, 2], backend="numpy")


def test_evaluations_do_not_walk_the_history():
    """Neither the best score nor early stopping reads again what it has read."""
    reads = []

    class Watched(list):
        def __getitem__(self, key):
            found = super().__getitem__(key)
            reads.append(len(found) if isinstance(key, slice) else 1)
            return found

        def __iter__(self):
            reads.append(len(self))
            return super().__iter__()

    history = xpnet.History(test_score=Watched())
    stop = xpnet.EarlyStopping(patience=5)
    for i in range(200):
        history.note(i, 0.0, i / 200, xpnet.Variables({}, {}))
        assert not stop(xpnet.Evaluation(None, history))
    assert sum(reads) <= 3 * 200
    assert (history.best_iteration, history.best_score) == (199, 199 / 200)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": "net"}, "net must be a network such as"),
        ({"drop_last": "no"}, "drop_last must be True or False, not 'no'"),
        ({"x": None}, r"\bx must be"),
        ({"t": ["a"] * 120}, r"\bt must be"),
        ({"sample_weight": -np.ones(120)}, "sample_weight must hold finite numbers of at least 0"),
        ({"sample_weight": np.ones(7)}, r"sample_weight must have the shape \(120,\)"),
    ],
)
def test_what_is_unfit_is_named(change, message):
    arguments = {"net": network("numpy"), "x": PIXELS, "t": LABELS, "iterations": 2, "batch_size": 10}
    with pytest.raises(ValueError, match=message) as raised:
        xpnet.train(**{**arguments, **change})
    assert isinstance(raised.value, xpnet.XpnetError)


def test_checkpoints_take_whole_numbers_that_are_floats(tmp_path):
    checkpoint = xpnet.Checkpoint(tmp_path / "run", every=2.0)
    xpnet.train(network("numpy"), PIXELS, LABELS, batch_size=10, iterations=5, checkpoint=checkpoint)
    assert type(checkpoint.every) is int


@pytest.mark.parametrize(
    ("load", "message"),
    [
        (lambda path: xpnet.load(None), "path must be the name of a file, not None"),
        (lambda path: xpnet.load(path, foo=1), "a network has no setting foo; there are"),
    ],
)
def test_loading_says_what_is_unfit(tmp_path, load, message):
    network("numpy").save(tmp_path / "model")
    with pytest.raises(InvalidInputError, match=message):
        load(tmp_path / "model")


def test_a_copy_goes_to_the_device_that_is_named():
    require("jax")
    net = xpnet.MLP([2, 2], backend=xpnet.get_backend("jax", "cpu:0"))
    assert net.copy(device="cpu:1").backend.device_name == "cpu:1"
