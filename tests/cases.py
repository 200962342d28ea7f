"""One case or more for each layer of the package: whatever every layer must do is tested on all of them.

A new layer adds its cases here, and `test_layers` takes them through everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import xpnet

BATCH = 6
RNG = np.random.default_rng(0)


def normal(shape):
    """Return samples as most layers take them."""
    return np.random.default_rng(1).normal(size=(BATCH, *shape))


@dataclass(frozen=True)
class Case:
    """A layer and the inputs to try it with.

    `reference` is the same in PyTorch: ``(torch, params, x) -> y``, the parameters by name as the layer
    declares them; None where it is a composition whose parts have theirs, or draws random bits.
    """

    layer: xpnet.Layer
    inputs: tuple[int, ...]
    reference: Callable[[Any, dict[str, Any], Any], Any] | None = None
    samples: Callable[[tuple[int, ...]], np.ndarray] = normal
    trainable: bool = True

    @property
    def x(self):
        """Samples, shape (batch, *inputs), float64 or integers."""
        return self.samples(self.inputs)


CASES = {
    "Dense": Case(xpnet.Dense(3), (4,), lambda torch, p, x: x @ p["W"] + p["b"]),
    "Dense, scaled": Case(xpnet.Dense(3, scale=0.5), (4,), lambda torch, p, x: 0.5 * x @ p["W"] + p["b"]),
    "Dropout": Case(xpnet.Dropout(0.4), (3, 2)),
    "Flatten": Case(xpnet.Flatten(), (2, 3), lambda torch, p, x: x.reshape(len(x), -1)),
    "Identity": Case(xpnet.Identity(), (4,), lambda torch, p, x: x),
    "ReLU": Case(xpnet.ReLU(), (3, 2), lambda torch, p, x: torch.relu(x)),
    "Reshape": Case(xpnet.Reshape((3, 2)), (6,), lambda torch, p, x: x.reshape(len(x), 3, 2)),
    "Sequential": Case(
        xpnet.Sequential([xpnet.Dense(3), xpnet.Tanh()]),
        (4,),
        lambda torch, p, x: torch.tanh(x @ p["W1"] + p["b1"]),
    ),
    "Sigmoid": Case(xpnet.Sigmoid(), (4,), lambda torch, p, x: torch.sigmoid(x)),
    "Step": Case(xpnet.Step(), (4,), lambda torch, p, x: (x > 0).to(x.dtype), trainable=False),
    "Tanh": Case(xpnet.Tanh(), (4,), lambda torch, p, x: torch.tanh(x)),
}
