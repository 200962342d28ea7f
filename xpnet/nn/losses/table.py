"""The losses by the names that users give."""

from __future__ import annotations

from xpnet.nn.losses.absolute_error import MeanAbsoluteError
from xpnet.nn.losses.binary_cross_entropy import BinaryCrossEntropy
from xpnet.nn.losses.cross_entropy import SoftmaxCrossEntropy
from xpnet.nn.losses.huber import Huber
from xpnet.nn.losses.loss import Loss
from xpnet.nn.losses.poisson import Poisson
from xpnet.nn.losses.quantile import Quantile
from xpnet.nn.losses.squared_error import MeanSquaredError
from xpnet.validation import check_name

LOSSES: dict[str, type[Loss]] = {
    "softmax_cross_entropy": SoftmaxCrossEntropy,
    "binary_cross_entropy": BinaryCrossEntropy,
    "mean_squared_error": MeanSquaredError,
    "mean_absolute_error": MeanAbsoluteError,
    "huber": Huber,
    "poisson": Poisson,
    "quantile": Quantile,
}


def get_loss(loss: str | Loss) -> Loss:
    """Return a loss by name; one that is a loss already as it is.

    Raises
    ------
    InvalidInputError
        If the name is unknown.

    Examples
    --------
    >>> get_loss("mean_squared_error")
    MeanSquaredError()
    """
    if callable(getattr(loss, "values", None)) and not isinstance(loss, type):
        return loss  # type: ignore[return-value]
    return LOSSES[check_name("loss", loss, LOSSES)]()
