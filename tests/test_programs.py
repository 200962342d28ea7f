"""The replayed step: the eager step's bits, its purity, and no allocation."""

import gc
import tracemalloc
import weakref

import array_api_compat.numpy as xp
import numpy as np
import pytest
from conftest import require

import xpnet
from xpnet.programs.eager import EagerLoop
from xpnet.programs.programs import Programs
from xpnet.programs.replay import Replay
from xpnet.programs.replayed import ReplayedLoop
from xpnet.programs.step import Batches, StepError
from xpnet.programs.tracing import record
from xpnet.training.step import build_step
from xpnet.trees import leaves

NUMPY = xpnet.get_backend("numpy")

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
    dtype = config.get("dtype", "float32")
    if not pixels:
        x = x.astype(dtype) / 255
    net = xpnet.MLP([12, 7, 5, 3], backend="numpy", **config)
    data = net.prepare(x, rng.integers(0, 3, samples).astype(np.int32))
    state = {"params": net.params, "state": {}, "optimizer": optimizer.init(xp, net.params)}
    coefficients = {
        name: np.asarray(values, dtype=dtype) for name, values in optimizer.coefficients_of(0, 5).items()
    }
    batches = Batches(rng.integers(0, samples, (5, 8)).astype(np.int32), coefficients)
    return build_step(net, optimizer), state, data, batches


def by_hand(build, data):
    """Return the step called once an iteration, neither recorded nor replayed."""
    step = build(xp)

    def chunk(state, batches):
        losses = []
        for i in range(batches.iterations):
            state, loss = step(state, data, batches.at(i))
            losses.append(loss)
        return state, np.stack(losses)

    return chunk


RUNNERS = {
    "replayed": lambda build: ReplayedLoop(build, xp),
    "linear": lambda build: EagerLoop(build, NUMPY),
}


def both(build, data, runner="replayed"):
    """Return the step by hand, and as a program."""
    return by_hand(build, data), RUNNERS[runner](build).over(data)


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
@pytest.mark.parametrize("runner", RUNNERS)
def test_programs_have_the_bits_of_the_step(dtype, optimizer, activation, loss, l2, runner):
    config = {"dtype": dtype, "activation": activation, "loss": loss, "l2": l2}
    build, state, data, batches = setting(optimizer, **config)
    eager, replayed = both(build, data, runner)
    for _ in range(3):  # the second and third time start from another state
        expected, expected_losses = eager(state, batches)
        got, losses = replayed(state, batches)
        assert losses.tobytes() == expected_losses.tobytes()
        assert_same_bits(got, expected)
        state = expected


def test_full_batch_and_another_batch_size_are_programs_of_their_own():
    build, state, data, batches = setting(xpnet.Momentum(0.1), pixels=False)
    eager, replayed = both(build, data)
    for other in (batches, batches._replace(indices=None), batches._replace(indices=batches.indices[:, :3])):
        expected, _ = eager(state, other)
        got, _ = replayed(state, other)
        assert_same_bits(got, expected)


def test_given_and_returned_states_are_never_written_again():
    build, state, data, batches = setting(xpnet.Adam(0.1))
    _, replayed = both(build, data)
    before = [leaf.copy() for leaf in leaves(state)]
    first, _ = replayed(state, batches)
    kept = [leaf.copy() for leaf in leaves(first)]
    replayed(first, batches)
    for now, then in zip(leaves(state) + leaves(first), before + kept, strict=True):
        np.testing.assert_array_equal(now, then)


def test_steady_state_allocates_no_array():
    build, state, data, batches = setting(xpnet.SGD(0.1), samples=8000, dtype="float64")
    wide = batches._replace(indices=np.tile(np.arange(8000, dtype=np.int32), (5, 1)))
    _, replayed = both(build, data)
    replayed(state, wide)
    (program,) = replayed._programs.values()
    program.replay.run()
    tracemalloc.start()
    try:
        program.replay.run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # A batch of the narrowest layer takes 192 kB. What is left is the fixed buffer of NumPy's casting loops.
    assert peak < 70_000


