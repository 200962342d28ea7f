"""Optimisers, schedules and clipping on every library: against PyTorch's and against their formulas."""

import json
import math

import numpy as np
import pytest
import textbook
from conftest import assert_close

import xpnet
from xpnet.describe import describe, restore
from xpnet.errors import InvalidInputError
from xpnet.optim import (
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    StepDecay,
    clip_by_norm,
    global_norm,
)

STEPS = 50
RATE = 0.05

# Each optimiser, and how PyTorch calls the same rule. Its momentum keeps `velocity` without the rate in it:
# with a constant rate both say the same.
TORCH = {
    "sgd": (xpnet.SGD(RATE), "SGD", {}),
    "momentum": (xpnet.Momentum(RATE, 0.8), "SGD", {"momentum": 0.8}),
    "nesterov": (xpnet.Nesterov(RATE, 0.8), "SGD", {"momentum": 0.8, "nesterov": True}),
    "adagrad": (xpnet.AdaGrad(RATE), "Adagrad", {"eps": 1e-10}),
    "rmsprop": (xpnet.RMSProp(RATE, 0.95), "RMSprop", {"alpha": 0.95, "eps": 1e-8}),
    "adam": (xpnet.Adam(RATE, 0.8, 0.99), "Adam", {"betas": (0.8, 0.99)}),
    "adamw": (xpnet.AdamW(RATE, weight_decay=0.1), "AdamW", {"weight_decay": 0.1}),
}


def momentum(p, g, s):
    s["v"] = 0.8 * s.get("v", 0.0) - RATE * g
    return p + s["v"]


def nesterov(p, g, s):
    s["v"] = 0.8 * s.get("v", 0.0) - RATE * g
    return p + 0.8 * s["v"] - RATE * g


def adagrad(p, g, s):
    s["h"] = s.get("h", 0.0) + g**2
    return p - RATE * g / (np.sqrt(s["h"]) + 1e-10)


def rmsprop(p, g, s):
    s["h"] = 0.95 * s.get("h", 0.0) + 0.05 * g**2
    return p - RATE * g / (np.sqrt(s["h"]) + 1e-8)


def adam(p, g, s, beta1=0.8, beta2=0.99):
    s["t"] = s.get("t", 0) + 1
    s["m"] = beta1 * s.get("m", 0.0) + (1 - beta1) * g
    s["h"] = beta2 * s.get("h", 0.0) + (1 - beta2) * g**2
    m, h = s["m"] / (1 - beta1 ** s["t"]), s["h"] / (1 - beta2 ** s["t"])
    return p - RATE * m / (np.sqrt(h) + 1e-8)


def adamw(p, g, s):
    return adam(p * (1 - RATE * 0.1) if p.ndim > 1 else p, g, s, 0.9, 0.999)


FORMULAS = {
    "sgd": lambda p, g, s: p - RATE * g,
    "momentum": momentum,
    "nesterov": nesterov,
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
}


def initial():
    return {"W1": textbook.numbers(4, 3), "b1": textbook.numbers(3, seed=1)}


def gradient(name, value, step):
    """Return some gradient: of a bowl, and a part that changes from step to step."""
    return 0.3 * value + textbook.numbers(*value.shape, seed=1000 * step + len(name) + ord(name[0]))


def optimise(backend, optimizer, dtype="float64"):
    """Take some steps on the backend, from gradients built in NumPy."""
    params = {name: backend.asarray(value, dtype) for name, value in initial().items()}
    state = optimizer.init(backend.xp, params)
    for step in range(STEPS):
        host = {name: backend.to_numpy(value) for name, value in params.items()}
        gradients = {name: backend.asarray(gradient(name, p, step), dtype) for name, p in host.items()}
        coefficients = optimizer.coefficients(step)
        params, state = optimizer.update(backend.xp, params, gradients, state, coefficients)
    return params


@pytest.mark.parametrize("name", FORMULAS)
def test_against_its_formula(backend, name):
    expected, states = initial(), {"W1": {}, "b1": {}}
    for step in range(STEPS):
        for key, value in expected.items():
            expected[key] = FORMULAS[name](value, gradient(key, value, step), states[key])
    for key, value in optimise(backend, TORCH[name][0]).items():
        assert_close(backend, value, expected[key], rtol=1e-10)


