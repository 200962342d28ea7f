"""What the contestants train on: MNIST where its files are, else pixels made up in the same shape."""

from __future__ import annotations

import numpy as np

import xpnet
from xpnet.datasets.locate import data_directory, holds_all
from xpnet.datasets.mnist import MNIST

MNIST_SAMPLES = 60_000
_FEATURES, _CLASSES = 784, 10
_SAMPLES_AT_ONCE = 1000


def mnist_is_here() -> bool:
    """Tell whether MNIST's files lie in the data directory: the benchmark downloads nothing."""
    root = data_directory()
    return any(holds_all(folder, MNIST.md5) for folder in (root / MNIST.name, root))


def pixels_name() -> str:
    """Say what `load` returns for pixels."""
    return "MNIST" if mnist_is_here() else "synthetic pixels in the shape of MNIST (set XPNET_DATA for MNIST)"


def load(kind: str, samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return training samples and integer labels.

    Parameters
    ----------
    kind : {"pixels", "synthetic", "moons", "digits"}
        ``"pixels"`` are MNIST's where it is here, the first ones where fewer are wanted.
    samples : int
        How many; ``"digits"`` are as many as there are.
    """
    if kind == "moons":
        return xpnet.datasets.make_moons(samples, 0.2, seed=0, dtype="float32")
    if kind == "digits":
        return xpnet.datasets.load("digits")[:2]
    if kind == "pixels" and mnist_is_here():
        data = xpnet.datasets.load("mnist")
        return data.x_train[:samples], data.t_train[:samples]
    return synthetic_pixels(samples)


def load_test(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return test samples and labels of ``"pixels"`` (MNIST's) or ``"digits"``."""
    return xpnet.datasets.load("mnist" if kind == "pixels" else kind)[2:]


def synthetic_pixels(samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Return uint8 images ``(samples, 784)`` and labels: a sparse pattern for each class, with noise.

    About a fifth of the pixels are not zero, as in MNIST. Drawn in blocks, for memory is measured too.
    """
    rng = np.random.default_rng(0)
    patterns = rng.random((_CLASSES, _FEATURES)) < 0.2
    t = rng.integers(_CLASSES, size=samples, dtype=np.int32)
    x = np.empty((samples, _FEATURES), dtype=np.uint8)
    for start in range(0, samples, _SAMPLES_AT_ONCE):
        block = x[start : start + _SAMPLES_AT_ONCE]
        brightness = rng.integers(128, 256, size=block.shape, dtype=np.uint8)
        np.multiply(brightness, patterns[t[start : start + len(block)]], out=block)
    return x, t
