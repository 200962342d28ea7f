"""Optimisers: pure functions of parameters, gradients and state, a few lines each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xpnet.optim.base import SMALLEST, Array, Coefficients, Optimizer, Slots
from xpnet.trees import Tree, map_tree
from xpnet.validation import check_number, settle

_BELOW_ONE = math.nextafter(1.0, 0.0)
"""A mean of which nothing is ever lost has no correction for its start at zero."""


@dataclass(frozen=True)
class SGD(Optimizer):
    """Stochastic gradient descent: ``p - rate * g``."""

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        return p - c["rate"] * g, slots


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Momentum: ``v = momentum * v - rate * g``, then ``p + v``.

    Parameters
    ----------
    momentum : float, default 0.9
        The share of the velocity that is kept.

    References
    ----------
    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.
    """

    slots = ("velocity",)
    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, momentum=check_number("momentum", self.momentum, 0.0, 1.0))

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        v = self.momentum * slots["velocity"] - c["rate"] * g
        return p + v, {"velocity": v}


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Nesterov's momentum, the gradient taken where the parameters are: ``p + momentum * v - rate * g``.

    References
    ----------
    Y. Bengio, N. Boulanger-Lewandowski and R. Pascanu, "Advances in optimizing recurrent networks",
    ICASSP 2013, for the form without a second point of evaluation.
    """

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        step = c["rate"] * g
        v = self.momentum * slots["velocity"] - step
        return p + self.momentum * v - step, {"velocity": v}


@dataclass(frozen=True)
class AdaGrad(Optimizer):
    """AdaGrad: steps over the root of the sum of squared gradients.

    Parameters
    ----------
    epsilon : float, default 1e-10
        Added to the root.

    References
    ----------
    J. Duchi, E. Hazan and Y. Singer, "Adaptive subgradient methods", JMLR 12, 2011.
    """

    slots = ("squares",)
    epsilon: float = 1e-10

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, epsilon=check_number("epsilon", self.epsilon, SMALLEST))

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        squares = slots["squares"] + g * g
        return p - c["rate"] * xp.divide(g, xp.sqrt(squares) + self.epsilon), {"squares": squares}


@dataclass(frozen=True)
class RMSProp(Optimizer):
    """RMSProp: steps over the root of a running mean of squared gradients.

    Parameters
    ----------
    decay : float, default 0.99
        The share of the running mean that is kept.
    epsilon : float, default 1e-8
        Added to the root.

    References
    ----------
    T. Tieleman and G. Hinton, Lecture 6.5 of "Neural networks for machine learning", 2012.
    """

    slots = ("squares",)
    decay: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, decay=check_number("decay", self.decay, 0.0, 1.0))
        settle(self, epsilon=check_number("epsilon", self.epsilon, SMALLEST))

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        squares = self.decay * slots["squares"] + (1.0 - self.decay) * (g * g)
        return p - c["rate"] * xp.divide(g, xp.sqrt(squares) + self.epsilon), {"squares": squares}


@dataclass(frozen=True)
class Adam(Optimizer):
    """Adam: momentum and a running mean of squares, both corrected for their start at zero.

    Parameters
    ----------
    beta1, beta2 : float, default 0.9 and 0.999
        The shares of the running means that are kept.
    epsilon : float, default 1e-8
        Added to the root.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015.
    """

    slots = ("mean", "squares")
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, beta1=check_number("beta1", self.beta1, 0.0, _BELOW_ONE))
        settle(self, beta2=check_number("beta2", self.beta2, 0.0, _BELOW_ONE))
        settle(self, epsilon=check_number("epsilon", self.epsilon, SMALLEST))

    def coefficients(self, iteration: int) -> dict[str, float]:
        """Return the host's scalars of an iteration, counted from 0."""
        return {
            **super().coefficients(iteration),
            "mean_correction": 1.0 / (1.0 - _power(self.beta1, iteration + 1)),
            "root_correction": math.sqrt(1.0 / (1.0 - _power(self.beta2, iteration + 1))),
        }

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        mean = self.beta1 * slots["mean"] + (1.0 - self.beta1) * g
        squares = self.beta2 * slots["squares"] + (1.0 - self.beta2) * (g * g)
        # Root and division come before the corrections: what may be subnormal, and is zero on some libraries,
        # is taken for zero before anything scales it up.
        root = xp.sqrt(squares) * c["root_correction"] + self.epsilon
        step = xp.divide(mean, root) * c["mean_correction"]
        return p - c["rate"] * step, {"mean": mean, "squares": squares}


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decay of the weights apart from the gradient: first ``W - rate * weight_decay * W``.

    Biases are not decayed, as they have no part in the penalty ``l2`` either.

    Parameters
    ----------
    weight_decay : float, default 0.01
        How much of the weights is lost in a unit of learning rate.

    References
    ----------
    I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR 2019.
    """

    weight_decay: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        settle(self, weight_decay=check_number("weight_decay", self.weight_decay, 0.0))

    def coefficients(self, iteration: int) -> dict[str, float]:
        """Return the host's scalars of an iteration, counted from 0."""
        coefficients = super().coefficients(iteration)
        return {**coefficients, "decay": coefficients["rate"] * self.weight_decay}

    def update(
        self,
        xp: Any,
        params: Tree,
        gradients: Tree,
        state: Mapping[str, Tree],
        coefficients: Coefficients,
        decayed: Tree | None = None,
    ) -> tuple[Tree, dict[str, Tree]]:
        """Return the parameters and the state after one iteration; the weights decay first."""
        marks = map_tree(lambda p: p.ndim > 1, params) if decayed is None else decayed
        kept = map_tree(lambda p, marked: p - coefficients["decay"] * p if marked else p, params, marks)
        return super().update(xp, kept, gradients, state, coefficients, decayed)


def _power(base: float, exponent: int) -> float:
    """Return ``base ** exponent`` by squaring: products round alike everywhere, a libm's pow may not."""
    result = 1.0
    while exponent:
        if exponent & 1:
            result *= base
        base *= base
        exponent >>= 1
    return result


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}