@pytest.mark.parametrize("name", TORCH)
def test_against_pytorch(backend, torch, name):
    optimizer, kind, settings = TORCH[name]
    leaves = {key: torch.nn.Parameter(torch.tensor(p, device="cpu")) for key, p in initial().items()}
    groups = [{"params": [leaves["W1"]]}, {"params": [leaves["b1"]]}]
    if name == "adamw":
        groups[1]["weight_decay"] = 0.0  # biases are not decayed here; PyTorch decays what it is given
    with torch.device("cpu"):
        theirs = getattr(torch.optim, kind)(groups, lr=RATE, **settings)
        for step in range(STEPS):
            for key, leaf in leaves.items():
                leaf.grad = torch.tensor(gradient(key, leaf.detach().numpy(), step))
            theirs.step()
    for key, value in optimise(backend, optimizer).items():
        assert_close(backend, value, leaves[key].detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("name", TORCH)
def test_float32_stays_float32(backend, name):
    optimizer = TORCH[name][0]
    expected = optimise(xpnet.get_backend("numpy"), optimizer)
    for key, value in optimise(backend, optimizer, "float32").items():
        assert_close(backend, value, expected[key].astype(np.float32), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", TORCH)
def test_an_update_changes_none_of_its_arguments(backend, name):
    optimizer = TORCH[name][0]
    params = {key: backend.asarray(value.copy()) for key, value in initial().items()}
    state = optimizer.init(backend.xp, params)
    c = optimizer.coefficients(0)
    moved, state = optimizer.update(backend.xp, params, params, state, c)
    before = {slot: {key: backend.to_numpy(v).copy() for key, v in s.items()} for slot, s in state.items()}
    first = optimizer.update(backend.xp, moved, params, state, c)[0]
    second = optimizer.update(backend.xp, moved, params, state, c)[0]
    for key, value in initial().items():
        assert_close(backend, params[key], value)
        assert_close(backend, second[key], backend.to_numpy(first[key]))
        for slot in optimizer.slots:
            assert_close(backend, state[slot][key], before[slot][key])


@pytest.mark.parametrize("clip", [0.5, 100.0])
def test_clipping_against_pytorch(backend, torch, clip):
    leaves = [torch.nn.Parameter(torch.zeros(value.shape, device="cpu")) for value in initial().values()]
    for leaf, value in zip(leaves, initial().values(), strict=True):
        leaf.grad = torch.tensor(value, device="cpu", dtype=torch.float64).to(leaf.dtype)
    norm = torch.nn.utils.clip_grad_norm_(leaves, clip)
    own = {key: backend.asarray(value, "float32") for key, value in initial().items()}
    assert_close(backend, global_norm(backend.xp, own), norm.numpy(), rtol=1e-6)
    for leaf, value in zip(leaves, clip_by_norm(backend.xp, own, clip).values(), strict=True):
        assert_close(backend, value, leaf.grad.numpy(), rtol=1e-5)  # PyTorch adds 1e-6 to the norm


def test_clipping_bounds_the_norm_and_leaves_small_gradients_alone(backend):
    values = initial()
    norm = math.sqrt(sum(np.sum(value**2) for value in values.values()))
    own = {key: backend.asarray(value) for key, value in values.items()}
    for key, value in clip_by_norm(backend.xp, own, 0.5).items():
        assert_close(backend, value, values[key] * (0.5 / norm), rtol=1e-14)
    for key, value in clip_by_norm(backend.xp, own, 10.0 * norm).items():
        assert_close(backend, value, values[key])
    zeros = {key: backend.asarray(np.zeros(3)) for key in values}
    for value in clip_by_norm(backend.xp, zeros, 0.5).values():
        assert_close(backend, value, np.zeros(3))


def test_an_optimiser_clips_before_it_steps(backend):
    params = {"W1": backend.asarray(np.zeros(2))}
    huge = {"W1": backend.asarray(np.asarray([3e6, 4e6]))}
    sgd = xpnet.SGD(0.1, clip_norm=1.0)
    moved, _ = sgd.update(backend.xp, params, huge, {}, sgd.coefficients(0))
    assert_close(backend, moved["W1"], np.asarray([-0.06, -0.08]), rtol=1e-14)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Constant(), [1.0, 1.0, 1.0, 1.0]),
        (StepDecay(every=10, decay=0.5), [1.0, 0.5, 0.25, 2.0**-10]),
        (Exponential(rate=0.1), [math.exp(-0.1 * i) for i in (0, 10, 20, 100)]),
        (Cosine(iterations=20, floor=0.2), [1.0, 0.6, 0.2, 0.2]),
        (InverseScaling(power=0.5), [(i + 1) ** -0.5 for i in (0, 10, 20, 100)]),
    ],
)
def test_schedules(schedule, expected):
    factors = [schedule.factor(iteration) for iteration in (0, 10, 20, 100)]
    assert factors == pytest.approx(expected, rel=1e-11)
    assert xpnet.Adam(0.5, schedule=schedule).coefficients(20)["rate"] == 0.5 * factors[2]


