"""Learning-rate schedules: a factor of the learning rate for each iteration, computed on the host."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext

from xpnet.validation import check_count, check_number, settle

_DIGITS = 12
_DOUBT = 1e-14
"""Platforms' functions are right to a few 1e-16: closer than this to a boundary, they do not decide."""
_EXACT = Context(prec=40)
_PI = Decimal("3.1415926535897932384626433832795028841971693993751058")


def _rounded(guess: float, exactly: Callable[[], Decimal]) -> float:
    """Return a factor in 12 significant digits, correctly rounded.

    A platform's exp, sin and pow may differ in their last bits. Where that might show in the twelfth
    digit, one time in a hundred or so, the factor is computed anew in 40 digits.

    Parameters
    ----------
    guess : float
        By the platform's functions, without cancellation.
    exactly : callable
        The same in `Decimal`.
    """
    least, most = (f"{guess * (1.0 + doubt):.{_DIGITS}g}" for doubt in (-_DOUBT, _DOUBT))
    return float(least if least == most else f"{exactly():.{_DIGITS}g}")


def _squared_sine(angle: Decimal) -> Decimal:
    """Return the square of the sine of an angle between 0 and pi / 2, by its series."""
    term = total = angle
    for i in range(1, 25):
        term = -term * angle * angle / ((2 * i) * (2 * i + 1))
        total += term
    return total * total


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
        steps = iteration // self.every
        return _rounded(self.decay**steps, lambda: _EXACT.power(Decimal(self.decay), steps))


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
        exponent = -self.rate * iteration
        return _rounded(math.exp(exponent), lambda: _EXACT.exp(Decimal(exponent)))


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
        left = max(self.iterations - iteration, 0)

        def exactly() -> Decimal:
            with localcontext(_EXACT):
                angle = _PI / 2 * left / self.iterations
                return Decimal(self.floor) + (1 - Decimal(self.floor)) * _squared_sine(angle)

        # (1 + cos(x)) / 2 is the square of a sine, which does not cancel near the end.
        sine = math.sin(0.5 * math.pi * (left / self.iterations))
        return _rounded(self.floor + (1.0 - self.floor) * (sine * sine), exactly)


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
        base = iteration + 1
        return _rounded(base**-self.power, lambda: _EXACT.power(Decimal(base), Decimal(-self.power)))


Schedule = Constant | StepDecay | Exponential | Cosine | InverseScaling

SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": StepDecay,
    "exponential": Exponential,
    "cosine": Cosine,
    "inverse_scaling": InverseScaling,
}
