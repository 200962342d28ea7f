"""Buffers for the values of a record: each lives until its last reader, then its memory is used again."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from xpnet.programs.tracing import Call, Record, Ref
from xpnet.trees import leaves


class Lifetimes:
    """Which buffer holds which value of a record, handed out in the order of its calls.

    Parameters
    ----------
    record : Record
        The calls.
    inputs : mapping of int to array
        The buffers of the inputs.
    results : sequence of (int, array)
        The buffers that results must end in.
    free : dict of int to list of array
        By their bytes, flat buffers that nobody reads any more; they go back there at the end.

    Attributes
    ----------
    storage : dict of int to array
        By value, the buffer or the view of one that holds it.
    """

    def __init__(
        self,
        record: Record,
        inputs: Mapping[int, np.ndarray],
        results: Sequence[tuple[int, np.ndarray]],
        free: dict[int, list[np.ndarray]],
    ) -> None:
        self.storage: dict[int, np.ndarray] = dict(inputs)
        self._record, self._results = record, dict(results)
        self._root = {number: number for number in inputs}  # value -> the value whose buffer it shares
        self._inputs = {id(buffer): number for number, buffer in inputs.items()}
        self._last_read = last_reads(record)
        self._free = free
        self._owned: dict[int, np.ndarray] = {}  # value -> its flat buffer
        self._kept = set(self._results)

    def alias(self, call: Call, view: np.ndarray, argument: int = 0) -> None:
        """Let a value share the buffer of one of the call's arguments."""
        source = self._root[call.args[argument].number]
        self.storage[call.result] = view
        self._root[call.result] = source
        self._last_read[source] = max(self._last_read[source], self._last_read[call.result])
        if call.result in self._kept:
            self._kept.add(source)

    def take_over(self, position: int, call: Call, argument: int) -> np.ndarray | None:
        """Return the buffer of an argument that nobody else needs, to be changed into the result; or None."""
        root = self._root[call.args[argument].number]
        dying = self._dying(position, call)
        if root not in dying or call.result in self._results:
            return None
        buffer = self.storage[call.args[argument].number]
        self._release([other for other in dying if other != root])
        self.alias(call, buffer, argument)
        return buffer

    def allocate(self, position: int, call: Call, may_overwrite: bool) -> np.ndarray:
        """Return the buffer of a call's result, which may be that of an argument that dies here."""
        dying = self._dying(position, call)
        if may_overwrite:
            self._release(dying)
        target = self._results.get(call.result)
        if target is not None and self._may_write(target, position, may_overwrite):
            out = target
        else:
            out = self._new(call.result)
        if not may_overwrite:
            self._release(dying)
        self.storage[call.result] = out
        self._root[call.result] = call.result
        return out

    def release_dying(self, position: int, call: Call) -> None:
        """Give back the buffers of arguments that nobody reads any more."""
        self._release(self._dying(position, call))

    def release_all(self) -> None:
        """Give back all buffers, to whatever is computed when this is over."""
        self._release(list(self._owned))

    def _may_write(self, target: np.ndarray, position: int, may_overwrite: bool) -> bool:
        """Tell whether nobody needs any more what an input's own buffer holds."""
        owner = self._inputs.get(id(target))
        if owner is None:
            return True
        if owner in self._kept:  # what the input holds is a result itself
            return False
        last = self._last_read[owner]
        return last < position or (last == position and may_overwrite)

    def _dying(self, position: int, call: Call) -> list[int]:
        roots = {self._root[number] for number in references((call.args, call.kwargs))}
        return [
            root
            for root in sorted(roots)
            if self._last_read[root] == position and root in self._owned and root not in self._kept
        ]

    def _release(self, roots: list[int]) -> None:
        for root in roots:
            flat = self._owned.pop(root)
            self._free.setdefault(flat.nbytes, []).append(flat)

    def _new(self, number: int) -> np.ndarray:
        spec = self._record.specs[number]
        size = math.prod(spec.shape) * spec.dtype.itemsize
        free = self._free.get(size)
        flat = free.pop() if free else np.empty(size, dtype=np.uint8)
        self._owned[number] = flat
        values = flat.view(spec.dtype)
        # In the order that the library itself chose: BLAS may round another way for another one.
        laid = values.reshape([spec.shape[axis] for axis in spec.order])
        return laid.transpose(np.argsort(spec.order))


def last_reads(record: Record) -> dict[int, int]:
    """Return by value the position of the last call that reads it; -1 where none does."""
    last = dict.fromkeys(range(len(record.specs)), -1)
    for position, call in enumerate(record.calls):
        for number in references((call.args, call.kwargs)):
            last[number] = position
    return last


def references(item: Any) -> list[int]:
    """Return the numbers of the traced values in nested arguments."""
    return [leaf.number for leaf in leaves(item) if isinstance(leaf, Ref)]
