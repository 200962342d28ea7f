"""Where the bits of exact arithmetic once parted, each the smallest case that showed it."""

from decimal import Decimal

import mpmath
import numpy as np
import pytest

import xpnet
from xpnet.errors import TrainingError
from xpnet.optim import Cosine, Exponential, InverseScaling, StepDecay

DIGITS = xpnet.datasets.load("digits")


def same_as_numpy(backend, make, train):
    """Train on NumPy and on a library, and return whether the bits are the same."""
    nets = [make("numpy"), make(backend)]
    for net in nets:
        train(net)
    return nets[0].fingerprint() == nets[1].fingerprint()


def test_adam_with_squares_that_are_subnormal(backend):
    """The correction of the squares lifted what JAX takes for zero."""

    def make(place):
        sizes = [64, *[16] * 5, 10]
        return xpnet.MLP(sizes, "tanh", init=1e-4, backend=place, arithmetic="exact")

    def train(net):
        settings = {"batch_size": 50, "iterations": 15, "eval_every": 0, "progress": False}
        xpnet.train(net, DIGITS.x_train, DIGITS.t_train, xpnet.Adam(0.01, epsilon=1e-15), **settings)

    assert same_as_numpy(backend, make, train)


@pytest.mark.parametrize("rule", [xpnet.Adam(0.1), xpnet.AdamW(0.1), xpnet.RMSProp(0.1)])
def test_gradients_near_the_smallest_normal_number(backend, rule):
    x = np.ones((6, 4), np.float32)
    x[:, 1] = np.float32(2e-36)

    def train(net):
        xpnet.train(net, x, np.arange(6) % 3, rule, sampling="full", iterations=1, eval_every=0)

    assert same_as_numpy(
        backend, lambda place: xpnet.MLP([4, 3], init=0.0, backend=place, arithmetic="exact"), train
    )


@pytest.mark.parametrize("settings", [{}, {"l2": 1e-9}])
def test_a_large_learning_rate_lifts_no_subnormal_gradient(backend, settings):
    """Scaled down by clipping, below what JAX knows, and up again by the rate: random network 211."""

    def make(place):
        return xpnet.MLP([64, 40, 10], "identity", init=1e-30, backend=place, arithmetic="exact", **settings)

    def train(net):
        rule = xpnet.Momentum(5.3, clip_norm=1e-6)
        xpnet.train(net, DIGITS.x_train, DIGITS.t_train, rule, batch_size=6, iterations=4, eval_every=0)

    assert same_as_numpy(backend, make, train)


def expected_factor(schedule, i):
    """Return a schedule's factor by mpmath, in 60 digits."""
    with mpmath.workdps(60):
        match schedule:
            case Cosine():
                angle = mpmath.pi * min(i, schedule.iterations) / schedule.iterations
                floor = mpmath.mpf(schedule.floor)
                exact = floor + (1 - floor) * mpmath.sin((mpmath.pi - angle) / 2) ** 2
            case Exponential():
                exact = mpmath.exp(mpmath.mpf(-schedule.rate * i))
            case InverseScaling():
                exact = mpmath.power(i + 1, -mpmath.mpf(schedule.power))
            case StepDecay():
                exact = mpmath.mpf(schedule.decay) ** (i // schedule.every)
        return float(f"{Decimal(mpmath.nstr(exact, 50)):.12g}")


@pytest.mark.parametrize(
    "schedule",
    [
        *(Cosine(7685), Cosine(2110), Cosine(9, floor=0.1), Cosine(1)),
        *(Exponential(0.01), Exponential(1e-4), InverseScaling(0.5), InverseScaling(0.37)),
        StepDecay(3, 0.9),
    ],
    ids=str,
)
def test_schedules_are_correctly_rounded_to_12_digits(schedule):
    steps = [*range(40), *range(40, 2000, 97), *range(2080, 2111), *range(7650, 7690)]
    for i in steps:
        assert schedule.factor(i) == expected_factor(schedule, i), i


def test_a_platform_that_errs_in_the_last_bits_changes_nothing(monkeypatch):
    """glibc with and without FMA, and musl, differ by a unit in the last place."""
    schedules = [Cosine(7685), Exponential(0.013), Cosine(2110, 0.05)]
    expected = [schedule.factor(i) for schedule in schedules for i in range(0, 7685, 13)]
    for direction in (-np.inf, np.inf):
        for name in ("sin", "exp"):
            plain = getattr(np, name)
            monkeypatch.setattr(
                f"xpnet.optim.schedules.math.{name}",
                lambda x, f=plain, d=direction: float(np.nextafter(f(x), d)),
            )
        assert [schedule.factor(i) for schedule in schedules for i in range(0, 7685, 13)] == expected
        monkeypatch.undo()


def test_weights_that_are_no_numbers_are_told_by_name(backend):
    """The loss of the last iteration is finite, its update is not."""
    params = {
        "W1": np.full((2, 2), 1e-25),
        "b1": np.zeros(2),
        "W2": np.asarray([[1e20, -1e20], [-1e20, 1e20]]),
        "b2": np.zeros(2),
        "W3": np.asarray([[1e20, -1e20], [-1e20, 1e20]]),
        "b3": np.zeros(2),
    }
    net = xpnet.MLP.from_params(params, backend, activation="identity", arithmetic="exact")
    x, t = np.asarray([[1.0, 0.5], [0.25, 1.0]], np.float32), np.asarray([0, 1])
    before = net.fingerprint()
    with pytest.raises(TrainingError, match=r"W1.* became infinite or NaN at iteration 1;"):
        xpnet.train(net, x, t, xpnet.SGD(1e30), sampling="full", iterations=1, eval_every=0)
    assert net.fingerprint() == before, "the network keeps what it had"
