"""BatchNorm and LayerNorm: the running state is PyTorch's, evaluation leaves samples alone, few samples."""

import threading

import numpy as np
import pytest
from conftest import assert_close

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn.context import OverSamples, context
from xpnet.nn.layer import Variables
from xpnet.trees import flat, map_tree

RNG = np.random.default_rng(0)
SHAPES = {"vectors": (8, 3), "images": (4, 3, 2, 5)}
over_shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def variables(backend, layer, shape):
    """Return the variables that a layer begins with, in float64."""
    begun = {"ones": np.ones, "zeros": np.zeros}
    return map_tree(lambda p: backend.from_numpy(begun[p.init](p.shape)), layer.variables(shape[1:]))


@over_shapes
@pytest.mark.parametrize("momentum", [0.9, 0.0, 0.75])
def test_running_state_and_evaluation_are_pytorchs(backend, torch, shape, momentum):
    layer = xpnet.BatchNorm(momentum, epsilon=1e-3)
    v = variables(backend, layer, shape)
    kind = torch.nn.BatchNorm1d if len(shape) == 2 else torch.nn.BatchNorm2d
    theirs = kind(3, momentum=1.0 - momentum, eps=1e-3, dtype=torch.float64, device="cpu")
    with backend.scope():
        for scale in (1.0, 5.0, 0.1):
            x = 2.0 + scale * RNG.normal(size=shape)
            c = context(backend.xp, backend.xp.float64, training=True)
            y, _, state = layer.forward(c, v, backend.from_numpy(x))
            v = Variables(v.params, state)
            assert_close(
                backend, y, theirs(torch.tensor(x, device="cpu")).detach().numpy(), rtol=1e-10, atol=1e-12
            )
            assert_close(backend, state["mean"], theirs.running_mean.numpy(), rtol=1e-12)
            assert_close(backend, state["variance"], theirs.running_var.numpy(), rtol=1e-12)
        theirs.eval()
        y, _, state = layer.forward(context(backend.xp, backend.xp.float64), v, backend.from_numpy(x))
        assert_close(
            backend, y, theirs(torch.tensor(x, device="cpu")).detach().numpy(), rtol=1e-10, atol=1e-12
        )
        assert state is v.state


@over_shapes
def test_batches_are_centred_and_scaled(shape):
    layer, backend = xpnet.BatchNorm(), xpnet.get_backend("numpy")
    x = 1e3 + RNG.normal(size=shape)
    y = layer.forward(context(np, training=True), variables(backend, layer, shape), x)[0]
    axes = (0, *range(2, len(shape)))
    np.testing.assert_allclose(y.mean(axis=axes), 0.0, atol=1e-9)
    np.testing.assert_allclose(y.var(axis=axes), 1.0, rtol=1e-4)


def test_equal_values_are_zeros_and_have_no_gradient():
    layer, backend = xpnet.BatchNorm(), xpnet.get_backend("numpy")
    v = variables(backend, layer, (4, 3))
    c = context(np, training=True)
    y, cache, _ = layer.forward(c, v, np.full((4, 3), 7.0))
    assert not y.any()
    dx, gradients = layer.backward(c, v, np.ones((4, 3)), cache, True)
    assert not dx.any()
    assert gradients["beta"].tolist() == [4.0, 4.0, 4.0]


@pytest.mark.parametrize("shape", [(3,), (3, 1, 1)])
def test_one_value_of_each_feature_has_no_variance(shape):
    net = xpnet.Model([xpnet.BatchNorm(), xpnet.Flatten(), xpnet.Dense(2)], shape, backend="numpy")
    x, t = RNG.normal(size=(5, *shape)), [0, 1, 0, 1, 0]
    with pytest.raises(InvalidInputError, match=r"from one value of each feature.*two samples or more"):
        net.gradient(x[:1], t[:1])
    with pytest.raises(InvalidInputError, match="drop_last=True"):
        xpnet.train(net, x, t, batch_size=2, sampling="shuffle", iterations=3, progress=False)
    assert net.logits(x[:1]).shape == (1, 2)
    history = xpnet.train(
        net, x, t, batch_size=2, sampling="shuffle", drop_last=True, iterations=3, progress=False
    )
    assert len(history.loss) == 3


def test_one_image_has_many_values():
    net = xpnet.Model([xpnet.BatchNorm(), xpnet.Flatten(), xpnet.Dense(2)], (3, 4, 4), backend="numpy")
    assert net.gradient(RNG.normal(size=(1, 3, 4, 4)), [0])["gamma1"].shape == (3,)


