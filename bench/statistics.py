"""Medians and their spread over rounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from xpnet.errors import InvalidInputError


@dataclass(frozen=True)
class Summary:
    """Median, quartiles and extremes of a measurement over rounds.

    The interval of a measurement is that between its quartiles: half of the rounds lie in it, and a
    single disturbed round does not widen it.
    """

    median: float
    low: float
    high: float
    least: float
    most: float

    def overlaps(self, other: Summary) -> bool:
        """Tell whether the two intervals have a point in common."""
        return self.low <= other.high and other.low <= self.high


def summarize(values: Sequence[float]) -> Summary:
    """Return the summary of one or more values; quartiles are interpolated linearly.

    Examples
    --------
    >>> summarize([4.0, 1.0, 2.0, 3.0, 5.0])
    Summary(median=3.0, low=2.0, high=4.0, least=1.0, most=5.0)
    """
    if not values:
        raise InvalidInputError("a measurement needs at least one value")
    if len(values) == 1:
        return Summary(*[values[0]] * 5)
    low, _, high = quantiles(values, n=4, method="inclusive")
    middle = median(values)
    # Interpolation rounds: equal values must give an interval that holds them.
    low, high = max(min(low, middle), min(values)), min(max(high, middle), max(values))
    return Summary(middle, low, high, min(values), max(values))


def ratios(values: Sequence[float], reference: Sequence[float]) -> list[float]:
    """Return ``values / reference`` round by round: what disturbs a round disturbs both."""
    return [value / base for value, base in zip(values, reference, strict=True)]
