"""Blocks of rows: the bits of the eager step, whatever is gathered, and no large arrays on the way."""

import array_api_compat.numpy as xp
import numpy as np
import pytest
from test_programs import both, replay_of

import xpnet
from xpnet.programs import blocks
from xpnet.programs.blocks import Blocks, in_blocks
from xpnet.programs.replayed import ReplayedLoop
from xpnet.programs.rows import by_rows
from xpnet.programs.step import Batches
from xpnet.programs.tracing import record
from xpnet.training.step import build_step
from xpnet.trees import leaves

NETWORKS = {
    "simple": [xpnet.Conv2D(6, 5), xpnet.ReLU(), xpnet.MaxPool2D(2)],
    "deep": [
        xpnet.Conv2D(4, 3, padding=1),
        xpnet.ReLU(),
        xpnet.Conv2D(8, 3, 2, "same", groups=2),
        xpnet.Tanh(),
        xpnet.MaxPool2D(3, 2, 1),
        xpnet.Conv2D(6, (2, 3), bias=False),
        xpnet.Sigmoid(),
        xpnet.AvgPool2D(2, 1),
    ],
    "global": [xpnet.Conv2D(5, 3), xpnet.ReLU(), xpnet.GlobalAvgPool2D()],
}


@pytest.fixture
def small(monkeypatch):
    """Make blocks of small arrays too, of several rows each."""
    monkeypatch.setattr(blocks, "LARGE", 2**8)
    monkeypatch.setattr(blocks, "ROOM", 2**15)


def setting(layers, dtype, arithmetic, batch=10):
    """Return a network's step builder with a state, data and five batches for it."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 1, 14, 15), dtype=np.uint8)
    layers = [*layers, xpnet.Flatten(), xpnet.Dense(3)]
    net = xpnet.Model(layers, (1, 14, 15), dtype=dtype, arithmetic=arithmetic, backend="numpy")
    optimizer = xpnet.Momentum(0.05)
    data = net.prepare(images, rng.integers(0, 3, 40))
    state = {"params": net.params, "state": {}, "optimizer": optimizer.init(xp, net.params)}
    named = optimizer.coefficients_of(0, 5).items()
    coefficients = {name: np.asarray(values, dtype=dtype) for name, values in named}
    batches = Batches(rng.integers(0, 40, (5, batch)).astype(np.int32), coefficients)
    return build_step(net, optimizer), state, data, batches


def blocks_of(build, state, data, batches):
    """Return the blocks that a step's record is made of."""
    recording = ReplayedLoop(build, xp).recording(state, data, batches.at(0))
    made = in_blocks(recording.record, leaves(recording.outputs))
    return [call.function for call in made.calls if isinstance(call.function, Blocks)]


@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_blocks_have_the_bits_of_the_step(small, name, dtype, arithmetic):
    build, state, data, batches = setting(NETWORKS[name], dtype, arithmetic)
    assert [found for found in blocks_of(build, state, data, batches) if found.rows == 10 and found.step < 10]
    eager, replayed = both(build, data)
    for _ in range(2):
        expected, expected_losses = eager(state, batches)
        got, losses = replayed(state, batches)
        assert losses.tobytes() == expected_losses.tobytes()
        assert [leaf.tobytes() for leaf in leaves(got)] == [leaf.tobytes() for leaf in leaves(expected)]
        state = expected


def by_rows_of(function, *inputs):
    """Tell for each recorded call whether it acts row by row."""
    made = record(lambda xp: lambda *arrays: function(xp, *arrays), xp, *inputs)[0].record
    return [by_rows(call, made.specs) is not None for call in made.calls]


ROWS = np.arange(24.0).reshape(4, 3, 2)
ACTING_BY_ROWS = {
    "elementwise": lambda xp, x: xp.where(x > 1.0, xp.exp(x) + x[:1, :, :], xp.zeros_like(x)),
    "products": lambda xp, x: xp.matmul(xp.matrix_transpose(x), x),
    "views": lambda xp, x: xp.flip(
        xp.permute_dims(xp.reshape(x, (4, 2, 3))[:, 1:, ::-1], (0, 2, 1)), axis=(1, -1)
    ),
    "joining": lambda xp, x: xp.concat([xp.stack([x, x * 2.0], axis=-1), xp.zeros((4, 1, 2, 2))], axis=1),
    "reductions": lambda xp, x: xp.sum(x, axis=(1, 2)) + xp.max(xp.max(x, axis=-1), axis=1),
    "rows of data": lambda xp, x: xp.take(x, xp.astype(x[:, 0, 0] * 0.0, xp.int64), axis=0),
}
MIXING_ROWS = {
    "a product of two matrices": lambda xp, x: xp.matmul(x[:, 0, :], xp.ones((2, 2))),
    "rows as columns": lambda xp, x: xp.permute_dims(x, (1, 0, 2)),
    "other rows": lambda xp, x: xp.reshape(x, (2, 12)),
    "some rows": lambda xp, x: x[1:, :, :],
    "rows turned round": lambda xp, x: xp.flip(x, axis=0),
    "all axes turned round": lambda xp, x: xp.flip(x),
    "a sum of rows": lambda xp, x: xp.sum(x, axis=(0, -1)),
    "a sum of all": lambda xp, x: xp.sum(x),
    "one after the other": lambda xp, x: xp.concat([x, x]),
    "one beside the other": lambda xp, x: xp.stack([x, x]),
    "columns by number": lambda xp, x: xp.take(x, xp.asarray([0, 0, 1, 1]), axis=1),
    "sums so far": lambda xp, x: xp.cumulative_sum(x, axis=0),
}


@pytest.mark.parametrize("name", ACTING_BY_ROWS)
def test_what_acts_row_by_row_is_known(name):
    found = by_rows_of(ACTING_BY_ROWS[name], ROWS)
    assert all(found[:1] + found[-1:])


@pytest.mark.parametrize("name", MIXING_ROWS)
def test_what_mixes_rows_is_known(name):
    assert not by_rows_of(MIXING_ROWS[name], ROWS)[-1]


@pytest.mark.parametrize(
    "function", {**ACTING_BY_ROWS, **MIXING_ROWS}.values(), ids=[*ACTING_BY_ROWS, *MIXING_ROWS]
)
def test_blocks_of_one_row(function, monkeypatch):
    monkeypatch.setattr(blocks, "LARGE", 1)
    monkeypatch.setattr(blocks, "ROOM", 1)

    def between(xp, x):
        return xp.multiply(function(xp, xp.tanh(x * 0.1)), 2.0) + 1.0

    x = ROWS.copy()
    replay, out = replay_of(between, x)
    x += 1.0
    replay.run()
    np.testing.assert_array_equal(out, between(xp, x))


def test_a_block_s_arrays_are_all_that_is_allocated():
    """Of ten arrays of 8 MB on the way none is there as a whole."""

    def chain(xp, x):
        y = x
        for _ in range(10):
            y = xp.tanh(y + x) * y
        return y

    x = np.linspace(-1.0, 1.0, 2**20).reshape(256, -1)
    replay, out = replay_of(chain, x)
    replay.run()
    assert out.tobytes() == chain(xp, x).tobytes()
    buffers = {id(buffer): buffer.nbytes for held in replay._free.values() for buffer in held}
    assert sum(buffers.values()) < x.nbytes
