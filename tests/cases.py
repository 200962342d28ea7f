"""One case or more for each layer of the package: whatever every layer must do is tested on all of them.

A new layer adds its cases here, and `test_layers` takes them through everything.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import xpnet

BATCH = 6


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
    def floating(self):
        """Whether its inputs have gradients: ids have none."""
        return self.x.dtype.kind == "f"

    @property
    def x(self):
        """Samples, shape (batch, *inputs), float64 or integers."""
        return self.samples(self.inputs)


def ids(shape):
    """Return integers from 0 to 4, each of them more than once."""
    return np.random.default_rng(1).integers(0, 5, size=(BATCH, *shape))


def batch_norm(torch, p, x):
    return torch.nn.functional.batch_norm(x, None, None, p["gamma"], p["beta"], training=True)


def layer_norm(torch, p, x):
    return torch.nn.functional.layer_norm(x, x.shape[-1:], p["gamma"], p["beta"])


def residual(torch, p, x):
    return x + torch.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def conv(stride=1, padding=0, groups=1):
    """Return PyTorch's convolution."""
    return lambda torch, p, x: torch.nn.functional.conv2d(x, p["W"], p.get("b"), stride, padding, 1, groups)


def pool(name, *settings):
    """Return a pooling of PyTorch's."""
    return lambda torch, p, x: getattr(torch.nn.functional, f"{name}_pool2d")(x, *settings)


CASES = {
    "BatchNorm": Case(xpnet.BatchNorm(), (4,), batch_norm),
    "BatchNorm of images": Case(xpnet.BatchNorm(0.5), (3, 2, 4), batch_norm),
    "BatchNorm, inner": Case(xpnet.Sequential([xpnet.Dense(5), xpnet.BatchNorm(), xpnet.ReLU()]), (4,)),
    "AvgPool2D": Case(xpnet.AvgPool2D(2), (3, 4, 6), pool("avg", 2)),
    "AvgPool2D, overlapping": Case(
        xpnet.AvgPool2D((3, 2), (2, 1), 1), (2, 6, 5), pool("avg", (3, 2), (2, 1), 1)
    ),
    "Conv2D": Case(xpnet.Conv2D(3, 3), (2, 5, 6), conv()),
    "Conv2D, 1 x 1 with gaps": Case(xpnet.Conv2D(3, 1, 2, bias=False), (2, 5, 6), conv(2)),
    "Conv2D, in groups": Case(
        xpnet.Conv2D(4, (2, 3), (2, 1), (1, 2), groups=2), (6, 5, 4), conv((2, 1), (1, 2), 2)
    ),
    "Conv2D, padded": Case(xpnet.Conv2D(2, (5, 3), padding="same"), (2, 5, 6), conv(padding="same")),
    "Conv2D, scaled": Case(
        xpnet.Conv2D(2, 3, 2, 1, scale=0.5), (1, 7, 4), lambda torch, p, x: conv(2, 1)(torch, p, 0.5 * x)
    ),
    "Dense": Case(xpnet.Dense(3), (4,), lambda torch, p, x: x @ p["W"] + p["b"]),
    "Dense, scaled": Case(xpnet.Dense(3, scale=0.5), (4,), lambda torch, p, x: 0.5 * x @ p["W"] + p["b"]),
    "Dropout": Case(xpnet.Dropout(0.4), (3, 2)),
    "Embedding": Case(xpnet.Embedding(5, 3), (4,), lambda torch, p, x: p["table"][x], ids),
    "Embedding, inner": Case(
        xpnet.Sequential([xpnet.Embedding(5, 3), xpnet.LayerNorm(), xpnet.Flatten(), xpnet.Dense(2)]),
        (2,),
        samples=ids,
    ),
    "Flatten": Case(xpnet.Flatten(), (2, 3), lambda torch, p, x: x.reshape(len(x), -1)),
    "GELU": Case(xpnet.GELU(), (3, 2), lambda torch, p, x: torch.nn.functional.gelu(x, approximate="tanh")),
    "Identity": Case(xpnet.Identity(), (4,), lambda torch, p, x: x),
    "LayerNorm": Case(xpnet.LayerNorm(), (4,), layer_norm),
    "LayerNorm of a sequence": Case(
        xpnet.LayerNorm(1e-3),
        (3, 4),
        lambda torch, p, x: torch.nn.functional.layer_norm(x, x.shape[-1:], p["gamma"], p["beta"], 1e-3),
    ),
    "LeakyReLU": Case(
        xpnet.LeakyReLU(0.2), (3, 2), lambda torch, p, x: torch.nn.functional.leaky_relu(x, 0.2)
    ),
    "GlobalAvgPool2D": Case(xpnet.GlobalAvgPool2D(), (3, 4, 5), lambda torch, p, x: x.mean(dim=(2, 3))),
    "MaxPool2D": Case(xpnet.MaxPool2D(2), (2, 6, 4), pool("max", 2)),
    "MaxPool2D, overlapping": Case(xpnet.MaxPool2D(3, 2, 1), (2, 6, 5), pool("max", 3, 2, 1)),
    "ReLU": Case(xpnet.ReLU(), (3, 2), lambda torch, p, x: torch.relu(x)),
    "Reshape": Case(xpnet.Reshape((3, 2)), (6,), lambda torch, p, x: x.reshape(len(x), 3, 2)),
    "Residual": Case(xpnet.Residual([xpnet.Dense(3), xpnet.Tanh(), xpnet.Dense(4)]), (4,), residual),
    "Residual, nested": Case(
        xpnet.Sequential(
            [xpnet.Dense(3), xpnet.Residual([xpnet.BatchNorm(), xpnet.SiLU(), xpnet.Dense(3)]), xpnet.ReLU()]
        ),
        (4,),
    ),
    "Sequential": Case(
        xpnet.Sequential([xpnet.Dense(3), xpnet.Tanh()]),
        (4,),
        lambda torch, p, x: torch.tanh(x @ p["W1"] + p["b1"]),
    ),
    "SiLU": Case(xpnet.SiLU(), (4,), lambda torch, p, x: torch.nn.functional.silu(x)),
    "Sigmoid": Case(xpnet.Sigmoid(), (4,), lambda torch, p, x: torch.sigmoid(x)),
    "Softmax": Case(xpnet.Softmax(), (2, 3), lambda torch, p, x: torch.softmax(x, -1)),
    "Softplus": Case(xpnet.Softplus(), (4,), lambda torch, p, x: torch.nn.functional.softplus(x)),
    "Step": Case(xpnet.Step(), (4,), lambda torch, p, x: (x > 0).to(x.dtype), trainable=False),
    "Tanh": Case(xpnet.Tanh(), (4,), lambda torch, p, x: torch.tanh(x)),
}

TRAINABLE = {name: case for name, case in CASES.items() if case.trainable}
