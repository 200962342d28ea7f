"""The networks that are measured."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from xpnet.errors import unknown_name

LEARNING_RATE = 0.1


@dataclass(frozen=True)
class Network:
    """A ReLU network with softmax cross-entropy, and the batch it is measured at.

    Attributes
    ----------
    sizes : tuple of int
        Inputs, hidden units, classes.
    batch : int
        Samples of a mini-batch; for ``data="moons"`` the whole set.
    data : {"pixels", "moons"}
        MNIST (or pixels of its shape), or two moons.
    learning_rate : float
        Of plain SGD.
    large : bool
        Too slow for a few CPU cores: measured there only when asked for.
    """

    sizes: tuple[int, ...]
    batch: int
    data: str = "pixels"
    learning_rate: float = LEARNING_RATE
    large: bool = False

    @property
    def name(self) -> str:
        """As a reader would write it."""
        if len(set(self.sizes[1:-1])) == 1 and len(self.sizes) > 5:
            return f"{self.sizes[0]}-{len(self.sizes) - 2}x{self.sizes[1]}-{self.sizes[-1]}"
        return "-".join(str(size) for size in self.sizes)

    @property
    def operations(self) -> float:
        """Arithmetic operations of the matrix products of one iteration."""
        pairs = list(pairwise(self.sizes))
        forward_and_weights = 4 * sum(a * b for a, b in pairs)
        return float(self.batch * (forward_and_weights + 2 * sum(a * b for a, b in pairs[1:])))


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
    )
}


def get_networks(names: list[str] | None, large: bool) -> list[Network]:
    """Return the networks of those names; all of them, or all but the large ones, where none is named."""
    for name in names or ():
        if name not in NETWORKS:
            raise unknown_name("network", name, NETWORKS)
    return [NETWORKS[name] for name in names or NETWORKS if names or large or not NETWORKS[name].large]
