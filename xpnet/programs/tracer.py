"""The stand-in for an array while a function is traced: it records, and refuses what is not portable."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from xpnet.operators import add_operators
from xpnet.programs.step import StepError

Array = Any

_ATTRIBUTES = ("shape", "dtype", "ndim", "size", "device")


class NoSuchMethodError(StepError, AttributeError):
    """An array's method was called within a step."""


class Tracer:
    """A stand-in for an array.

    Parameters
    ----------
    record : Record
        Where calls go.
    value : array
        What it stands for.
    number : int or None
        Its value's number in the record; None for a constant.
    """

    __array_ufunc__ = None  # NumPy's arrays leave mixed operations to the methods below
    __array_priority__ = 1e5  # more than any library's arrays, less than the tape's
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, record: Any, value: Array, number: int | None) -> None:
        self.record, self.value, self.number = record, value, number

    def __getattr__(self, name: str) -> Any:
        if name in _ATTRIBUTES:
            return getattr(self.value, name)
        if name.startswith("__"):  # what Python and the libraries look for
            raise AttributeError(name)
        raise NoSuchMethodError(
            f"a step must not use the method or attribute {name!r} of an array, which not every library has:"
            " call a function of the namespace, xp"
        )

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if any(isinstance(part, Tracer) and "bool" in str(part.dtype) for part in parts):
            raise StepError(
                "a step must not choose elements by a mask, whose number changes from iteration to iteration:"
                " choose with xp.where"
            )
        return self.record.call("getitem", operator.getitem, (self, key), {})

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise StepError("a step must not assign into an array, which JAX cannot: choose with xp.where")

    def __iter__(self) -> Iterator[Any]:
        raise StepError("a step must not go through an array's elements: take it apart with xp.unstack")

    def __len__(self) -> int:
        return int(self.shape[0])

    def __bool__(self) -> bool:
        return bool(self._known("if"))

    def __int__(self) -> int:
        return int(self._known("int()"))

    def __float__(self) -> float:
        return float(self._known("float()"))

    def _known(self, wish: str) -> Array:
        """Return the value where it is a constant."""
        if self.number is not None:
            raise StepError(
                f"a traced step must not read values ({wish}), which change from iteration to iteration:"
                " choose with xp.where"
            )
        return self.value


def _operator(name: str, function: Callable[..., Any], swapped: bool = False) -> Callable[..., Any]:
    def method(self: Tracer, *other: Any) -> Any:
        if other and getattr(other[0], "__array_priority__", 0.0) > Tracer.__array_priority__:
            return NotImplemented  # a tape's stand-in, which holds tracers
        return self.record.call(name, function, (*other, self) if swapped else (self, *other), {})

    return method


def _refusal(sign: str, instead: str) -> Callable[..., Any]:
    def method(self: Tracer, *other: Any) -> NoReturn:
        raise StepError(
            f"a step must not use the operator {sign} on arrays, which is not the same on every library:"
            f" write {instead}"
        )

    return method


add_operators(Tracer, _operator)
_IN_PLACE = {"add": "+=", "sub": "-=", "mul": "*=", "and": "&=", "or": "|=", "xor": "^="}
for _name, _sign in _IN_PLACE.items():
    setattr(
        Tracer, f"__i{_name}__", _refusal(_sign, f"x = x {_sign[0]} y, which leaves others' arrays alone")
    )
for _name, _sign, _instead in (
    ("matmul", "@", "xp.matmul(a, b)"),
    ("truediv", "/", "xp.divide(a, b)"),
    ("floordiv", "//", "xp.floor_divide(a, b)"),
    ("mod", "%", "xp.remainder(a, b)"),
    ("pow", "**", "xp.square(x), or xp.pow(a, b)"),
):
    for _prefix in ("", "r", "i"):
        setattr(Tracer, f"__{_prefix}{_name}__", _refusal(_sign, _instead))
