"""The IDX file format, in which the MNIST family of data sets is published.

A file holds one array: four bytes (two zeros, the element type, the number of dimensions), the size
of each dimension as a big-endian 32-bit integer, then the elements in C order. The file may be
compressed with gzip; its first bytes tell, not its name.

References
----------
Y. LeCun, C. Cortes and C. J. C. Burges, "The MNIST database of handwritten digits", section "File
formats".
"""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xpnet.errors import DataError

_GZIP_MAGIC = b"\x1f\x8b"
_UNSIGNED_BYTE = 0x08
# No gzip file can hold more than this many times its own size (RFC 1951: 258 bytes from 2 bits).
_DEFLATE_LIMIT = 1032
_CHUNK = 1 << 18


def read_idx(path: Path, ndim: int) -> NDArray[np.uint8]:
    """Read an IDX file of unsigned bytes.

    The elements are decompressed straight into the array that is returned, so that the peak of
    memory is that one array.

    Parameters
    ----------
    path : Path
        The file, plain or compressed with gzip.
    ndim : int
        The number of dimensions the array must have: 3 for images, 1 for labels.

    Returns
    -------
    ndarray of uint8
        The array, of ``ndim`` dimensions, none of them of size zero.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, truncated or too long, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "labels-idx1-ubyte"
    >>> _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3]) + bytes([5, 0, 4]))
    >>> read_idx(path, ndim=1)
    array([5, 0, 4], dtype=uint8)
    """
    with _open(path) as stream:
        shape = _read_shape(stream, path, ndim)
        size = math.prod(shape)
        room = path.stat().st_size * _DEFLATE_LIMIT
        if size > room:
            raise _truncated(path, shape, f"no file of this length can hold more than {room:,}")
        array = np.empty(size, dtype=np.uint8)
        filled = _fill(stream, array.data)
        if filled < size:
            raise _truncated(path, shape, f"the file holds {filled:,}")
        if stream.read(1):
            raise DataError(f"{path}: oversized: expected to end after {size:,} bytes for {_text(shape)}")
    return array.reshape(shape)


def content_md5(path: Path) -> str:
    """Return the md5 of a file's bytes, decompressed where the file is gzip.

    Raises
    ------
    DataError
        If the file cannot be read or is damaged gzip.
    """
    import hashlib

    with _open(path) as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


@contextmanager
def _open(path: Path) -> Iterator[BufferedIOBase]:
    """Open a file, decompress it where it is gzip, and turn every failure to read into `DataError`."""
    try:
        with open(path, "rb") as file:
            if file.peek(2)[:2] != _GZIP_MAGIC:
                yield file
            else:
                with gzip.GzipFile(fileobj=file) as decompressed:
                    yield decompressed
    except DataError:
        raise
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path}: damaged: expected a complete gzip or plain IDX file ({error})") from error
    except (OSError, MemoryError) as error:
        raise DataError(f"{path}: cannot be read: expected a readable IDX file ({error})") from error


def _read_shape(stream: BufferedIOBase, path: Path, ndim: int) -> tuple[int, ...]:
    """Read the header and return the array's shape, having checked type, rank and sizes."""
    expected = f"expected an IDX file of unsigned bytes with {ndim} dimension{'s' * (ndim > 1)}"
    magic = stream.read(4)
    if len(magic) < 4 or magic[:2] != b"\0\0":
        raise DataError(f"{path}: not an IDX file: starts with {magic.hex(' ') or 'nothing'}; {expected}")
    if magic[2] != _UNSIGNED_BYTE:
        raise DataError(f"{path}: elements of type 0x{magic[2]:02x}; {expected} (type 0x08)")
    if magic[3] != ndim:
        raise DataError(f"{path}: an array of {magic[3]} dimensions; {expected}")
    sizes = stream.read(4 * ndim)
    if len(sizes) < 4 * ndim:
        raise DataError(f"{path}: truncated within its header; {expected}")
    shape = struct.unpack(f">{ndim}I", sizes)
    if 0 in shape:
        raise DataError(f"{path}: empty: its shape is {_text(shape)}; {expected}, none of size 0")
    return shape


def _fill(stream: BufferedIOBase, view: memoryview) -> int:
    """Read until ``view`` is full or the stream ends, piece by piece; return the number of bytes."""
    filled = 0
    while filled < len(view):
        piece = stream.read(min(_CHUNK, len(view) - filled))
        if not piece:
            break
        view[filled : filled + len(piece)] = piece
        filled += len(piece)
    return filled


def _truncated(path: Path, shape: tuple[int, ...], found: str) -> DataError:
    expected = f"expected {math.prod(shape):,} bytes for {_text(shape)}"
    return DataError(f"{path}: truncated: {expected}, but {found}")


def _text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