def test_training_moves_the_state_and_evaluation_does_not(backend):
    net = xpnet.Model([xpnet.Dense(4), xpnet.BatchNorm(), xpnet.Dense(2)], (3,), backend=backend)
    assert {*net.state} == {"mean2", "variance2"}
    x, t = 3.0 + RNG.normal(size=(20, 3)), RNG.integers(0, 2, 20)
    before = net.fingerprint()
    net.logits(x), net.loss(x, t), net.gradient(x, t)
    assert net.fingerprint() == before
    xpnet.train(net, x, t, batch_size=10, iterations=2, progress=False)
    assert np.all(backend.to_numpy(net.state["mean2"]) != 0)
    assert np.all(backend.to_numpy(net.state["variance2"]) != 1)


def test_no_penalty_and_no_decay_touches_them():
    net = xpnet.Model([xpnet.BatchNorm(), xpnet.LayerNorm(), xpnet.Dense(2)], (3,), backend="numpy")
    decayed = {name for name, mark in flat(net.network.decayed).items() if mark}
    assert decayed == {"W3"}


def test_bytes_are_pixels_for_them_too(backend):
    pixels = RNG.integers(0, 256, (6, 5)).astype(np.uint8)
    net = xpnet.Model([xpnet.BatchNorm(), xpnet.Dense(2)], (5,), dtype="float64", backend=backend)
    t = [0, 1, 0, 1, 1, 0]
    found, expected = net.gradient(pixels, t), net.gradient(pixels / 255.0, t)
    for name, value in expected.items():
        assert_close(backend, found[name], backend.to_numpy(value), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: xpnet.BatchNorm(momentum=1.5), "momentum must be a finite number, between 0 and 1, not 1.5"),
        (lambda: xpnet.BatchNorm(epsilon=0.0), "epsilon must be a finite number, at least 1e-30, not 0.0"),
        (lambda: xpnet.LayerNorm(epsilon=-1e-5), "epsilon must be"),
        (lambda: xpnet.Model([xpnet.BatchNorm()], (), backend="numpy"), "takes samples of one axis or more"),
        (lambda: xpnet.Model([xpnet.LayerNorm()], (), backend="numpy"), "takes samples of one axis or more"),
        (lambda: xpnet.Model([xpnet.Softmax()], (), backend="numpy"), "takes samples of one axis or more"),
    ],
)
def test_what_cannot_work_is_refused(make, message):
    with pytest.raises(InvalidInputError, match=message):
        make()


# Workers: each sees half of the batch, and the sums of all


class Shared(OverSamples):
    """The sums over the samples of two threads."""

    def __init__(self, xp, rank, parts, barrier):
        super().__init__(xp)
        self.rank, self.parts, self.barrier = rank, parts, barrier

    def _together(self, own):
        self.parts[self.rank] = own
        self.barrier.wait(10)
        total = self.parts[0] + self.parts[1]
        self.barrier.wait(10)
        return total

    def sum(self, x, axis=0):
        return self._together(super().sum(x, axis))

    def matmul(self, a, b):
        return self._together(super().matmul(a, b))

    def count(self, samples):
        return 2 * samples


WORKERS = {
    "BatchNorm": (xpnet.BatchNorm(), RNG.normal(size=(8, 3))),
    "BatchNorm of images": (xpnet.BatchNorm(), RNG.normal(size=(8, 3, 2, 2))),
    "LayerNorm": (xpnet.LayerNorm(), RNG.normal(size=(8, 3))),
    "Embedding": (xpnet.Embedding(4, 2), RNG.integers(0, 4, (8, 3))),
}


@pytest.mark.parametrize(("layer", "x"), WORKERS.values(), ids=WORKERS.keys())
def test_two_workers_compute_what_one_does(layer, x):
    v = map_tree(lambda p: RNG.uniform(0.5, 1.5, p.shape), layer.variables(x.shape[1:]))
    floating = x.dtype.kind == "f"
    dy = RNG.normal(size=(8, *layer.output_shape(x.shape[1:])))
    parts, barrier, found = [None, None], threading.Barrier(2), [None, None]

    def work(samples, x, dy):
        c = context(np, np.float64, training=True)._replace(samples=samples)
        y, cache, state = layer.forward(c, v, x)
        return y, *layer.backward(c, v, dy, cache, floating), state

    def worker(rank):
        half = slice(4 * rank, 4 * rank + 4)
        found[rank] = work(Shared(np, rank, parts, barrier), x[half], dy[half])

    threads = [threading.Thread(target=worker, args=(rank,)) for rank in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    y, dx, gradients, state = work(OverSamples(np), x, dy)
    np.testing.assert_allclose(np.concatenate([found[0][0], found[1][0]]), y, rtol=1e-12)
    if floating:
        np.testing.assert_allclose(np.concatenate([found[0][1], found[1][1]]), dx, rtol=1e-10, atol=1e-12)
    for rank in (0, 1):
        for name, value in {**gradients, **state}.items():
            np.testing.assert_allclose({**found[rank][2], **found[rank][3]}[name], value, rtol=1e-10)
