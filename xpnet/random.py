"""All randomness of xpnet: counter-based streams of NumPy's Philox, drawn on the host.

Every stream is addressed by ``(seed, purpose, counter)``, so that any piece of a run (the initial
weights, the mini-batches of iterations 5000 to 5999) can be drawn again without drawing what came
before it. Only the generator's raw 64-bit words are taken from NumPy, which guarantees them for
ever; it gives no such guarantee for its distributions. The distributions below use integer
arithmetic and the correctly rounded ``+ - * /``, hence the same seed gives the same bits on every
machine, with every version of NumPy, whatever array library trains the network.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from zlib import crc32

import numpy as np

from xpnet.errors import InvalidInputError

_WORD = 2**64
_STRETCH = 1024
"""Iterations whose words are drawn together."""
# Kinderman and Monahan's bounding rectangle: |v| <= sqrt(2 / e) for u in (0, 1].
_RATIO_BOUND = 0.8577638849607068


class Stream:
    """A stream of random numbers, addressed by seed, purpose and counter.

    Parameters
    ----------
    seed : int
        The user's seed, ``0 <= seed < 2**64``.
    purpose : str
        What the numbers are for; streams of different purposes are independent.
    counter : int, default 0
        Which stretch of the stream: an epoch, or a block of iterations.

    Raises
    ------
    InvalidInputError
        If the seed is not an integer between 0 and ``2**64 - 1``.

    References
    ----------
    J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as
    1, 2, 3", SC'11, 2011 (Philox).

    Examples
    --------
    >>> Stream(0, "example").integers(10, (5,))
    array([6, 9, 7, 9, 9])
    """

    def __init__(self, seed: int, purpose: str, counter: int = 0) -> None:
        check_seed(seed)
        # The Philox counter itself runs in the low words; the highest is left to address stretches.
        self._philox = np.random.Philox(
            key=np.asarray([seed, crc32(purpose.encode())], dtype=np.uint64),
            counter=np.asarray([0, 0, 0, counter], dtype=np.uint64),
        )

    def words(self, count: int) -> np.ndarray:
        """Return the generator's next words, uint64."""
        return np.atleast_1d(self._philox.random_raw(count))

    def uniform(self, shape: Sequence[int]) -> np.ndarray:
        """Return float64 numbers, uniform on the multiples of ``2**-53`` in ``[0, 1)``."""
        return ((self.words(math.prod(shape)) >> 11) * 2.0**-53).reshape(shape)

    def normal(self, shape: Sequence[int]) -> np.ndarray:
        """Return float64 numbers from the standard normal distribution.

        The ratio of uniforms needs a logarithm only to accept or reject, never for the value
        itself, so that the last bit of a platform's ``log`` does not show in the result.

        References
        ----------
        A. J. Kinderman and J. F. Monahan, "Computer generation of random variables using the ratio
        of uniform deviates", ACM Transactions on Mathematical Software 3, 1977.
        """
        missing = math.prod(shape)
        accepted = [np.empty(0)]
        while missing > 0:
            draws = missing + missing // 2 + 16  # 73 % are accepted
            u = 1.0 - self.uniform((draws,))
            v = (2.0 * self.uniform((draws,)) - 1.0) * _RATIO_BOUND
            x = v / u
            accepted.append(x[x * x <= -4.0 * np.log(u)][:missing])
            missing -= accepted[-1].size
        return np.concatenate(accepted).reshape(shape)

    def constant(self, value: float, shape: Sequence[int]) -> np.ndarray:
        """Return float64 numbers that are all alike: nothing is drawn."""
        return np.full(shape, value)

    def integers(self, high: int, shape: Sequence[int]) -> np.ndarray:
        """Return int64 numbers, uniform on ``0 <= i < high`` without bias."""
        count = math.prod(shape)
        words = self.words(count)
        limit = _WORD - _WORD % high  # words from here on would favour the small numbers
        while limit < _WORD and (rejected := words >= limit).any():
            words = np.concatenate([words[~rejected], self.words(int(rejected.sum()))])
        return (words % high).astype(np.int64).reshape(shape)

    def permutation(self, count: int) -> np.ndarray:
        """Return the numbers ``0 ... count - 1`` in random order, int64."""
        return np.argsort(self.words(count), kind="stable")


def check_seed(seed: int) -> int:
    """Return an integer between 0 and ``2**64 - 1``, or raise `InvalidInputError`."""
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 0 <= seed < _WORD:
        raise InvalidInputError(f"seed must be an integer between 0 and 2**64 - 1, not {seed!r}")
    return int(seed)


def random_words(seed: int, iterations: np.ndarray) -> np.ndarray:
    """Return what random bits drawn inside a step are addressed by: 64 bits for each iteration.

    Parameters
    ----------
    seed : int
        Below 2**64.
    iterations : array of int, shape (n,)
        From 0.

    Returns
    -------
    array of int32, shape (n, 2)

    Examples
    --------
    >>> random_words(0, np.asarray([7]))
    array([[1100526458, -420185607]], dtype=int32)
    """
    stretches, places = np.divmod(iterations, _STRETCH)
    words = np.empty(len(iterations), dtype=np.uint64)
    for stretch in np.unique(stretches):
        here = stretches == stretch
        words[here] = Stream(seed, "step", int(stretch)).words(_STRETCH)[places[here]]
    halves = np.column_stack([words & 0xFFFFFFFF, words >> 32])
    return halves.astype(np.uint32).view(np.int32)
