"""Replaying on NumPy: the recorded calls, bound once to buffers that never move.

Each call of the record becomes one ufunc call with ``out=``, in the same order and on the same values,
hence with the same bits as the step itself. Nothing is allocated while it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from xpnet.programs.blocks import Blocks, in_blocks
from xpnet.programs.functions import REDUCTIONS, VIEWS, ufunc_of
from xpnet.programs.lifetimes import Lifetimes
from xpnet.programs.tracing import Call, Record, Ref, Spec
from xpnet.trees import map_tree

Bound = Callable[[], Any]


class Replay:
    """A recorded function over fixed buffers.

    Parameters
    ----------
    record : Record
        What to replay, traced on NumPy arrays.
    inputs : mapping of int to array
        By the number of each input of the record, the buffer that it is read from.
    results : sequence of (int, array)
        The number of each result and the buffer that it must end in; an input's own buffer may be named, to
        carry a state from one run to the next. One value may be several results, and an input may be one.
    rows : int, optional
        The number of an input that holds row numbers of data, known to be in range.
    free : dict, optional
        Buffers to use, of a larger record whose block this is.
    """

    def __init__(
        self,
        record: Record,
        inputs: Mapping[int, np.ndarray],
        results: Sequence[tuple[int, np.ndarray]],
        rows: int | None = None,
        free: dict[int, list[np.ndarray]] | None = None,
    ) -> None:
        if free is None:
            record, free = in_blocks(record, [number for number, _ in results]), {}
        self._lifetimes = Lifetimes(record, {**inputs, **record.constants}, results, free)
        self._record, self._rows, self._free = record, rows, free
        self.calls: list[Bound] = []
        for position, call in enumerate(record.calls):
            self._bind(position, call)
        self._finish(results)
        self._lifetimes.release_all()

    def run(self) -> None:
        """Compute the results from what the inputs' buffers hold now."""
        for call in self.calls:
            call()

    def _bind(self, position: int, call: Call) -> None:
        if isinstance(call.function, Blocks):
            self._bind_blocks(position, call, call.function)
            return
        args, kwargs = self._storage_of(call.args), self._storage_of(call.kwargs)
        spec = self._record.specs[call.result]
        if call.name in VIEWS:
            view = call.function(*args, **kwargs)
            if np.shares_memory(view, args[0]):
                self._lifetimes.alias(call, view)
                return
        if call.name == "astype" and spec.dtype == args[0].dtype:
            self._lifetimes.alias(call, args[0])
            return
        if _is_exception(call, args, spec):
            self._bind_exception(position, call, args)
            return
        elementwise = ufunc_of(call.name) is not None and call.name != "matmul"
        out = self._lifetimes.allocate(position, call, may_overwrite=elementwise)
        if call.name == "take" and kwargs.get("axis") is not None and self._in_range(call):
            self.calls.append(partial(args[0].take, args[1], kwargs["axis"], out, "clip"))
        else:
            self.calls += _bound_calls(call, args, kwargs, out)

    def _bind_blocks(self, position: int, call: Call, blocks: Blocks) -> None:
        """Bind the calls of each block in turn: to its rows, and to the same buffers on the way."""
        storage = self._lifetimes.storage
        for number in blocks.results:
            room = Call("room for a result", call.function, (), {}, number)
            self._lifetimes.allocate(position, room, may_overwrite=False)
        outside = [ref.number for ref in call.args]
        for rows, record in blocks:
            inputs = {n: storage[n][rows] if n in blocks.cut else storage[n] for n in outside}
            results = [(number, storage[number][rows]) for number in blocks.results]
            self.calls += Replay(record, inputs, results, self._rows, self._free).calls
        self._lifetimes.release_dying(position, call)

    def _bind_exception(self, position: int, call: Call, args: Any) -> None:
        """Bind the choice of a constant in exceptional places: a copy into those alone."""
        condition, constant, other = args
        out = self._lifetimes.take_over(position, call, argument=2)
        if out is None:
            out = self._lifetimes.allocate(position, call, may_overwrite=False)
            self.calls.append(partial(np.copyto, out, other))
        self.calls.append(partial(np.copyto, out, np.asarray(constant, dtype=out.dtype), where=condition))

    def _in_range(self, call: Call) -> bool:
        """Tell whether a call takes the rows: only then may NumPy skip the check, which costs a copy."""
        return isinstance(call.args[1], Ref) and call.args[1].number == self._rows

    def _finish(self, results: Sequence[tuple[int, np.ndarray]]) -> None:
        """Bind the copies of results that did not end in their buffers by themselves."""
        copies: list[Bound] = []
        for number, buffer in results:
            value = self._lifetimes.storage[number]
            if value is buffer:
                continue
            if any(np.may_share_memory(value, target) for _, target in results):
                kept = np.empty_like(value)  # or another copy might overwrite it first
                self.calls.append(partial(np.copyto, kept, value))
                value = kept
            copies.append(partial(np.copyto, buffer, value))
        self.calls += copies

    def _storage_of(self, arguments: Any) -> Any:
        storage = self._lifetimes.storage
        return map_tree(lambda item: storage[item.number] if isinstance(item, Ref) else item, arguments)


