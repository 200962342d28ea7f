"""The networks that are measured."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import xpnet
from xpnet.errors import unknown_name

LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Network:
    """A network with softmax cross-entropy, and the batch it is measured at.

    Attributes
    ----------
    sizes : tuple of int
        Inputs, hidden units, classes of a ReLU network; inputs and classes of one of other layers.
    batch : int
        Samples of a mini-batch; for ``data="moons"`` the whole set.
    data : {"pixels", "moons"}
        MNIST (or pixels of its shape), or two moons.
    learning_rate : float
        Of plain SGD.
    large : bool
        Too slow for a few CPU cores: measured there only when asked for.
    stack : str
        Its name, where it is of other layers.
    images : tuple of int
        The shape of its inputs then.
    others : tuple of Layer
        These layers.
    """

    sizes: tuple[int, ...]
    batch: int
    data: str = "pixels"
    learning_rate: float = LEARNING_RATE
    large: bool = False
    stack: str = ""
    images: tuple[int, ...] = ()
    others: tuple[xpnet.Layer, ...] = ()

    @property
    def name(self) -> str:
        """As a reader would write it."""
        if self.stack:
            return self.stack
        if len(set(self.sizes[1:-1])) == 1 and len(self.sizes) > 5:
            return f"{self.sizes[0]}-{len(self.sizes) - 2}x{self.sizes[1]}-{self.sizes[-1]}"
        return "-".join(str(size) for size in self.sizes)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The shape of one sample."""
        return self.images or self.sizes[:1]

    @property
    def layers(self) -> tuple[xpnet.Layer, ...]:
        """The layers, of whatever network."""
        hidden = [layer for size in self.sizes[1:-1] for layer in (xpnet.Dense(size), xpnet.ReLU())]
        return self.others or (*hidden, xpnet.Dense(self.sizes[-1]))

    @property
    def products(self) -> list[tuple[int, int, int]]:
        """The matrix product of each layer that has weights: outputs, inputs, and places of one sample."""
        found, shape = [], self.inputs
        for layer in self.layers:
            weights, shape_after = layer.variables(shape).params.get("W"), layer.output_shape(shape)
            if weights is not None:
                size = math.prod(weights.shape) // shape_after[0]
                found.append((shape_after[0], size, math.prod(shape_after[1:])))
            shape = shape_after
        return found

    @property
    def operations(self) -> float:
        """Arithmetic operations of the matrix products of one iteration."""
        each = [math.prod(product) for product in self.products]
        return float(self.batch * (4 * sum(each) + 2 * sum(each[1:])))


def _convolutions(filters: int) -> tuple[xpnet.Layer, ...]:
    """Two convolutions of 3 x 3 with padding, and the pooling behind them."""
    twice = (xpnet.Conv2D(filters, 3, padding=1), xpnet.ReLU()) * 2
    return (*twice, xpnet.MaxPool2D(2))


CONV = (
    *(xpnet.Conv2D(30, 5), xpnet.ReLU(), xpnet.MaxPool2D(2), xpnet.Flatten()),
    *(xpnet.Dense(100), xpnet.ReLU(), xpnet.Dense(10)),
)
"""The simple convolutional network of the book *Deep Learning from Scratch*."""
DEEP_CONV = (
    *(*_convolutions(16), *_convolutions(32), *_convolutions(64), xpnet.Flatten()),
    *(xpnet.Dense(50), xpnet.ReLU(), xpnet.Dense(10)),
)
"""Its deep one, without dropout: with each library's own masks, losses could not be compared."""

CLASSIC = Network((784, 50, 10), 100)

NETWORKS = {
    network.name: network
    for network in (
        CLASSIC,
        Network((784, 64, 10), 100),
        Network((784, 50, 100, 10), 100),
        Network((784, 1024, 1024, 10), 256),
        Network((784, 4096, 4096, 4096, 4096, 10), 1024, learning_rate=0.01, large=True),
        Network((2, 3, 2), 200, data="moons"),
        Network((784, 10), 100, stack="conv", images=(1, 28, 28), others=CONV),
        Network((784, 10), 100, learning_rate=0.001, stack="deep-conv", images=(1, 28, 28), others=DEEP_CONV),
    )
}


def get_stack(name: str, sizes: tuple[int, ...], batch: int) -> Network:
    """Return the network of other layers that has this name, or the ReLU network of these sizes."""
    return replace(NETWORKS[name], batch=batch) if name else Network(sizes, batch)


def get_networks(names: list[str] | None, large: bool) -> list[Network]:
    """Return the networks of those names; all of them, or all but the large ones, where none is named."""
    for name in names or ():
        if name not in NETWORKS:
            raise unknown_name("network", name, NETWORKS)
    return [NETWORKS[name] for name in names or NETWORKS if names or large or not NETWORKS[name].large]
