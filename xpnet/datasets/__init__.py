"""Data sets: MNIST and Fashion-MNIST (downloaded once), 8 x 8 digits (in the package), two moons."""

from __future__ import annotations

import os

from xpnet.datasets import digits, mnist, moons
from xpnet.datasets.base import Dataset
from xpnet.datasets.moons import make_moons
from xpnet.validation import check_name

__all__ = ["Dataset", "class_names", "load", "make_moons", "names"]

_BUILT_IN = {"digits": digits.load_digits, "moons": moons.load_moons}
_PUBLISHED = {source.name: source for source in (mnist.MNIST, mnist.FASHION_MNIST)}
_CLASS_NAMES = {
    "digits": digits.CLASS_NAMES,
    "moons": moons.CLASS_NAMES,
    **{source.name: source.class_names for source in _PUBLISHED.values()},
}


def names() -> tuple[str, ...]:
    """Return the names that `load` knows.

    Examples
    --------
    >>> names()
    ('digits', 'moons', 'mnist', 'fashion_mnist')
    """
    return tuple(_CLASS_NAMES)


def class_names(name: str) -> tuple[str, ...]:
    """Return what the labels 0, 1, ... of a data set stand for.

    Raises
    ------
    InvalidInputError
        If there is no data set of that name.

    Examples
    --------
    >>> class_names("fashion_mnist")[9]
    'Ankle boot'
    """
    return _CLASS_NAMES[check_name("data set", name, names())]


def load(name: str, data_dir: str | os.PathLike[str] | None = None) -> Dataset:
    """Load a data set by its name.

    ``mnist`` and ``fashion_mnist`` are read from the four IDX files, gzipped or not, that lie in the
    data directory or in a folder of it named for the data set. What is missing is downloaded into
    that folder, verified once and trusted from then on. ``digits`` and ``moons`` need no files.

    Parameters
    ----------
    name : {"digits", "moons", "mnist", "fashion_mnist"}
        Which data set.
    data_dir : path-like, optional
        The data directory; else that in the environment variable ``XPNET_DATA``, else the user's
        cache directory.

    Returns
    -------
    Dataset
        ``x_train``, ``t_train``, ``x_test``, ``t_test``: NumPy arrays. Pixels of the MNIST family are
        uint8, shape (60000, 784) and (10000, 784); ``digits`` (64 pixels from 0 to 1) and ``moons``
        (2 coordinates) are float32. Labels are int32.

    Raises
    ------
    InvalidInputError
        If there is no data set of that name.
    DataError
        If the files are damaged, or missing and cannot be downloaded.

    Examples
    --------
    >>> x_train, t_train, x_test, t_test = load("digits")
    >>> x_train.shape, t_train[:3]
    ((1500, 64), array([0, 1, 2], dtype=int32))
    """
    check_name("data set", name, names())
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    return mnist.load_source(_PUBLISHED[name], data_dir)
