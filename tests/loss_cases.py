"""One case or more for each loss of the package: whatever every loss must do is tested on all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import xpnet

RNG = np.random.default_rng(0)
BATCH, OUTPUTS = 40, 3
X = RNG.normal(size=(BATCH, 4))
Y = 2.0 * RNG.normal(size=(BATCH, OUTPUTS))
LABELS = RNG.integers(0, OUTPUTS, BATCH)
ROWS = RNG.dirichlet(np.ones(OUTPUTS), BATCH)
VALUES = Y + RNG.standard_t(2, size=Y.shape)
YES = RNG.integers(0, 2, (BATCH, OUTPUTS))
COUNTS = RNG.poisson(np.exp(0.3 * Y))


@dataclass(frozen=True)
class Case:
    """A loss and targets to try it with.

    `reference` is the same in PyTorch: ``(torch, y, t) -> losses``, of every sample or of every element.
    """

    loss: xpnet.Loss
    t: np.ndarray
    reference: Callable[[Any, Any, Any], Any]
    outputs: int = OUTPUTS

    @property
    def y(self):
        return Y[:, : self.outputs]


def functional(name, **settings):
    """Return a functional loss of PyTorch's."""
    return lambda torch, y, t: getattr(torch.nn.functional, name)(y, t, reduction="none", **settings)


def logits_loss(weight=None):
    def reference(torch, y, t):
        factor = None if weight is None else torch.tensor(weight, device="cpu", dtype=y.dtype)
        function = torch.nn.functional.binary_cross_entropy_with_logits
        return function(y, t.reshape(y.shape).to(y.dtype), reduction="none", pos_weight=factor)

    return reference


def pinball(q):
    return lambda torch, y, t: torch.maximum((1 - q) * (y - t), -q * (y - t))


softmax = functional("cross_entropy")
poisson = functional("poisson_nll_loss", log_input=True, full=False)
CASES = {
    "softmax": Case(xpnet.SoftmaxCrossEntropy(), LABELS, softmax),
    "softmax of probabilities": Case(xpnet.SoftmaxCrossEntropy(), ROWS, softmax),
    "softmax, smoothed": Case(
        xpnet.SoftmaxCrossEntropy(0.1), LABELS, functional("cross_entropy", label_smoothing=0.1)
    ),
    "softmax of probabilities, smoothed": Case(
        xpnet.SoftmaxCrossEntropy(0.3), ROWS, functional("cross_entropy", label_smoothing=0.3)
    ),
    "softmax, weighted": Case(xpnet.SoftmaxCrossEntropy(class_weights=(0.5, 2.0, 1.25)), LABELS, softmax),
    "binary": Case(xpnet.BinaryCrossEntropy(), YES[:, 0], logits_loss(), outputs=1),
    "several labels": Case(xpnet.BinaryCrossEntropy(), YES, logits_loss()),
    "labels, weighted": Case(xpnet.BinaryCrossEntropy(3.0), YES, logits_loss(3.0)),
    "labels of probabilities, weighted": Case(xpnet.BinaryCrossEntropy(0.5), ROWS, logits_loss(0.5)),
    "squared": Case(xpnet.MeanSquaredError(), VALUES, functional("mse_loss")),
    "absolute": Case(xpnet.MeanAbsoluteError(), VALUES, functional("l1_loss")),
    "Huber": Case(xpnet.Huber(), VALUES, functional("huber_loss")),
    "Huber, wide": Case(xpnet.Huber(2.5), VALUES, functional("huber_loss", delta=2.5)),
    "Poisson": Case(xpnet.Poisson(), COUNTS, poisson),
    "median": Case(xpnet.Quantile(), VALUES, pinball(0.5)),
    "quantile": Case(xpnet.Quantile(0.9), VALUES, pinball(0.9)),
}
