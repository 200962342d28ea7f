"""The replayed step: the eager step's bits, its purity, and no allocation."""

import tracemalloc

import array_api_compat.numpy as xp
import numpy as np
import pytest

import xpnet
from xpnet.backends.base import Batches
from xpnet.programs.loop import ReplayedLoop
from xpnet.programs.replay import Replay
from xpnet.programs.tracing import Record, TracingNamespace
from xpnet.training.step import build_step

OPTIMIZERS = [
    xpnet.SGD(0.1),
    xpnet.SGD(0.1, clip_norm=0.5),
    xpnet.Momentum(0.1),
    xpnet.Nesterov(0.1),
    xpnet.AdaGrad(0.1),
    xpnet.RMSProp(0.01),
    xpnet.Adam(0.01),
    xpnet.AdamW(0.01),
]


def setting(optimizer, samples=40, pixels=True, **config):
    """Return a network's step builder with a state, data and five batches for it."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (samples, 12), dtype=np.uint8)
    if not pixels:
        x = x.astype(config.get("dtype", "float32")) / 255
    t = rng.integers(0, 3, samples).astype(np.int32)
    net = xpnet.MLP([12, 7, 5, 3], backend="numpy", **config)
    state = {"params": net.params, "optimizer": optimizer.init(xp, net.params)}
    coefficients = [optimizer.coefficients(i) for i in range(5)]
    batches = Batches(
        rng.integers(0, samples, (5, 8)).astype(np.int32),
        {name: [row[name] for row in coefficients] for name in coefficients[0]},
    )

    def build(namespace):
        return build_step(namespace, net.arithmetic, net.chain, optimizer)

    return net.backend, build, state, (x, t), batches


def leaves(tree):
    return [
        leaf for value in tree.values() for leaf in (leaves(value) if isinstance(value, dict) else [value])
    ]


def assert_same_bits(got, expected):
    for a, b in zip(leaves(got), leaves(expected), strict=True):
        assert a.dtype == b.dtype
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "optimizer", OPTIMIZERS, ids=lambda o: type(o).__name__ + (" clipped" if o.clip_norm else "")
)
@pytest.mark.parametrize(
    ("activation", "loss", "l2"),
    [
        ("relu", "softmax_cross_entropy", 0.0),
        ("sigmoid", "mean_squared_error", 0.1),
        ("tanh", "softmax_cross_entropy", 0.1),
    ],
)
def test_replay_has_the_bits_of_the_eager_step(dtype, optimizer, activation, loss, l2):
    config = {"dtype": dtype, "activation": activation, "loss": loss, "l2": l2}
    backend, build, state, data, batches = setting(optimizer, **config)
    eager, replayed = backend.eager_loop(build), backend.loop(build, fuse=False)
    for _ in range(3):  # the second and third time start from another state
        expected, expected_losses = eager(state, data, batches)
        got, losses = replayed(state, data, batches)
        assert losses.tobytes() == expected_losses.tobytes()
        assert_same_bits(got, expected)
        state = expected


def test_full_batch_and_another_batch_size_are_programs_of_their_own():
    backend, build, state, data, batches = setting(xpnet.Momentum(0.1), pixels=False)
    eager, replayed = backend.eager_loop(build), backend.loop(build, fuse=False)
    for other in (batches, batches._replace(indices=None), batches._replace(indices=batches.indices[:, :3])):
        expected, _ = eager(state, data, other)
        got, _ = replayed(state, data, other)
        assert_same_bits(got, expected)


def test_given_and_returned_states_are_never_written_again():
    backend, build, state, data, batches = setting(xpnet.Adam(0.1))
    replayed = backend.loop(build, fuse=False)
    before = [leaf.copy() for leaf in leaves(state)]
    first, _ = replayed(state, data, batches)
    kept = [leaf.copy() for leaf in leaves(first)]
    replayed(first, data, batches)
    for now, then in zip(leaves(state) + leaves(first), before + kept, strict=True):
        np.testing.assert_array_equal(now, then)


def test_steady_state_allocates_no_array():
    backend, build, state, data, batches = setting(xpnet.SGD(0.1), samples=8000, dtype="float64")
    wide = batches._replace(indices=np.tile(np.arange(8000, dtype=np.int32), (5, 1)))
    replayed = backend.loop(build, fuse=False)
    assert isinstance(replayed, ReplayedLoop)
    replayed(state, data, wide)
    (program,) = replayed._programs.values()
    program._replay.run()
    tracemalloc.start()
    try:
        program._replay.run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A batch of the narrowest layer takes 192 kB. What is left is the fixed buffer of NumPy's casting loops.
    assert peak < 70_000


def test_buffers_are_used_again():
    def chain_of_sums(xp, x):
        for _ in range(10):
            x = xp.tanh(x * 0.5) + x
        return xp.sum(x)

    record = Record()
    x = np.linspace(0.0, 0.1, 1000)
    y = chain_of_sums(TracingNamespace(xp, record), record.input(x))
    out = np.empty(())
    replay = Replay(record, {0: x}, [(y.number, out)])
    replay.run()
    assert out == chain_of_sums(xp, x)
    assert len({id(array.base) for array in replay._lifetimes.storage.values() if array.size == 1000}) <= 4


def test_views_constants_and_functions_without_out():
    def function(xp, x, i):
        rows = xp.matrix_transpose(xp.reshape(x, (2, 3)))
        picked = xp.take(rows, i, axis=0)
        chosen = xp.where(picked > 2.0, picked, 0.5)
        joined = xp.concat([chosen, xp.broadcast_to(xp.expand_dims(xp.max(rows, axis=0), axis=0), (1, 2))])
        count = xp.astype(xp.argmax(joined, axis=0) + xp.arange(2), xp.float64)
        return -joined[1:, :] * 2.0 - count + xp.ones_like(chosen)

    record = Record()
    x, i = np.arange(6.0), np.asarray([2, 0])
    y = function(TracingNamespace(xp, record), record.input(x), record.input(i))
    out = np.empty(y.shape)
    replay = Replay(record, {0: x, 1: i}, [(y.number, out)])
    for seed in range(3):
        x[:] = np.random.default_rng(seed).normal(size=6) * 5
        i[:] = [seed % 3, (seed + 1) % 3]
        replay.run()
        np.testing.assert_array_equal(out, function(xp, x, i))


def test_a_step_that_reads_values_is_refused():
    record = Record()
    x = record.input(np.ones(3))
    with pytest.raises(TypeError, match="must not read values"):
        bool(x > 0)
    with pytest.raises(AttributeError, match="no 'sum'"):
        x.sum()


class Remembering(xpnet.Optimizer):
    """Keeps last time's parameters, which are an input; the new ones twice; a swap; and a constant."""

    slots = ("previous", "copy", "left", "right", "zero")

    def apply(self, xp, p, g, slots, c):
        new = p - c["rate"] * (g + 0.1 * slots["left"]) + 0.1 * (p - slots["previous"])
        after = {"previous": p, "copy": new, "zero": xp.zeros_like(p)}
        return new, {**after, "left": slots["right"], "right": slots["left"] + g}


def test_results_may_be_inputs_and_values_several_results():
    backend, build, state, data, batches = setting(Remembering(0.1))
    expected, _ = backend.eager_loop(build)(state, data, batches)
    got, _ = backend.loop(build, fuse=False)(state, data, batches)
    assert_same_bits(got, expected)
