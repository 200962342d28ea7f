"""Matrix products and sums that are the same bits in whatever order they are added.

Floating-point addition depends on its order because it rounds. It does not round, in any order,
where every partial sum is a multiple of one unit and at most 2^53 units: float64 holds it exactly.
The error-free splitting of Rump, Ogita and Oishi (2008, SIAM J. Sci. Comput. 31, 189-224; for
matrix products Ozaki, Ogita, Oishi and Rump 2012, Numer. Algorithms 59, 95-118) brings that about:

1. Multiply each row of A by a power of two that brings its largest magnitude into (2^(p-1), 2^p],
   and each column of B likewise with q. Powers of two round nothing.
2. Round to the nearest integer: the first slice, integers of at most p bits. What is left is at
   most 1/2; multiply it by 2^(p+1) and round again: the second slice, again at most 2^p.
3. Multiply slice by slice with the library's own `matmul`. A sum of k products of integers is at most
   k 2^(p+q), so that p + q + ceil(log2 k) <= 53 is all that exactness asks: any BLAS, any blocking,
   any number of threads, fused multiply-add or not, gives the same integers.
4. Add the products of slices elementwise, in one fixed order, and undo the powers of two.

**How many bits.** `reserved_bits` sets 10 bits aside for k <= 1024, 16 for k <= 65,536, 24 for
k <= 2^24, not the least number: then rows padded with zeros within a class keep their slices.
43 bits are left to share where k <= 1024: p = 22, q = 21, two slices a side, and the products first
by first, first by second and second by first; 37 bits, p = 19 and q = 18, for longer ones. Where k > 65,536
only 29 bits are left, p = 15, q = 14, and a third slice a side makes up for it, with three products more.
8-bit integers, such as pixels, are their own single slice and leave 53 - 8 - 10 = 35 bits to the other side
in *one* product, 29 bits for k <= 65,536; beyond, 21 bits, and a second slice.

**Bounds.** With |a| the largest magnitude of the row, |b| of the column, the error is at most

===================  ======================  ========================
k                    float by float          8-bit integer by float
===================  ======================  ========================
at most 1,024        ``2**-41 k |a| |b|``    ``2**-35 k |a| |b|``
at most 65,536       ``2**-35 k |a| |b|``    ``2**-29 k |a| |b|``
at most 2^24         ``2**-42 k |a| |b|``    ``2**-43 k |a| |b|``
===================  ======================  ========================

A row that is scaled to 2^p loses at most 2^-((s - 1) (p + 1) + 1) behind s slices, the products that are
left out are about as small; and a row is scaled by at most twice its largest magnitude. For sums, see
`xpnet.arithmetic.summation`.

|a| and |b| count as at least 2^-470 (in float32 2^-80): what is negligible
next to these floors counts as zero, and so do subnormal numbers, operands and results. Rounding the result to
float64 or float32 comes on top.

**What holds to the bit.** A result depends on its row and column as a set, hence not on the order of
the contracted axis; zeros appended within a class of k change nothing; and slices of blocks, scaled as the
whole row is, add up exactly to the slices' sum over the whole row, so that a sum may be split among
workers. Zeros come out as +0. A row or column of a product that holds an infinity or NaN gives NaN
throughout; a sum gives infinity where all its infinities have one sign, else NaN. Magnitudes of
2^993 and above, 2^990 where k > 1024 and 2^986 where k > 65,536, may overflow to infinity in a product early.
"""

from __future__ import annotations

from typing import Any

from xpnet.arithmetic.powers import inverse_power, power_of_two_above
from xpnet.arithmetic.rounding import MANTISSA, floating_dtype, is_floating, round_to, to_double
from xpnet.errors import InvalidInputError

Array = Any

BYTE = 8
MOST_RESERVED_OF_TWO = 16
"""Reserved bits up to which two slices hold enough."""
SHIFT = 60
"""Magnitudes are taken times 2^-SHIFT, so that `power_of_two_above` overflows on none."""
FLOOR = -470
"""Magnitudes of float64 operands count as at least 2^FLOOR: the least product of units is a normal number."""
FLOOR_FLOAT32 = -80
"""Of float32 operands, so that subnormal float32 numbers, 2^-126 and less, are rounded away."""


def reserved_bits(k: int) -> int:
    """Return the number of bits set aside for a sum of k terms: at least log2(k), in steps of 8.

    Parameters
    ----------
    k : int
        The contracted length, up to 2^24.

    Returns
    -------
    int
        10, 16 or 24.

    Raises
    ------
    InvalidInputError
        Where k is larger.

    Examples
    --------
    >>> [reserved_bits(k) for k in (10, 1024, 1025, 60_000)]
    [10, 10, 16, 16]
    """
    for bits in (10, 16, 24):
        if k <= 2**bits:
            return bits
    raise InvalidInputError(
        f"an exact matrix product contracts at most 2**24 = 16777216 elements, not {k}: "
        f"use smaller batches, or fewer features"
    )


