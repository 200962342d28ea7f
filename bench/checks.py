"""Do all contestants train the same thing? Their loss curves say."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from bench.contestants import Outcome
from bench.peers import get_entry

SAME_BATCHES = 2e-3
"""Largest relative difference of a loss where weights and mini-batches are the same (float32)."""

SAME_LAW = 0.10
"""Largest relative difference of the mean loss where only the law of the mini-batches is the same."""


@dataclass(frozen=True)
class Check:
    """How a contestant's losses compare with those of the reference.

    Attributes
    ----------
    id : str
        Of the measurement.
    batches : {"same", "own"}
        Whether it takes the same mini-batches, or draws its own by the same law.
    iterations : int
        Compared, from the first.
    difference, tolerance : float
        Relative, the largest of a single loss or that of the means.
    """

    id: str
    batches: str
    iterations: int
    difference: float
    tolerance: float

    @property
    def agrees(self) -> bool:
        """Tell whether the difference is within its tolerance; where a loss is no number, it is infinite."""
        return self.difference <= self.tolerance

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        difference = self.difference if math.isfinite(self.difference) else None
        return {**asdict(self), "difference": difference, "agrees": self.agrees}


def compare_losses(measurement: str, outcome: Outcome, reference: Outcome) -> Check:
    """Compare a contestant's first losses with those of the reference, which gives each iteration's."""
    draws_own = get_entry(outcome.spec.peer).draws_own_batches and outcome.spec.sampling != "full"
    count = min(outcome.compared, reference.compared)
    if draws_own:
        difference = _relative(_mean(outcome.losses[:count]), _mean(reference.losses[:count]))
        return Check(measurement, "own", count, difference, SAME_LAW)
    stretch = math.ceil(outcome.compared / len(outcome.losses))
    whole = count // stretch
    expected = [_mean(reference.losses[i * stretch : (i + 1) * stretch]) for i in range(whole)]
    difference = largest_difference(outcome.losses[:whole], expected)
    return Check(measurement, "same", whole * stretch, difference, SAME_BATCHES)


def largest_difference(values: list[float], expected: list[float]) -> float:
    """Return the largest relative difference; infinite where one is no number."""
    return max(_relative(a, b) for a, b in zip(values, expected, strict=True))


def _mean(values: list[float]) -> float:
    return math.fsum(values) / len(values)


def _relative(value: float, expected: float) -> float:
    difference = abs(value - expected) / abs(expected)
    return difference if math.isfinite(difference) else math.inf
