"""Random bits inside a step: Threefry in wrapping int32, the same on every library, device and worker.

A counter-based generator has no state: block ``(row, column)`` of a layer's bits is a function of seed,
path, iteration and its own address, whoever computes it.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11,
2011: Threefry-2x32 with 20 rounds.
"""

from __future__ import annotations

import math
from typing import Any
from zlib import crc32

Array = Any

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA


def threefry(xp: Any, key: tuple[Array, Array], counter: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return two words of random bits for each counter.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    key, counter : pairs of arrays of int32
        Of shapes that broadcast.

    Returns
    -------
    pair of arrays of int32

    Examples
    --------
    >>> import numpy as np
    >>> zero = np.zeros(1, dtype=np.int32)
    >>> [hex(int(word[0]) & 0xFFFFFFFF) for word in threefry(np, (zero, zero), (zero, zero))]
    ['0x6b200159', '0x99ba4efe']
    """
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for group in range(5):
        for distance in ROTATIONS[group % 2]:
            a = a + b
            b = _rotated(xp, b, distance) ^ a
        a = a + keys[(group + 1) % 3]
        b = b + keys[(group + 2) % 3] + (group + 1)
    return a, b


def random_bits(xp: Any, random: Array, path: str, shape: tuple[int, ...], first_row: int = 0) -> Array:
    """Return random bits of a layer for a batch.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    random : array of int32, shape (3,)
        Low and high word of the seed, and the iteration.
    path : str
        The layer's.
    shape : tuple of int
        ``(batch, *sample)``.
    first_row : int, default 0
        Of these samples within the whole batch.

    Returns
    -------
    array of int32 of that shape
    """
    device = getattr(random, "device", None)
    rows, width = shape[0], math.prod(shape[1:])
    address = xp.zeros_like(random[2:3]) + _signed(crc32(path.encode()))
    key = threefry(xp, (random[0:1], random[1:2]), (address, random[2:3]))
    row = xp.arange(first_row, first_row + rows, dtype=xp.int32, device=device)
    column = xp.arange((width + 1) // 2, dtype=xp.int32, device=device)
    zeros = xp.zeros((rows, column.shape[0]), dtype=xp.int32, device=device)
    words = threefry(xp, key, (zeros + xp.expand_dims(row, axis=1), zeros + column))
    return xp.reshape(xp.concat(words, axis=1)[:, :width], shape)


def _rotated(xp: Any, x: Array, distance: int) -> Array:
    """Rotate to the left; the shift to the right brings in copies of the sign, which are masked away."""
    low = xp.bitwise_right_shift(x, xp.full_like(x, 32 - distance)) & ((1 << distance) - 1)
    return xp.bitwise_left_shift(x, xp.full_like(x, distance)) | low


def _signed(word: int) -> int:
    """Return the int32 that has the bits of an unsigned word."""
    return word - 2**32 if word >= 2**31 else word