def replay_of(function, *inputs):
    """Return a function recorded on some inputs, and the buffer of its result."""
    recording, result = record(lambda xp: lambda *arrays: function(xp, *arrays), xp, *inputs)
    out = np.empty(result.shape, result.dtype)
    numbers = dict(zip(recording.inputs, inputs, strict=True))
    return Replay(recording.record, numbers, [(recording.outputs, out)]), out


def test_buffers_are_used_again():
    def chain_of_sums(xp, x):
        for _ in range(10):
            x = xp.tanh(x * 0.5) + x
        return xp.sum(x)

    x = np.linspace(0.0, 0.1, 1000)
    replay, out = replay_of(chain_of_sums, x)
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

    x, i = np.arange(6.0), np.asarray([2, 0])
    replay, out = replay_of(function, x, i)
    for seed in range(3):
        x[:] = np.random.default_rng(seed).normal(size=6) * 5
        i[:] = [seed % 3, (seed + 1) % 3]
        replay.run()
        np.testing.assert_array_equal(out, function(xp, x, i))


def test_negative_indices_count_from_the_end_and_others_are_refused():
    def function(xp, x, i):
        return xp.take(x, i, axis=0)

    x, i = np.arange(6.0).reshape(3, 2), np.asarray([0, 1])
    replay, out = replay_of(function, x, i)
    i[:] = [-1, -3]
    replay.run()
    np.testing.assert_array_equal(out, function(xp, x, i))
    i[:] = [0, 3]
    with pytest.raises(IndexError):
        replay.run()


@pytest.mark.parametrize(
    "function",
    [
        lambda xp, x: xp.unstack(x)[1] * 2.0,
        lambda xp, x: xp.add(*xp.meshgrid(x[0, :], x[1, :])),
        lambda xp, x: xp.multiply(*xp.broadcast_arrays(x, x[:1, :])),
        lambda xp, x: xp.stack(xp.unstack(x, axis=1)),
    ],
    ids=["unstack", "meshgrid", "broadcast_arrays", "unstack an axis"],
)
def test_functions_with_several_results(function):
    x = np.arange(6.0).reshape(2, 3)
    replay, out = replay_of(function, x)
    x += 1.0
    replay.run()
    np.testing.assert_array_equal(out, function(xp, x))


def test_a_record_holds_no_values():
    x = np.ones(1000)
    recording, result = record(lambda xp: lambda x: xp.sum(xp.exp(x) * x), xp, x)
    kept = weakref.ref(x)
    del x, result
    gc.collect()
    assert kept() is None
    assert not recording.record.constants


