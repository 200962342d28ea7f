"""Which calls act row by row: a block of rows of the result is the same call on that block of the arguments.

Each rule knows one kind of call and returns the call with what has rows marked, or None where rows mix, or
where the rule does not know the form of the call: then it stays whole, which is always right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from xpnet.programs.functions import ufunc_of
from xpnet.programs.tracing import Call, Ref, Spec
from xpnet.trees import map_tree

Specs = Sequence[Spec]


class Rows:
    """What stands in a call's arguments for something that has as many rows as the result.

    Parameters
    ----------
    of : Ref, array or tuple of int
        A traced value, a constant, or a shape.
    """

    def __init__(self, of: Any) -> None:
        self.of = of

    @cached_property
    def constant(self) -> np.ndarray:
        """The constant; where its rows are alike, one of them in all places: it stays near the processor."""
        alike = self.of.shape[0] > 1 and np.array_equal(self.of[1:], self.of[:-1])
        return np.broadcast_to(self.of[:1], self.of.shape) if alike else self.of


def by_rows(call: Call, specs: Specs) -> Call | None:
    """Return a call with its `Rows` marked, or None where it does not act row by row.

    Parameters
    ----------
    call : Call
        As recorded.
    specs : sequence of Spec
        Of all values of its record.

    Examples
    --------
    >>> specs = [Spec((3, 2), np.dtype("f4"), (0, 1)), Spec((3, 2), np.dtype("f4"), (0, 1))]
    >>> by_rows(Call("exp", np.exp, (Ref(0),), {}, 1), specs).args[0].of
    Ref(number=0)
    >>> by_rows(Call("cumulative_sum", np.cumsum, (Ref(0),), {"axis": 0}, 1), specs)
    """
    spec = specs[call.result]
    rule = _RULES.get(call.name, _elementwise if _is_elementwise(call.name) else None)
    if rule is None or not spec.shape or spec.order[0] != 0:
        return None
    args = rule(call, specs)
    return None if args is None else replace(call, args=args)


def in_block(call: Call, rows: slice) -> Call:
    """Return the call for a block of rows; what it computes with, the traced values, is bound later."""

    def cut(item: Any) -> Any:
        if not isinstance(item, Rows):
            return item
        if isinstance(item.of, tuple):
            return (rows.stop - rows.start, *item.of[1:])
        return item.of if isinstance(item.of, Ref) else item.constant[rows]

    return replace(call, args=map_tree(cut, call.args))


def _is_elementwise(name: str) -> bool:
    return name in ("where", "astype") or (name != "matmul" and ufunc_of(name) is not None)


def _shape_of(item: Any, specs: Specs) -> tuple[int, ...]:
    return specs[item.number].shape if isinstance(item, Ref) else np.shape(item)


def _elementwise(call: Call, specs: Specs) -> Any:
    """Mark the arguments that are not broadcast along the rows."""
    shape = specs[call.result].shape

    def marked(item: Any) -> Any:
        own = _shape_of(item, specs) if isinstance(item, Ref | np.ndarray) else ()
        return Rows(item) if len(own) == len(shape) and own[0] == shape[0] else item

    return tuple(map(marked, call.args))


def _product(call: Call, specs: Specs) -> Any:
    """Mark stacks of matrices, whose rows are matrices."""
    return _elementwise(call, specs) if len(specs[call.result].shape) > 2 else None


def _view(call: Call, specs: Specs) -> Any:
    """Mark the one array of a function that leaves its first axis where it is."""
    return (Rows(call.args[0]), *call.args[1:])


def _part(call: Call, specs: Specs) -> Any:
    _, key = call.args
    plain = isinstance(key, tuple) and all(isinstance(part, slice | int) for part in key)
    return _view(call, specs) if plain and key[0] == slice(None) else None


def _reshaped(call: Call, specs: Specs) -> Any:
    array, *shape = call.args
    rows = specs[call.result].shape[0]
    if call.kwargs or len(shape) != 1 or _shape_of(array, specs)[:1] != (rows,) or rows == 0:
        return None
    return Rows(array), Rows(specs[call.result].shape)


def _permuted(call: Call, specs: Specs) -> Any:
    return _view(call, specs) if not call.kwargs and call.args[1][0] == 0 else None


def _transposed(call: Call, specs: Specs) -> Any:
    return _view(call, specs) if len(specs[call.result].shape) > 2 else None


def _reduced(call: Call, specs: Specs) -> Any:
    axis = call.kwargs.get("axis")
    axes = axis if isinstance(axis, tuple) else (axis,)
    first = -len(_shape_of(call.args[0], specs))
    return (
        _view(call, specs) if None not in axes and not {0, first} & {*axes} and len(call.args) == 1 else None
    )


def _joined(call: Call, specs: Specs) -> Any:
    (parts,) = call.args if len(call.args) == 1 else (None,)
    axis = call.kwargs.get("axis", 0)
    if parts is None or axis % len(specs[call.result].shape) == 0:
        return None
    return ([Rows(part) for part in parts],)


def _taken(call: Call, specs: Specs) -> Any:
    """Mark the numbers of rows of data."""
    if call.kwargs.get("axis") != 0 or len(call.args) != 2 or len(_shape_of(call.args[1], specs)) != 1:
        return None
    return call.args[0], Rows(call.args[1])


_RULES: dict[str, Callable[[Call, Specs], Any]] = {
    "concat": _joined,
    "flip": _reduced,
    "getitem": _part,
    "matmul": _product,
    "matrix_transpose": _transposed,
    "max": _reduced,
    "min": _reduced,
    "permute_dims": _permuted,
    "reshape": _reshaped,
    "stack": _joined,
    "sum": _reduced,
    "take": _taken,
}
