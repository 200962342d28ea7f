"""Learning-rate schedules: a factor of the learning rate for each iteration, computed on the host."""

from __future__ import annotations

import math
from dataclasses import dataclass

from xpnet.validation import check_count, check_number, settle


def _rounded(factor: float) -> float:
    """Return 12 significant digits: a platform's exp, cos and pow may differ in the last bit of 53."""
    return float(f"{factor:.12g}")


@dataclass(frozen=True)
class Constant:
    """The same learning rate throughout.

    Examples
    --------
    >>> Constant().factor(100)
    1.0
    """

    def factor(self, iteration: int) -> float:
        """Return the factor of the learning rate, iterations counted from 0."""
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """Multiply the learning rate by ``decay`` after every ``every`` iterations.

    Examples
    --------
    >>> StepDecay(every=100, decay=0.5).factor(250)
    0.25
    """

    every: int
    decay: float = 0.1

    def __post_init__(self) -> None:
        settle(self, every=check_count("every", self.every))
        settle(self, decay=check_number("decay", self.decay, 0.0, 1.0))

    def factor(self, iteration: int) -> float:
        """Return the factor of the learning rate, iterations counted from 0."""
        return _rounded(self.decay ** (iteration // self.every))


@dataclass(frozen=True)
class Exponential:
    """Multiply the learning rate by ``exp(-rate * iteration)``.

    Examples
    --------
    >>> Exponential(rate=0.01).factor(100)
    0.367879441171
    """

    rate: float

    def __post_init__(self) -> None:
        settle(self, rate=check_number("rate", self.rate, 0.0))

    def factor(self, iteration: int) -> float:
        """Return the factor of the learning rate, iterations counted from 0."""
        return _rounded(math.exp(-self.rate * iteration))


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from the full learning rate down to ``floor`` of it, at ``iterations`` and after.

    References
    ----------
    I. Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> Cosine(iterations=100).factor(50)
    0.5
    """

    iterations: int
    floor: float = 0.0

    def __post_init__(self) -> None:
        settle(self, iterations=check_count("iterations", self.iterations))
        settle(self, floor=check_number("floor", self.floor, 0.0, 1.0))

    def factor(self, iteration: int) -> float:
        """Return the factor of the learning rate, iterations counted from 0."""
        done = min(iteration / self.iterations, 1.0)
        return _rounded(self.floor + (1.0 - self.floor) * 0.5 * (1.0 + math.cos(math.pi * done)))


@dataclass(frozen=True)
class InverseScaling:
    """Divide the learning rate by ``(iteration + 1) ** power``.

    Examples
    --------
    >>> InverseScaling(power=0.5).factor(3)
    0.5
    """

    power: float = 0.5

    def __post_init__(self) -> None:
        settle(self, power=check_number("power", self.power, 0.0))

    def factor(self, iteration: int) -> float:
        """Return the factor of the learning rate, iterations counted from 0."""
        return _rounded((iteration + 1) ** -self.power)


Schedule = Constant | StepDecay | Exponential | Cosine | InverseScaling

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "inverse_scaling": InverseScaling,
}
