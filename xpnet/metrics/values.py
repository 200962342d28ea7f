"""How near predicted values are."""

from __future__ import annotations

from typing import Any

import numpy as np

from xpnet.metrics import given
from xpnet.nn.losses.regression import determination


def r2_score(t: Any, predicted: Any) -> float:
    """Return the coefficient of determination, R², the mean over the outputs.

    It is 1 less the squared errors over those of the mean of the targets; for an output whose targets are all
    alike, 1 where it is right and 0 elsewhere.

    Parameters
    ----------
    t, predicted : arrays, shape (samples,) or (samples, outputs)
        Of any library.

    Raises
    ------
    InvalidInputError
        If they are no finite numbers, or of different shapes.

    Examples
    --------
    >>> r2_score([1.0, 2.0, 3.0], [1.0, 2.0, 4.0])
    0.5
    """
    t, predicted = given.values(t, predicted)
    return determination(np, predicted, t)


def mean_absolute_error(t: Any, predicted: Any) -> float:
    """Return the mean of ``|predicted - t|`` over samples and outputs; arguments as `r2_score` takes them.

    Examples
    --------
    >>> mean_absolute_error([1.0, 2.0, 3.0], [1.0, 2.0, 4.5])
    0.5
    """
    t, predicted = given.values(t, predicted)
    return float(np.mean(np.abs(predicted - t)))


def mean_squared_error(t: Any, predicted: Any) -> float:
    """Return the mean of ``(predicted - t)**2`` over samples and outputs; arguments as `r2_score` takes them.

    Examples
    --------
    >>> mean_squared_error([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    t, predicted = given.values(t, predicted)
    return float(np.mean(np.square(predicted - t)))
