"""The self-check: whether this machine gives the bits that every machine gives.

On each library and device the canaries of exact arithmetic are tried, random bits are drawn, and networks
are trained; what must come out is known beforehand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xpnet import datasets
from xpnet.backends import Backend, get_backend
from xpnet.errors import XpnetError
from xpnet.models.mlp import MLP
from xpnet.models.model import Model
from xpnet.models.trust import check_exactness
from xpnet.nn.activations import ReLU
from xpnet.nn.affine import Dense
from xpnet.nn.dropout import Dropout
from xpnet.nn.randombits import random_bits
from xpnet.optim import SGD, Adam, AdamW, Cosine, Momentum, Optimizer
from xpnet.random import Stream, random_words
from xpnet.training.loop import train

STREAMS = "4ee2e7c0e9339e9fe09ec12836e62ce1569035cda778dd32c436f9649baff8ca"
"""The SHA-256 of what the random streams give."""
BITS = "371719cf9cc77c7c9ffd40fc19306007f3d2276813ef8094f80f7423fcd0d2e4"
"""Likewise of random bits inside a step."""


@dataclass(frozen=True)
class Network:
    """A network whose fingerprint after training is known.

    Parameters
    ----------
    title : str
        What it is.
    make : callable
        From a backend to the network.
    optimizer : Optimizer
        The rule of the update.
    batch_size, iterations : int
        Of the training, on the digits.
    fingerprint : str
        What must come out.
    """

    title: str
    make: Callable[[Backend], Model]
    optimizer: Optimizer
    batch_size: int
    iterations: int
    fingerprint: str


def _perceptron(sizes: list[int], activation: str, **settings: Any) -> Callable[[Backend], Model]:
    return lambda backend: MLP(sizes, activation, backend=backend, arithmetic="exact", **settings)


def _with_dropout(backend: Backend) -> Model:
    layers = [Dense(16), ReLU(), Dropout(0.25), Dense(10)]
    return Model(layers, (64,), dtype="float64", backend=backend, arithmetic="exact")


NETWORKS = (
    Network(
        "README's: 64-50-10 ReLU, float32, SGD",
        _perceptron([64, 50, 10], "relu"),
        SGD(0.1),
        100,
        500,
        "9791e3f88e1789572a58f67958f08e3763f796400b32cdf093756d1b67dd5a4c",
    ),
    Network(
        "64-16-16-10 tanh, float64, Adam, cosine",
        _perceptron([64, 16, 16, 10], "tanh", init="xavier", dtype="float64"),
        Adam(0.01, schedule=Cosine(20)),
        50,
        15,
        "53ffca2fe6b7cca151fd36ecb9f93ab09f9dd9dcee272e6f757a581c1a4331c6",
    ),
    Network(
        "64-16-10 sigmoid, momentum, clipped",
        _perceptron([64, 16, 10], "sigmoid", loss="mean_squared_error"),
        Momentum(0.05, clip_norm=0.5),
        50,
        15,
        "6ffadfadc024a1fb8b6ec9b926eb8232997fad39ea2c443b739e7c7b3e8c1c17",
    ),
    Network(
        "64-16-10 ReLU, dropout, float64, AdamW",
        _with_dropout,
        AdamW(0.01),
        50,
        15,
        "7551989efe6b5d9aec49a04afe3f487c0ee449c5409c77681f3443000c6a7f2d",
    ),
)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    backend, device : str
        Where; empty for the host alone.
    check : str
        What was tried.
    passed : bool
        Whether it came out as it must.
    told : str
        What came out.
    """

    backend: str
    device: str
    check: str
    passed: bool
    told: str


def selfcheck(
    backends: Sequence[tuple[str, str | None]], begin: Callable[[str], None] = lambda _: None
) -> Iterator[Finding]:
    """Check the host's random streams, and each library on its device.

    Parameters
    ----------
    backends : sequence of (name, device)
        The libraries.
    begin : callable, optional
        Called with the name of each check before it begins.

    Yields
    ------
    Finding

    Examples
    --------
    >>> all(finding.passed for finding in selfcheck([("numpy", None)]))
    True
    """
    begin("random streams")
    yield _compared("", "", "random streams", _digest_of_streams(), STREAMS)
    for name, device in backends:
        try:
            backend = get_backend(name, device)
        except XpnetError as error:
            yield Finding(name, device or "", "library", False, str(error))
            continue
        yield from _of_backend(backend, begin)


def _of_backend(backend: Backend, begin: Callable[[str], None]) -> Iterator[Finding]:
    place = backend.name, backend.device_name
    begin(f"{backend.name}: canaries")
    try:
        backend.require_dtype("float64")
        check_exactness(backend)
    except XpnetError as error:
        yield Finding(*place, "canaries", False, str(error))
        return
    yield Finding(*place, "canaries", True, "float64 and matrix products are IEEE's")
    begin(f"{backend.name}: random bits")
    yield _compared(*place, "random bits inside a step", _digest_of_bits(backend), BITS)
    for network in NETWORKS:
        begin(f"{backend.name}: {network.title}")
        yield _compared(*place, network.title, trained(network, backend), network.fingerprint)


def _compared(backend: str, device: str, check: str, found: str, expected: str) -> Finding:
    right = found == expected
    told = found[:12] if right else f"{found} instead of {expected}"
    return Finding(backend, device, check, right, told)


def trained(network: Network, backend: Backend) -> str:
    """Return the fingerprint of a network after training."""
    x, t, _, _ = datasets.load("digits")
    net = network.make(backend)
    settings: dict[str, Any] = {"batch_size": network.batch_size, "iterations": network.iterations}
    train(net, x, t, network.optimizer, eval_every=0, progress=False, **settings)
    return net.fingerprint()


def _digest_of_streams() -> str:
    stream = Stream(2**64 - 1, "selfcheck", 3)
    drawn = (
        stream.uniform((50,)),
        stream.normal((50,)),
        stream.integers(10**9, (50,)),
        stream.permutation(50),
    )
    return _digest([array.astype(f"<{array.dtype.kind}8") for array in drawn])


def _digest_of_bits(backend: Backend) -> str:
    with backend.scope():
        random = backend.from_numpy(random_words(2**64 - 3, np.asarray([7]))[0])
        bits = random_bits(backend.xp, random, "2/1", (5, 7, 3))
        return _digest([backend.to_numpy(bits).astype("<i4")])


def _digest(arrays: Sequence[np.ndarray]) -> str:
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()
