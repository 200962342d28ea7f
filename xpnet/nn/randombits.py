"""Random bits inside a step: Threefry in wrapping int32, the same on every library, device and worker.

A counter-based generator has no state: block ``(row, column)`` of a layer's bits is a function of seed,
path, iteration and its own address, whoever computes it. 13 rounds are the fewest that its authors found to
pass every test of TestU01's BigCrush.

References
----------
J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11,
2011: Threefry-2x32 with 13 rounds.
"""

from __future__ import annotations

import math
from typing import Any
from zlib import crc32

Array = Any

ROUNDS = 13
ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
PARITY = 0x1BD11BDA
STEPS = 2**16
"""Of how many equal steps chances are made: 16 random bits decide."""

_LEAST = -(2**31)


def threefry(key: tuple[Array, Array], counter: tuple[Array, Array]) -> tuple[Array, Array]:
    """Return two words of random bits for each counter.

    Parameters
    ----------
    key, counter : pairs of arrays of int32
        Of shapes that broadcast.

    Returns
    -------
    pair of arrays of int32

    Examples
    --------
    >>> import numpy as np
    >>> zero = np.zeros(1, dtype=np.int32)
    >>> [hex(int(word[0]) & 0xFFFFFFFF) for word in threefry((zero, zero), (zero, zero))]
    ['0x9d1c5ec6', '0x8bd50731']
    """
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    a, b = counter[0] + keys[0], counter[1] + keys[1]
    for done in range(1, ROUNDS + 1):
        a = a + b
        b = _rotated(b, ROTATIONS[(done - 1) % 8]) ^ a
        if done % 4 == 0:
            group = done // 4
            a = a + keys[group % 3]
            b = b + (keys[(group + 1) % 3] + group)
    return a, b


def random_bits(xp: Any, key: Array, path: str, shape: tuple[int, ...], first_row: int = 0) -> Array:
    """Return 32 random bits for each element of a layer's batch.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    key : array of int32, shape (2,)
        The iteration's, see `xpnet.random.random_words`.
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
    width = math.prod(shape[1:])
    words = _words(xp, key, path, shape[0], width, first_row)
    return xp.reshape(xp.concat(words, axis=1)[:, :width], shape)


def random_choice(
    xp: Any, key: Array, path: str, shape: tuple[int, ...], chance: float, first_row: int = 0
) -> Array:
    """Return for each element of a layer's batch whether it is chosen.

    Two elements share a word, of which each is decided by 16 bits.

    Parameters
    ----------
    xp, key, path, shape, first_row
        As for `random_bits`.
    chance : float
        From 0 to 1; what counts is the nearest of its multiples of ``2**-16``.

    Returns
    -------
    array of bool of that shape
    """
    if (steps := round(chance * STEPS)) == STEPS:
        return xp.ones(shape, dtype=xp.bool, device=getattr(key, "device", None))
    width = math.prod(shape[1:])
    words = _words(xp, key, path, shape[0], (width + 1) // 2, first_row)
    # Compared as they are, signed: what follows the upper half decides nothing.
    limit = _LEAST + steps * 2**16
    chosen = [half < limit for word in words for half in (word, word << 16)]
    return xp.reshape(xp.concat(chosen, axis=1)[:, :width], shape)


def _words(xp: Any, key: Array, path: str, rows: int, width: int, first_row: int) -> tuple[Array, Array]:
    """Return two arrays ``(rows, (width + 1) // 2)`` of random words."""
    device = getattr(key, "device", None)
    own = key[0:1] ^ _signed(crc32(path.encode())), key[1:2]
    row = xp.arange(first_row, first_row + rows, dtype=xp.int32, device=device)
    column = xp.arange((width + 1) // 2, dtype=xp.int32, device=device)
    zeros = xp.zeros((rows, column.shape[0]), dtype=xp.int32, device=device)
    return threefry(own, (zeros + xp.expand_dims(row, axis=1), zeros + column))


def _rotated(x: Array, distance: int) -> Array:
    """Rotate to the left; the shift to the right brings in copies of the sign, which are masked away."""
    return (x << distance) | ((x >> (32 - distance)) & ((1 << distance) - 1))


def _signed(word: int) -> int:
    """Return the int32 that has the bits of an unsigned word."""
    return word - 2**32 if word >= 2**31 else word
