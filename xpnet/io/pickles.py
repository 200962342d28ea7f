"""Weights from pickle files, read without ever unpickling.

A pickle is a program for a small stack machine, and two of its instructions call any function that
the file names. So the file is never given to :mod:`pickle`. This module follows the instructions
itself, and knows only those that build numbers, text, tuples, one kind of dict and the plain arrays
that NumPy pickles. Nothing is imported or called because a file asks for it. Each value on the stack is
as large as the bytes that made it and the arrays together may not outgrow the file, so a small file
cannot ask for a lot of memory either.

Even a ``pickle.Unpickler`` that refuses every name would not do: a tuple nested a million times
and used as a key overflows the C stack while it is hashed, and a memo index of 2**32 makes it
allocate gigabytes.
"""

from __future__ import annotations

import math
import os
import warnings
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from xpnet.errors import DataError


class _Name(Enum):
    """The names that a pickled array refers to. They stand for themselves and cannot be called."""

    RECONSTRUCT = "_reconstruct"
    FROMBUFFER = "_frombuffer"
    NDARRAY = "ndarray"
    DTYPE = "dtype"
    ENCODE = "encode"


_NAMES = {
    ("numpy.core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("numpy._core.multiarray", "_reconstruct"): _Name.RECONSTRUCT,
    ("numpy.core.numeric", "_frombuffer"): _Name.FROMBUFFER,
    ("numpy._core.numeric", "_frombuffer"): _Name.FROMBUFFER,
    ("numpy", "ndarray"): _Name.NDARRAY,
    ("numpy", "dtype"): _Name.DTYPE,
    ("_codecs", "encode"): _Name.ENCODE,
}
_NUMBERS = frozenset(["b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"])
# fmt: off
_CONSTANTS = frozenset([
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
])
# fmt: on
_VALUES: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_MARK = object()
_MAX_DIMENSIONS = 32


class _RefusedError(Exception):
    """The file asks for something that a file of arrays does not need."""


@dataclass(eq=False)
class _DType:
    code: str
    order: str = "="


@dataclass(eq=False)
class _Array:
    value: np.ndarray | None = None


class _Reader:
    """The stack machine: follows the instructions of one file."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}
        self.bytes_left = len(data)

    def run(self) -> Any:
        """Follow the instructions to the end and return what they built."""
        import pickletools  # two milliseconds that `import xpnet` need not spend

        for opcode, argument, position in pickletools.genops(self.data):
            if opcode.name == "STOP":
                if position is None or position + 1 != len(self.data):
                    raise _RefusedError("there are bytes after its end")
                return self.stack.pop()
            self._follow(opcode.name, argument)
        raise _RefusedError("it has no end")

    def _follow(self, name: str, argument: Any) -> None:
        match name:
            case "PROTO" | "FRAME":
                pass
            case _ if name in _CONSTANTS:
                self.stack.append(argument)
            case _ if name in _VALUES:
                self.stack.append(_VALUES[name])
            case "MARK":
                self.stack.append(_MARK)
            case "EMPTY_DICT":
                self.stack.append({})
            case "DICT":
                self.stack.append(_set_items({}, self._pop_to_mark()))
            case "SETITEM":
                items = self._pop(2)
                _set_items(self.stack[-1], items)
            case "SETITEMS":
                items = self._pop_to_mark()
                _set_items(self.stack[-1], items)
            case "TUPLE1" | "TUPLE2" | "TUPLE3":
                self.stack.append(tuple(self._pop(int(name[-1]))))
            case "TUPLE":
                self.stack.append(tuple(self._pop_to_mark()))
            case "PUT" | "BINPUT" | "LONG_BINPUT":
                self.memo[argument] = self.stack[-1]
            case "MEMOIZE":
                self.memo[len(self.memo)] = self.stack[-1]
            case "GET" | "BINGET" | "LONG_BINGET":
                self.stack.append(self.memo[argument])
            case "GLOBAL":
                self.stack.append(_look_up(*argument.split(" ", 1)))
            case "STACK_GLOBAL":
                self.stack.append(_look_up(*self._pop(2)))
            case "REDUCE":
                self.stack.append(self._call(*self._pop(2)))
            case "BUILD":
                (state,) = self._pop(1)
                self._fill(self.stack[-1], state)
            case _:
                raise _RefusedError(f"it holds the instruction {name}, which no file of arrays needs")

    def _pop(self, count: int) -> list[Any]:
        if len(self.stack) < count:
            raise IndexError("the stack is too short")
        values = self.stack[-count:]
        del self.stack[-count:]
        return values

    def _pop_to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _call(self, function: object, arguments: object) -> Any:
        """Return what the call would have built: the four calls of a pickled array, and no other."""
        match function, arguments:
            case _Name.RECONSTRUCT, (_Name.NDARRAY, (0,), b"b" | "b"):
                return _Array()
            case _Name.DTYPE, (str(code), _, _):
                if code not in _NUMBERS:
                    raise _RefusedError(f"it holds an array of dtype {code[:20]!r}, not of plain numbers")
                return _DType(code)
            case _Name.ENCODE, (str(text), "latin1"):
                return text  # encoded when the array is built, so that the size is counted once
            case _Name.FROMBUFFER, (
                bytes() | bytearray() as raw,
                _DType() as dtype,
                tuple(shape),
                str(order),
            ):
                return _Array(self._array(raw, dtype, shape, order))
        raise _RefusedError("it calls a function in a way that builds no array")

    def _fill(self, target: object, state: object) -> None:
        """Give a dtype its byte order or an array its contents."""
        match target, state:
            case _DType(), (int(), "<" | ">" | "|" as order, None, None, None, -1, -1, int()):
                target.order = order
            case _Array(None), (1, tuple(shape), _DType() as dtype, bool() | int() as fortran, raw):
                target.value = self._array(raw, dtype, shape, "F" if fortran else "C")
            case _:
                raise _RefusedError("it sets the state of something that is not a plain array")

    def _array(self, raw: object, dtype: _DType, shape: tuple[Any, ...], order: str) -> np.ndarray:
        """Return the array, in C order and the machine's byte order, once its size has been checked."""
        if isinstance(raw, str):  # Python 2 has one type for bytes and text
            raw = raw.encode("latin-1")
        if not isinstance(raw, bytes | bytearray):
            raise _RefusedError("it holds an array whose contents are not bytes")
        kind = np.dtype(dtype.order + dtype.code)
        lengths_fit = all(isinstance(length, int) and 0 <= length <= len(raw) for length in shape)
        if not lengths_fit or len(shape) > _MAX_DIMENSIONS or math.prod(shape) * kind.itemsize != len(raw):
            raise _RefusedError(
                f"it holds an array whose shape does not fit its {len(raw)} bytes of {kind.name}"
            )
        self.bytes_left -= len(raw)
        if self.bytes_left < 0:
            raise _RefusedError("its arrays are larger than the file")
        array = np.frombuffer(raw, dtype=kind).reshape(shape, order="F" if order == "F" else "C")
        return np.array(array, dtype=kind.newbyteorder("="), order="C")


def _look_up(module: object, name: object) -> _Name:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise _RefusedError("it names a function by something that is not text")
    try:
        return _NAMES[module, name]
    except KeyError:
        raise _RefusedError(
            f"it refers to '{module[:60]}.{name[:60]}', which is not part of an array"
        ) from None


def _set_items(target: object, items: list[Any]) -> dict[str, Any]:
    keys, values = items[::2], items[1::2]
    if not isinstance(target, dict) or len(keys) != len(values):
        raise _RefusedError("it sets items of something that is not a dict")
    if not all(isinstance(key, str) for key in keys):  # checked before any key is hashed
        raise _RefusedError("it holds a dict with a key that is not text")
    target.update(zip(keys, values, strict=True))
    return target


def _arrays_of(result: object) -> dict[str, np.ndarray]:
    if not isinstance(result, dict):
        raise _RefusedError("it does not hold a dict")
    arrays = {}
    for name, array in result.items():
        if not isinstance(array, _Array) or array.value is None:
            raise _RefusedError(f"its entry {name[:60]!r} is not an array")
        arrays[name] = array.value
    return arrays


def read_textbook_pickle(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read a pickled dict of arrays, such as the textbook's ``sample_weight.pkl``, as pure data.

    No code in the file is run and :mod:`pickle` is not used: a file that holds anything but a dict of
    plain numeric arrays is refused. Pickles of Python 2 and 3, of any protocol and of any NumPy are read,
    but for protocol 0 of Python 2, whose text cannot be told from bytes.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict of str to numpy.ndarray
        Name to array, as stored (``W1``, ``b1``, ``W2``, ...): C order, the machine's byte order, writable.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or holds anything else; the message says what.

    Examples
    --------
    >>> import pickle, tempfile
    >>> path = Path(tempfile.mkdtemp()) / "weights.pkl"
    >>> _ = path.write_bytes(pickle.dumps({"W1": np.ones((2, 3)), "b1": np.zeros(3)}))
    >>> read_textbook_pickle(path)["W1"].shape
    (2, 3)
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    try:
        with warnings.catch_warnings():
            # text of protocol 0 may hold odd escapes
            warnings.simplefilter("ignore", DeprecationWarning)
            return _arrays_of(_Reader(data).run())
    except _RefusedError as error:
        reason = str(error)
    except (ValueError, IndexError, KeyError) as error:
        reason = f"it is damaged or no pickle ({str(error)[:200]})"
    raise DataError(
        f"{path} was refused: {reason}. Expected a pickled dict of plain arrays (W1, b1, W2, ...)"
    )
