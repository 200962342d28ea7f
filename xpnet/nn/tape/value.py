"""The stand-in for an array while a function is recorded: the standard's operators and indexing."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from xpnet.errors import InvalidInputError
from xpnet.nn.tape.indexing import gather, has_arrays, is_mask
from xpnet.operators import add_operators

Array = Any


class NotDifferentiableError(InvalidInputError, TypeError):
    """A gradient was asked for that is not there; the message names the function."""


class NoSuchAttributeError(NotDifferentiableError, AttributeError):
    """An array's method was called within a function that is differentiated."""


class Taped:
    """A stand-in for an array.

    Parameters
    ----------
    tape : Tape
        What records the functions of it.
    value : array
        What it stands for: the library's own, or the stand-in of a tape further out.
    number : int or None
        Its value's number on the tape; None for a constant.
    """

    __slots__ = ("number", "tape", "value")
    shape: tuple[int, ...]
    __array_ufunc__ = (
        None  # arrays leave mixed operations to the methods below, and so do stand-ins of tracing
    )
    __array_priority__ = 1e6
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, tape: Any, value: Array, number: int | None) -> None:
        self.tape, self.value, self.number = tape, value, number

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python and the libraries look for
            raise AttributeError(name)
        raise NoSuchAttributeError(
            f"the tape does not know the method or attribute {name!r} of an array: call a function of the"
            " namespace, xp"
        )

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    def __array_namespace__(self, api_version: str | None = None) -> Any:
        """Return the namespace that records."""
        return self.tape

    def __getitem__(self, key: Any) -> Taped:
        parts = key if isinstance(key, tuple) else (key,)
        if any(map(is_mask, parts)):
            raise NotDifferentiableError(
                "x[mask] has no gradient here, since its shape depends on values: choose with xp.where"
            )
        if any(map(has_arrays, parts)):
            return gather(self.tape, self, parts)
        return self.tape.call("getitem", operator.getitem, (self, key), {})

    def __setitem__(self, key: Any, value: Any) -> NoReturn:
        raise NotDifferentiableError("a function must not assign into an array: choose with xp.where")

    def __iter__(self) -> Iterator[Any]:
        raise NotDifferentiableError(
            "a function must not go through an array's elements: take it apart with xp.unstack"
        )

    def __len__(self) -> int:
        return int(self.shape[0])

    def __bool__(self) -> bool:
        return bool(self._constant("if"))

    def __int__(self) -> int:
        return int(self._constant("int()"))

    def __float__(self) -> float:
        return float(self._constant("float()"))

    def __index__(self) -> int:
        return operator.index(self._constant("as an index"))

    def __repr__(self) -> str:
        return f"Taped({self.value!r})"

    def _constant(self, wish: str) -> Array:
        if self.number is not None:
            raise NotDifferentiableError(
                f"a value that is read ({wish}) would lose its gradient: compute with arrays, or read"
                " xpnet.stop_gradient(x)"
            )
        return self.value


for _name in ("shape", "dtype", "ndim", "device"):
    setattr(Taped, _name, property(operator.attrgetter(f"value.{_name}")))


def _operator(name: str, function: Callable[..., Any] | None, swapped: bool = False) -> Callable[..., Any]:
    """Return the method of an operator; without a function the one of the namespace is called."""

    def method(self: Taped, *other: Any) -> Any:
        tape = self.tape
        if other and isinstance(other[0], Taped) and other[0].tape.level > tape.level:
            tape = other[0].tape
        args = (*other, self) if swapped else (self, *other)
        return tape.call(name, function or getattr(tape.inner, name), args, {})

    return method


# What is the library's own operator for arrays stays so: it is computed alike with and without a tape.
add_operators(Taped, _operator)
# These differ from library to library; the namespace knows best.
for _name, _standard in {
    "truediv": "divide",
    "matmul": "matmul",
    "pow": "pow",
    "floordiv": "floor_divide",
    "mod": "remainder",
}.items():
    setattr(Taped, f"__{_name}__", _operator(_standard, None))
    setattr(Taped, f"__r{_name}__", _operator(_standard, None, swapped=True))
