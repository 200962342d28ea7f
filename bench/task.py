"""A contestant's task: which network to train how, as plain data and with the arrays loaded."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import xpnet
from bench.data import MNIST_SAMPLES, load
from bench.networks import LEARNING_RATE, Network, get_stack
from xpnet.errors import XpnetError
from xpnet.training.batches import make_sampler


@dataclass(frozen=True)
class Spec:
    """What a worker process is told, as JSON.

    Attributes
    ----------
    peer : str
        A name in `bench.peers.PEERS`.
    sizes, batch, learning_rate : as in `Network`
    dtype : {"float32", "float64"}
    arithmetic : {"standard", "exact"}
        Of xpnet; other peers have one only.
    optimizer : str
        A name in `xpnet.optim.OPTIMIZERS`; only xpnet has others than ``"sgd"`` here.
    device : {"cpu", "cuda"}
    threads : int
        Cores that the process is pinned to, and threads of its libraries.
    data : {"pixels", "synthetic", "moons", "digits"}
    samples : int
        Of the training set.
    stack : str
        The name of a network of other layers than `Dense` and `ReLU`.
    """

    peer: str
    sizes: tuple[int, ...]
    batch: int
    learning_rate: float = LEARNING_RATE
    dtype: str = "float32"
    arithmetic: str = "standard"
    optimizer: str = "sgd"
    device: str = "cpu"
    threads: int = 1
    data: str = "pixels"
    samples: int = MNIST_SAMPLES
    stack: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Spec:
        """Return it from plain data."""
        return cls(**{**plain, "sizes": tuple(plain["sizes"])})

    @classmethod
    def of(cls, network: Network, peer: str, samples: int, **changes: Any) -> Spec:
        """Return the spec of a peer on a network of the table."""
        fields: dict[str, Any] = {
            "sizes": network.sizes,
            "batch": network.batch,
            "learning_rate": network.learning_rate,
            "data": network.data,
            "stack": network.stack,
            "samples": network.batch if network.data == "moons" else samples,
        }
        return cls(peer=peer, **{**fields, **changes})

    @property
    def network(self) -> Network:
        """The network that is trained."""
        return get_stack(self.stack, self.sizes, self.batch)

    @property
    def sampling(self) -> str:
        """Moons are taken whole in every iteration; mini-batches are drawn with replacement."""
        return "full" if self.data == "moons" else "with_replacement"


class Task:
    """A spec with its arrays: the same samples, initial weights and mini-batches for every contestant.

    Attributes
    ----------
    spec : Spec
    x, t : arrays
        As stored: uint8 pixels, or float32 coordinates; int32 labels.
    """

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.x, self.t = load(spec.data, spec.samples)
        self._sampler = make_sampler(spec.sampling, len(self.x), spec.batch, seed=0)

    def initial_params(self) -> dict[str, np.ndarray]:
        """Return ``W1 b1 W2 b2 …`` as xpnet draws them, to be changed in place by whoever asked."""
        network = self.spec.network
        net = xpnet.Model(network.layers, network.inputs, dtype=self.spec.dtype, backend="numpy")
        return {name: np.array(value) for name, value in net.params.items()}

    def without_other_layers(self, library: str) -> None:
        """Raise `XpnetError` for a network of other layers, which is not written for a library."""
        if self.spec.stack:
            raise XpnetError(f"{self.spec.stack} is not written here for {library}")

    def scaled(self) -> np.ndarray:
        """Return the samples in the dtype of the parameters and the network's shape, pixels from 0 to 1."""
        x = self.x.astype(self.spec.dtype).reshape(-1, *self.spec.network.inputs)
        return x / np.asarray(255, x.dtype) if self.x.dtype == np.uint8 else x

    def rows(self, start: int, stop: int) -> np.ndarray | None:
        """Return the rows of the iterations ``start <= i < stop``, ``(iterations, batch)`` int32.

        They are those that xpnet takes, drawn by its sampler; None where each takes all samples.
        """
        if self.spec.sampling == "full":
            return None
        blocks = [rows for _, rows in self._sampler.blocks(start, stop) if rows is not None]
        return blocks[0] if len(blocks) == 1 else np.concatenate(blocks)
