"""What a loaded data set is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Dataset(NamedTuple):
    """The examples of a data set, split into training and test set.

    Attributes
    ----------
    x_train : ndarray, shape (n_train, n_features)
        One example a row, in the dtype that the set is stored in: uint8 pixels for the MNIST
        family, float32 otherwise.
    t_train : ndarray of int32, shape (n_train,)
        Class labels.
    x_test : ndarray, shape (n_test, n_features)
        As ``x_train``.
    t_test : ndarray of int32, shape (n_test,)
        As ``t_train``.
    """

    x_train: NDArray[Any]
    t_train: NDArray[np.int32]
    x_test: NDArray[Any]
    t_test: NDArray[np.int32]