def _is_exception(call: Call, args: Any, spec: Spec) -> bool:
    """Tell whether a call is ``where(condition, constant, array)``, which is written so where few are chosen.

    A copy by mask is as fast as reading the mask where hardly any element is chosen, and slow where every
    second one is: ``where(condition, array, constant)`` is for those.
    """
    if call.name != "where" or isinstance(call.args[1], Ref) or not isinstance(call.args[2], Ref):
        return False
    return args[2].shape == spec.shape and args[2].dtype == spec.dtype


def _bound_calls(call: Call, args: Any, kwargs: dict[str, Any], out: np.ndarray) -> list[Bound]:
    """Return the calls that compute one recorded call into a buffer."""
    ufunc = ufunc_of(call.name)
    if ufunc is not None:
        return [_bound_ufunc(ufunc, args, out)]
    if call.name in REDUCTIONS and "dtype" not in kwargs:
        reduce = REDUCTIONS[call.name].reduce
        return [partial(reduce, args[0], kwargs.get("axis"), None, out, kwargs.get("keepdims", False))]
    if call.name == "where" and all(getattr(arg, "dtype", out.dtype) == out.dtype for arg in args[1:]):
        condition, chosen, other = args
        return _selection(condition, chosen, other, out, constant=not isinstance(call.args[2], Ref))
    if call.name in ("stack", "concat"):
        return _joined(args[0], kwargs.get("axis", 0), out, stacked=call.name == "stack")
    if call.name == "reshape":
        return [partial(np.copyto, out.reshape(args[0].shape), args[0])]
    if call.name == "astype":
        return [partial(np.copyto, out, args[0], casting="unsafe")]
    return [partial(_compute_into, out, call.function, args, kwargs)]


def _bound_ufunc(ufunc: Callable[..., Any], args: Any, out: np.ndarray) -> Bound:
    """Return the call of a ufunc, in the form that NumPy begins with quickest: by half a microsecond."""
    dtypes = {arg.dtype for arg in args if hasattr(arg, "dtype")}
    if len(dtypes) == 1 and (dtype := dtypes.pop()).kind in "if":  # what NumPy makes of a number beside it
        weak = (int,) if dtype.kind == "i" else (int, float)
        args = [np.asarray(arg, dtype=dtype) if type(arg) in weak else arg for arg in args]
    if ufunc in (np.maximum, np.minimum):  # their third positional argument is deprecated
        return partial(ufunc, *args, out=out)
    return partial(ufunc, *args, out)


def _joined(parts: Sequence[np.ndarray], axis: int, out: np.ndarray, stacked: bool) -> list[Bound]:
    """Return the copies of parts to their places; a single one where they are views at regular distances."""
    places = np.moveaxis(out, axis, 0)
    if stacked and (lattice := _lattice(parts)) is not None:
        return [partial(np.copyto, places.reshape(lattice.shape), lattice)]
    along = [part[np.newaxis] if stacked else np.moveaxis(part, axis, 0) for part in parts]
    borders = np.cumsum([len(part) for part in along])[:-1]
    return [partial(np.copyto, *pair) for pair in zip(np.split(places, borders), along, strict=True)]


def _lattice(parts: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return parts as one view of their common base, shape (m, n, *part), where they lie in a lattice."""
    first = parts[0]
    if any(part.base is not first.base or _layout(part) != _layout(first) for part in parts):
        return None
    steps = np.diff([part.__array_interface__["data"][0] for part in parts])
    n = 1 + next((i for i, step in enumerate(steps) if step != steps[0]), len(steps))
    period = steps[:n]
    if first.base is None or len(parts) % n or np.any(np.resize(period, len(steps)) != steps):
        return None
    outer = int(period.sum()) if n < len(parts) else 0
    strides = (outer, int(steps[0]) if n > 1 else 0, *first.strides)
    return as_strided(first, (len(parts) // n, n, *first.shape), strides, writeable=False)


def _layout(part: np.ndarray) -> tuple[Any, ...]:
    return part.shape, part.strides, part.dtype


def _selection(
    condition: np.ndarray, chosen: Any, other: Any, out: np.ndarray, constant: bool
) -> list[Bound]:
    """Return calls that choose bit by bit, ``other ^ ((chosen ^ other) & mask)``.

    ``np.where`` and its kin branch on each element: 14 times slower where the processor cannot guess.
    """
    integer = np.dtype(f"i{out.itemsize}")
    bits = out.view(integer)
    a, b = (np.asarray(value, dtype=out.dtype).view(integer) for value in (chosen, other))
    mask = np.empty(condition.shape, dtype=integer)  # 0 or, all bits set, -1
    calls = [partial(np.copyto, mask, condition), partial(np.negative, mask, out=mask)]
    if constant and not b.any():
        return [*calls, partial(np.bitwise_and, a, mask, out=bits)]
    return [
        *calls,
        partial(np.bitwise_xor, a, b, out=bits),
        partial(np.bitwise_and, bits, mask, out=bits),
        partial(np.bitwise_xor, bits, b, out=bits),
    ]


def _compute_into(out: np.ndarray, function: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> None:
    """Compute what has no form with a buffer, and copy it there."""
    np.copyto(out, function(*args, **kwargs))
