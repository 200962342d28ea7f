"""MNIST and Fashion-MNIST: 70,000 grey images of 28 x 28 pixels in ten classes each.

References
----------
Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86, 1998.
H. Xiao, K. Rasul and R. Vollgraf, "Fashion-MNIST: a novel image dataset for benchmarking machine
learning algorithms", arXiv:1708.07747, 2017 (MIT licence).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xpnet.datasets.base import Dataset
from xpnet.datasets.idx import content_md5, read_idx
from xpnet.datasets.locate import data_directory, find_file, holds_all
from xpnet.errors import DataError

_TRAIN_IMAGES = "train-images-idx3-ubyte"
_TRAIN_LABELS = "train-labels-idx1-ubyte"
_TEST_IMAGES = "t10k-images-idx3-ubyte"
_TEST_LABELS = "t10k-labels-idx1-ubyte"


@dataclass(frozen=True)
class Source:
    """A data set published as the four IDX files of MNIST.

    Attributes
    ----------
    name : str
        Its name here, and that of its folder in a data directory.
    class_names : tuple of str
        What the labels 0, 1, ... stand for.
    md5 : dict of str to str
        File name (without ``.gz``) and md5 of the decompressed bytes.
    mirrors : tuple of str
        Addresses under which the gzipped files lie, in the order to try them.
    """

    name: str
    class_names: tuple[str, ...]
    md5: dict[str, str]
    mirrors: tuple[str, ...]


MNIST = Source(
    name="mnist",
    class_names=tuple("0123456789"),
    md5={
        _TRAIN_IMAGES: "6bbc9ace898e44ae57da46a324031adb",
        _TRAIN_LABELS: "a25bea736e30d166cdddb491f175f624",
        _TEST_IMAGES: "2646ac647ad5339dbf082846283269ea",
        _TEST_LABELS: "27ae3e4e09519cfbb04c329615203637",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)

FASHION_MNIST = Source(
    name="fashion_mnist",
    class_names=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    md5={
        _TRAIN_IMAGES: "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        _TRAIN_LABELS: "9018921c3c673c538a1fc5bad174d6f9",
        _TEST_IMAGES: "8181f5470baa50b63fa0f6fddb340f0a",
        _TEST_LABELS: "15d484375f8d13e6eb1aabb0c3f46965",
    },
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
)


def load_source(source: Source, data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """Load a data set of the MNIST family, downloading what is missing.

    Parameters
    ----------
    source : Source
        Which one: `MNIST` or `FASHION_MNIST`.
    data_dir : path-like, optional
        Where its files lie, or shall lie; see `xpnet.datasets.load`.

    Returns
    -------
    Dataset
        Images as uint8, shape ``(n, 784)``; labels as int32, shape ``(n,)``.

    Raises
    ------
    DataError
        If a file is missing and cannot be downloaded, is damaged, or does not fit the others.
    """
    folder = _folder(source, data_directory(data_dir))
    return Dataset(
        *_read_pair(folder, _TRAIN_IMAGES, _TRAIN_LABELS),
        *_read_pair(folder, _TEST_IMAGES, _TEST_LABELS),
    )


def _folder(source: Source, root: Path) -> Path:
    """Return the folder that holds the four files, having downloaded those that are nowhere."""
    own = root / source.name
    if holds_all(own, source.md5):
        return own
    if _holds_directly(source, root):
        return root
    from xpnet.datasets.download import download

    download(source.md5, own, source.mirrors)
    return own


def _holds_directly(source: Source, root: Path) -> bool:
    """Say whether the files lie in ``root`` itself.

    The file names of MNIST and Fashion-MNIST are the same: the sum of the test labels, the smallest
    file, tells whose they are.
    """
    labels = find_file(root, _TEST_LABELS)
    if labels is None or not holds_all(root, source.md5):
        return False
    return content_md5(labels) == source.md5[_TEST_LABELS]


def _read_pair(
    folder: Path, images_file: str, labels_file: str
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Read images and their labels, and check that they belong together."""
    images_path, labels_path = (find_file(folder, file) for file in (images_file, labels_file))
    if images_path is None or labels_path is None:
        raise DataError(f"{folder}: {images_file} and {labels_file} were there and are gone")
    images = read_idx(images_path, ndim=3)
    labels = read_idx(labels_path, ndim=1)
    if images.shape[1:] != (28, 28):
        height, width = images.shape[1:]
        raise DataError(f"{images_path}: expected images of 28 x 28 pixels, not {height} x {width}")
    if len(images) != len(labels):
        raise DataError(f"{labels_path}: expected {len(images):,} labels, one an image, not {len(labels):,}")
    if labels.max() > 9:
        raise DataError(f"{labels_path}: expected labels from 0 to 9, but one is {labels.max()}")
    return images.reshape(len(images), 784), labels.astype(np.int32)