REFUSED = {
    "x / 2": (lambda xp, x: x / 2, "operator /"),
    "1 / x": (lambda xp, x: 1 / x, "operator /"),
    "x @ x": (lambda xp, x: x @ x, "operator @"),
    "x ** 2": (lambda xp, x: x**2, r"operator \*\*"),
    "x // 2": (lambda xp, x: x // 2, "operator //"),
    "x % 2": (lambda xp, x: x % 2, "operator %"),
    "x.sum()": (lambda xp, x: x.sum(), "method or attribute 'sum'"),
    "x.T": (lambda xp, x: x.T, "method or attribute 'T'"),
    "if x": (lambda xp, x: x if x[0] > 0 else -x, "must not read values"),
    "float(x)": (lambda xp, x: x * float(x[0]), "must not read values"),
    "for row in x": (lambda xp, x: list(x), "xp.unstack"),
    "x[0] = 1": (lambda xp, x: x.__setitem__(0, 1.0), "assign into an array"),
    "constant / 2": (lambda xp, x: x + xp.ones(3) / 2, "operator /"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_portable_is_refused_with_a_sentence(backend, case):
    function, message = REFUSED[case]
    x = backend.asarray(np.ones(3))
    with pytest.raises(StepError, match=message):
        record(lambda xp: lambda x: function(xp, x), backend.xp, x)


def test_a_step_that_changes_what_it_carries_is_refused(backend):
    def build(xp):
        return lambda state, data, batch: ({"n": xp.astype(state["n"], xp.float32)}, xp.sum(data["x"]))

    data = {"x": backend.asarray(np.ones(3))}
    programs = Programs(backend, compilable=True)
    chunk = programs.loop("step", build, 4).over(data)
    state, batches = (
        {"n": backend.asarray(np.zeros(2, np.int32))},
        Batches(None, {"rate": np.ones(2, np.float32)}),
    )
    with pytest.raises(StepError, match=r"given n as int32 \(2,\) and returned it as float32"):
        chunk(state, batches)


def test_the_second_training_traces_nothing(backend, monkeypatch):
    """Nor does one on other data of the same shape."""
    data = [np.random.default_rng(seed).normal(size=(40, 6)).astype(np.float32) for seed in (0, 1)]
    labels = np.arange(40) % 3
    net = xpnet.MLP([6, 5, 3], backend=backend)
    settings = {"optimizer": xpnet.Momentum(0.1), "iterations": 20, "batch_size": 8, "eval_every": 0}
    xpnet.train(net, data[0], labels, **settings)

    def never(*arguments):
        raise AssertionError("it was traced again")

    for module in ("eager", "replayed", "scanned"):
        monkeypatch.setattr(f"xpnet.programs.{module}.record", never)
    before = net.fingerprint()
    history = xpnet.train(net, data[1], labels, **settings)
    assert len(history.loss) == 20
    assert net.fingerprint() != before


@pytest.mark.parametrize("sampling", ["with_replacement", "shuffle"])
def test_jax_compiles_once_whatever_the_length_of_blocks(sampling, monkeypatch):
    require("jax")
    from xpnet.backends.jax import JaxBackend

    compiled = []
    plain = JaxBackend.jit
    monkeypatch.setattr(JaxBackend, "jit", lambda self, function: compiled.append(1) or plain(self, function))
    x, t = np.random.default_rng(0).normal(size=(70, 6)).astype(np.float32), np.arange(70) % 3
    net = xpnet.MLP([6, 5, 3], backend="jax")
    xpnet.train(net, x, t, sampling=sampling, batch_size=8, iterations=100, eval_every=37)
    assert len(compiled) == (1 if sampling == "with_replacement" else 2)  # the short batch is another shape


class Remembering(xpnet.Optimizer):
    """Keeps last time's parameters, which are an input; the new ones twice; a swap; and a constant."""

    slots = ("previous", "copy", "left", "right", "zero")

    def apply(self, xp, p, g, slots, c):
        new = p - c["rate"] * (g + 0.1 * slots["left"]) + 0.1 * (p - slots["previous"])
        after = {"previous": p, "copy": new, "zero": xp.zeros_like(p)}
        return new, {**after, "left": slots["right"], "right": slots["left"] + g}


@pytest.mark.parametrize("runner", RUNNERS)
def test_results_may_be_inputs_and_values_several_results(runner):
    build, state, data, batches = setting(Remembering(0.1))
    eager, replayed = both(build, data, runner)
    expected, _ = eager(state, batches)
    got, _ = replayed(state, batches)
    assert_same_bits(got, expected)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("kept", [False, True], ids=["nobody reads it again", "it is read again"])
def test_constants_in_exceptional_places_leave_all_others_as_they_are(share, kept):
    """Bit by bit: NaN of any payload, infinities, zeros of both signs and subnormal numbers pass."""

    def function(xp, x, mask):
        y = xp.multiply(x, 1.0)
        chosen = xp.where(mask, -0.5, y)
        return xp.stack([chosen, y if kept else xp.where(chosen > 2.0, 0.0, chosen)])

    rng = np.random.default_rng(0)
    special = [np.nan, -np.nan, np.inf, -np.inf, 0.0, -0.0, 5e-324, -1e-310]
    x = np.concatenate([special, rng.normal(size=56) * 3])
    mask = rng.random(64) < share
    replay, out = replay_of(function, x, mask)
    for _ in range(2):
        x[:], mask[:] = rng.permutation(x), rng.random(64) < share
        replay.run()
        assert out.tobytes() == np.asarray(function(xp, x, mask)).tobytes()
