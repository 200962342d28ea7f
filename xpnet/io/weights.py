"""Named arrays in files: read whatever holds them, write safetensors."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xpnet.errors import DataError, InvalidInputError
from xpnet.io.atomic import write_atomically
from xpnet.io.pickles import read_textbook_pickle

_MAX_HEADER = 100_000_000  # bytes; the limit of the safetensors format
_ZIP = b"PK\x03\x04"
_PICKLED_DICT = (b"\x80", b"(d", b"}")  # protocol 2 and up, protocol 0, protocol 1


def read_weights(path: str | os.PathLike[str]) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Read named arrays from safetensors, npz or a textbook pickle, told apart by their content.

    No code in a file is ever run, whatever its format.

    Parameters
    ----------
    path : path-like
        The file; its suffix does not matter.

    Returns
    -------
    arrays : dict of str to numpy.ndarray
        Name to array, with shape and dtype as stored.
    metadata : dict of str to str
        What a safetensors file says beside its arrays; empty for the other formats.

    Raises
    ------
    DataError
        If the file is missing, of another format or damaged, or holds anything but arrays of numbers.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights"
    >>> with path.open("wb") as file:
    ...     np.savez(file, W1=np.ones((2, 3)))
    >>> arrays, metadata = read_weights(path)
    >>> arrays["W1"].shape, metadata
    ((2, 3), {})
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    metadata: dict[str, str] = {}
    if start[8:] == b"{" and int.from_bytes(start[:8], "little") <= _MAX_HEADER:
        arrays, metadata = _read_safetensors(path)
    elif start.startswith(_ZIP):
        arrays = _read_npz(path)
    elif start.startswith(_PICKLED_DICT):
        arrays = read_textbook_pickle(path)
    else:
        raise DataError(f"{path} is no weight file: expected safetensors, npz or a textbook pickle")
    for name, array in arrays.items():
        if not _holds_numbers(array):
            raise DataError(f"{path}: its entry {name!r} is not an array of plain numbers")
    return arrays, metadata


def write_weights(
    path: str | os.PathLike[str],
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write named arrays as a safetensors file, whole or not at all.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    arrays : mapping of str to numpy.ndarray
        Arrays of booleans, integers or floating-point numbers, of any shape and memory order.
    metadata : mapping of str to str, optional
        Text to keep beside them.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written.
    InvalidInputError
        If an array is not one of plain numbers, or a name or the metadata is not text.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights.safetensors"
    >>> write_weights(path, {"W1": np.ones((2, 3))}, {"activation": "relu"})
    >>> read_weights(path)[1]
    {'activation': 'relu'}
    """
    from safetensors.numpy import save

    texts = dict(metadata or {})
    if not all(isinstance(text, str) for item in texts.items() for text in item):
        raise InvalidInputError("metadata must map text to text")
    for name, array in arrays.items():
        if not isinstance(name, str) or name == "__metadata__":
            raise InvalidInputError(f"{name!r} cannot name an array: expected text other than '__metadata__'")
        if not _holds_numbers(array):
            found = getattr(array, "dtype", type(array).__name__)
            raise InvalidInputError(
                f"{name} is {found}: expected a NumPy array of booleans, integers or floats"
            )
    plain = {name: np.array(a, dtype=a.dtype.newbyteorder("="), order="C") for name, a in arrays.items()}
    write_atomically(path, save(plain, texts or None))  # safetensors 0.8 writes bad JSON for {}, {}


def _holds_numbers(array: object) -> bool:
    return isinstance(array, np.ndarray) and array.dtype.kind in "biuf" and array.dtype.itemsize <= 8


def _read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118
    except (SafetensorError, TypeError, AttributeError) as error:  # the latter two: a dtype that NumPy lacks
        raise DataError(f"{path} is no safetensors file that can be read here: {error}") from error


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    import tokenize
    import zipfile
    import zlib

    damage = (  # what NumPy and zipfile were seen to raise on mangled files
        *(OSError, ValueError, EOFError, KeyError, MemoryError, RuntimeError, SyntaxError),
        *(tokenize.TokenError, zipfile.BadZipFile, zlib.error),
    )
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            return dict(file)
    except damage as error:
        raise DataError(f"{path} is no npz file that can be read: {error}") from error