def slices(xp: Any, x: Array, largest: Array, bits: int, count: int, floor: int) -> tuple[list[Array], Array]:
    """Cut numbers into integers of a given number of bits.

    Parameters
    ----------
    xp : namespace
        The array library's.
    x : array of float64
        What to cut.
    largest : array of float64
        Largest magnitudes of what is to be scaled alike, of a shape that broadcasts with that of `x`.
    bits : int
        No integer exceeds 2^bits in magnitude.
    count : int
        How many slices. One more slice takes up the next ``bits + 1`` bits.
    floor : int
        Magnitudes count as at least 2^floor.

    Returns
    -------
    slices : list of `count` arrays of float64
        Integers, each of the shape of `x`.
    unit : array of float64
        What 1 in the first slice stands for, of the shape of `largest`; 1 in the next slice stands for
        ``2**-(bits + 1)`` of it, and so on. NaN where `largest` is infinite or NaN.

    Examples
    --------
    >>> import numpy as np
    >>> (first, second), unit = slices(np, np.asarray([1.0, 0.3]), np.asarray([1.0]), 3, 2, floor=-9)
    >>> first.tolist(), second.tolist(), unit.tolist()
    ([8.0, 2.0], [0.0, 6.0], [0.125])
    """
    power = power_of_two_above(xp, xp.maximum(largest * 2.0**-SHIFT, 2.0 ** (floor - SHIFT)))
    rest = x * (inverse_power(xp, power) * 2.0 ** (bits - SHIFT))
    cut = [xp.round(rest)]
    while len(cut) < count:
        rest = (rest - cut[-1]) * 2.0 ** (bits + 1)
        cut.append(xp.round(rest))
    return cut, power * 2.0 ** (SHIFT - bits)


def matmul(xp: Any, a: Array, b: Array, /) -> Array:
    """Multiply matrices; the same bits everywhere.

    Parameters
    ----------
    xp : namespace
        The array library's.
    a : array of float64, float32 or 8-bit integers, shape (..., n, k)
        A matrix, or a stack of them.
    b : array of float64, float32 or 8-bit integers, shape (..., k, m)
        Likewise; one of the two is floating point.

    Returns
    -------
    array of float64 or float32, shape (..., n, m)
        float32 where every floating-point operand is. The module's docstring states the bound of the error.

    Raises
    ------
    InvalidInputError
        Where an operand is no matrix, has another dtype or contracts more than 2^24 elements.

    Examples
    --------
    >>> import numpy as np
    >>> pixels = np.asarray([[0, 255]], dtype=np.uint8)
    >>> (matmul(np, pixels, np.asarray([[0.5], [0.25]])) * (1 / 255)).tolist()
    [[0.25]]
    """
    if a.ndim < 2 or b.ndim < 2:
        raise InvalidInputError(
            f"an exact matrix product takes matrices or stacks of them, not shapes {tuple(a.shape)} and "
            f"{tuple(b.shape)}: add an axis of length 1"
        )
    if not (is_floating(xp, a) or is_floating(xp, b)):
        raise InvalidInputError(
            f"an exact matrix product needs a floating-point operand, these are {a.dtype} and {b.dtype}"
        )
    if a.shape[-1] == 0:
        product = xp.matmul(to_double(xp, a), to_double(xp, b))
    elif not is_floating(xp, a):
        product = _by_integers(xp, a, b)
    elif not is_floating(xp, b):
        product = xp.matrix_transpose(_by_integers(xp, xp.matrix_transpose(b), xp.matrix_transpose(a)))
    else:
        product = _by_slices(xp, a, b)
    return round_to(xp, product, floating_dtype(xp, a, b))


def _by_integers(xp: Any, a: Array, b: Array) -> Array:
    """Multiply 8-bit integers, which are their own slice, by one slice or two."""
    reserved = reserved_bits(a.shape[-1])
    bits = MANTISSA - reserved - BYTE
    cut, unit = _operand(xp, b, -2, bits, count=_count(reserved) - 1)
    # + 0.0: libraries disagree on the sign of a sum of -0
    return _combined(xp, [to_double(xp, a)], cut, BYTE, bits) * unit + 0.0


def _by_slices(xp: Any, a: Array, b: Array) -> Array:
    """Multiply slices by slices, leaving out the products that are as small as what was cut off."""
    reserved = reserved_bits(a.shape[-1])
    free = MANTISSA - reserved
    p, q = free - free // 2, free // 2
    rows, row_unit = _operand(xp, a, -1, p, _count(reserved))
    columns, column_unit = _operand(xp, b, -2, q, _count(reserved))
    return _combined(xp, rows, columns, p, q) * row_unit * column_unit + 0.0


def _count(reserved: int) -> int:
    """Return how many slices a float is cut into: 24 reserved bits leave so few that it takes a third."""
    return 3 if reserved > MOST_RESERVED_OF_TWO else 2


def _combined(xp: Any, rows: list[Array], columns: list[Array], p: int, q: int) -> Array:
    """Return the sum of the products of slices of p and q bits, the smallest first."""
    total: Any = None
    for level in reversed(range(max(len(rows), len(columns)))):
        for i in range(max(0, level - len(columns) + 1), min(level + 1, len(rows))):
            product = xp.matmul(rows[i], columns[level - i])
            if level:
                product = product * 2.0 ** -(i * (p + 1) + (level - i) * (q + 1))
            total = product if total is None else product + total
    return total


def _operand(xp: Any, x: Array, axis: int, bits: int, count: int) -> tuple[list[Array], Array]:
    """Cut an operand, scaling alike what lies along the contracted axis."""
    double = to_double(xp, x)
    largest = xp.max(xp.abs(double), axis=axis, keepdims=True)
    return slices(xp, double, largest, bits, count, FLOOR_FLOAT32 if x.dtype == xp.float32 else FLOOR)