def test_schedules_change_the_steps(backend):
    sgd = xpnet.SGD(1.0, schedule=StepDecay(every=1, decay=0.5))
    params = {"W1": backend.asarray(np.zeros(1))}
    for step in range(3):
        ones = {"W1": backend.asarray(np.ones(1))}
        params, _ = sgd.update(backend.xp, params, ones, {}, sgd.coefficients(step))
    assert_close(backend, params["W1"], np.asarray([-1.75]))


@pytest.mark.parametrize("name", TORCH)
@pytest.mark.parametrize(
    "schedule",
    [Constant(), StepDecay(7, 0.3), Exponential(0.2), Cosine(9, 0.1), InverseScaling(0.7)],
    ids=lambda schedule: type(schedule).__name__,
)
def test_a_configuration_goes_through_json_and_back(name, schedule):
    kind = type(TORCH[name][0])
    optimizer = kind(0.3, schedule=schedule, clip_norm=2.0)
    config = json.loads(json.dumps(describe(optimizer)))
    assert config["class"] == kind.__name__
    again = restore(config)
    assert again == optimizer
    assert type(again) is kind


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: xpnet.SGD(-0.1), "learning_rate must be a finite number, at least 0, not -0.1"),
        (lambda: xpnet.SGD(math.nan), "learning_rate must be a finite number"),
        (lambda: xpnet.SGD("0.1"), "learning_rate must be a finite number, at least 0, not '0.1'"),
        (lambda: xpnet.SGD(10**400), "learning_rate must be a finite number"),
        (lambda: xpnet.SGD(0.1, clip_norm="1"), "clip_norm must be"),
        (lambda: xpnet.SGD(0.1, schedule="cosine"), "schedule must be .*Cosine.*; not 'cosine'"),
        (lambda: StepDecay("3"), "every must be a whole number"),
        (lambda: xpnet.SGD(0.1, clip_norm=0.0), "clip_norm must be"),
        (lambda: xpnet.Momentum(0.1, 1.5), "momentum must be a finite number, between 0 and 1, not 1.5"),
        (lambda: xpnet.Nesterov(0.1, -1.0), "momentum must be"),
        (lambda: xpnet.RMSProp(0.1, 2.0), "decay must be"),
        (lambda: xpnet.Adam(0.1, 1.2), "beta1 must be"),
        (lambda: xpnet.Adam(0.1, 0.9, -0.1), "beta2 must be"),
        (lambda: xpnet.Adam(0.1, 1.0), "beta1 must be"),
        (lambda: xpnet.AdaGrad(0.1, epsilon=-1.0), "epsilon must be"),
        (lambda: xpnet.RMSProp(0.1, epsilon=-1.0), "epsilon must be"),
        (lambda: xpnet.Adam(0.1, epsilon=-1.0), "epsilon must be"),
        (lambda: xpnet.AdamW(0.1, weight_decay=-0.1), "weight_decay must be"),
        (lambda: StepDecay(every=0), "every must be a whole number of at least 1, not 0"),
        (lambda: Exponential(-1.0), "rate must be"),
        (lambda: Cosine(0), "iterations must be"),
        (lambda: InverseScaling(-0.5), "power must be"),
        (lambda: restore({"class": "Adma"}), "unknown class 'Adma': did you mean 'Adam'"),
        (
            lambda: restore({"class": "SGD", "learning_rate": 1, "schedule": {"class": "Cosin"}}),
            "unknown class 'Cosin': did you mean 'Cosine'",
        ),
    ],
)
def test_settings_out_of_range_are_refused(make, message):
    with pytest.raises(InvalidInputError, match=message):
        make()


def test_settings_are_numbers_of_python():
    """JSON holds no scalar of NumPy, and one of float64 would widen float32 arrays on some libraries."""
    schedule = StepDecay(np.int64(5), np.float32(0.5))
    optimizer = xpnet.Adam(np.float64(0.1), np.float32(0.5), schedule=schedule, clip_norm=np.float64(1.0))
    plain = xpnet.Adam(0.1, 0.5, schedule=StepDecay(5, 0.5), clip_norm=1.0)
    assert json.dumps(describe(optimizer)) == json.dumps(describe(plain))


def test_a_file_cannot_describe_an_optimiser_of_the_user():
    class Own(xpnet.SGD):
        pass

    with pytest.raises(InvalidInputError, match="Own is not registered"):
        describe(Own(0.1))
