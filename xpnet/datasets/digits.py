"""1,797 real handwritten digits of 8 x 8 pixels, part of the package.

``digits.npz`` holds the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak, UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, licensed under
CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/): ``images``, (1797, 64) of uint8 from 0 to
16, and ``labels``, (1797,) of uint8, in the order in which scikit-learn's ``load_digits`` gives
them; only the file format was changed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from xpnet.datasets.base import Dataset

CLASS_NAMES = tuple("0123456789")
_TRAIN = 1500


def load_digits() -> Dataset:
    """Load the 8 x 8 digits; needs no network.

    Returns
    -------
    Dataset
        The first 1,500 digits for training, the last 297 for testing. Pixels as float32 between
        0 and 1 (multiples of 1/16), 64 a row; labels as int32.

    Examples
    --------
    >>> load_digits().x_train.shape
    (1500, 64)
    """
    with np.load(Path(__file__).with_name("digits.npz")) as archive:
        x = np.multiply(archive["images"], 1 / 16, dtype=np.float32)
        t = archive["labels"].astype(np.int32)
    return Dataset(x[:_TRAIN], t[:_TRAIN], x[_TRAIN:], t[_TRAIN:])
