"""Blocks of rows: what acts row by row on large arrays is done on some rows first, then on the next.

What is computed on the way stays near the processor and never takes the room of all rows. Each row is
computed as before, hence with the same bits. What mixes rows, as sums over samples, comes before or after.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from xpnet.programs.functions import VIEWS
from xpnet.programs.lifetimes import references
from xpnet.programs.rows import Rows, by_rows, in_block
from xpnet.programs.tracing import Call, Record, Ref, Spec
from xpnet.trees import leaves

LARGE = 2**18
"""Bytes from which on an array is worth it."""
ROOM = 2**20
"""Bytes that the largest array of a block may take: about the second cache of a core."""


@dataclass(frozen=True)
class Blocks:
    """Calls that are made block by block.

    Attributes
    ----------
    record : Record
        What they are from.
    calls : list of Call
        With their `Rows` marked.
    cut : set of int
        The numbers of the values that have rows; other values are there as a whole.
    results : list of int
        The numbers of the values that others need.
    rows : int
        How many there are in all.
    step : int
        How many there are in a block.
    """

    record: Record
    calls: list[Call]
    cut: set[int]
    results: list[int]
    rows: int
    step: int

    def __iter__(self) -> Iterator[tuple[slice, Record]]:
        """Yield each block's rows and its record."""
        for start in range(0, self.rows, self.step):
            rows = slice(start, min(start + self.step, self.rows))
            specs = list(self.record.specs)
            for number in self.cut:
                specs[number] = specs[number]._replace(shape=(rows.stop - start, *specs[number].shape[1:]))
            yield rows, Record([in_block(call, rows) for call in self.calls], specs)


def in_blocks(record: Record, kept: Sequence[int]) -> Record:
    """Return the record with calls gathered in blocks, each as one call whose function is `Blocks`.

    Parameters
    ----------
    record : Record
        What is to be computed.
    kept : sequence of int
        The numbers of the values that are its results.
    """
    made: list[Call] = []
    rest = record.calls
    while rest:
        if _bytes(record.specs[rest[0].result]) < LARGE or by_rows(rest[0], record.specs) is None:
            made, rest = [*made, rest[0]], rest[1:]
            continue
        group = _Group(record, rest, set(kept))
        made += [*group.before, *group.as_blocks()]
        rest = group.after
    return replace(record, calls=made)


class _Group:
    """The calls that can be made block by block together with the first one, and those before and after.

    Parameters
    ----------
    record : Record
        What is to be computed.
    calls : sequence of Call
        Those of it that are left.
    kept : set of int
        The numbers of its results.
    """

    def __init__(self, record: Record, calls: Sequence[Call], kept: set[int]) -> None:
        self._record, self._kept = record, kept
        self._rows = record.specs[calls[0].result].shape[0]
        self._inside: dict[int, Call] = {}  # by the number of the result, the call with its rows marked
        self._late: set[int] = set()
        self._cut: set[int] = set()
        self._whole: set[int] = set()
        for call in calls:
            self._place(call)
        self._put_off(calls)
        self.calls = [call for call in calls if call.result in self._inside]
        self.after = [call for call in calls if call.result in self._late]
        self.before = [call for call in calls if call.result not in {*self._inside, *self._late}]

    def as_blocks(self) -> list[Call]:
        """Return the group as one call, with the views of its results that others need; or its calls."""
        computed = [call for call in self.calls if call.name not in VIEWS]
        widest = max((_bytes(self._record.specs[call.result], 1) for call in computed), default=0)
        step = max(1, ROOM // max(widest, 1))
        needed = self._kept.union(*map(_reads, (*self.before, *self.after)))
        views = []
        for call in reversed(self.calls):
            if call.name in VIEWS and call.result in needed:
                views.append(call)
                needed |= _reads(call)
        results = [call.result for call in computed if call.result in needed]
        if len(computed) < 2 or step >= self._rows or not results:
            return self.calls
        marked = [self._inside[call.result] for call in self.calls]
        blocks = Blocks(self._record, marked, self._cut, results, self._rows, step)
        outside = set().union(*map(_reads, self.calls)) - self._inside.keys()
        inputs = tuple(map(Ref, sorted(outside)))
        # What binds calls asks for this function by its kind, and does not call it.
        return [Call("blocks", blocks, inputs, {}, results[-1]), *reversed(views)]  # type: ignore[arg-type]

    def _place(self, call: Call) -> None:
        """Put a call into the group, or before it where it reads nothing of it, or after."""
        reads = _reads(call)
        marked = None if reads & self._late else self._joining(call, reads)
        if marked is not None:
            self._inside[call.result] = marked
        elif reads & (self._late | self._inside.keys()):
            self._late.add(call.result)

    def _joining(self, call: Call, reads: set[int]) -> Call | None:
        """Return a call with its rows marked where it can go into the group and is worth it; else None."""
        spec = self._record.specs[call.result]
        marked = by_rows(call, self._record.specs)
        if marked is None or spec.shape[0] != self._rows:
            return None
        if not (reads & self._inside.keys() or _bytes(spec) >= LARGE):
            return None
        cut = _reads_by_rows(marked)
        whole = reads - cut
        if not cut or whole & {*self._cut, *self._inside} or cut & self._whole:
            return None
        self._cut |= {*cut, call.result}
        self._whole |= whole
        return marked

    def _put_off(self, calls: Sequence[Call]) -> None:
        """Leave to a later group what only calls of it read, row by row, and what was recorded so late.

        What the backward pass makes anew of values of the forward pass would be kept for it otherwise.
        """
        late = [call.result in self._late for call in calls]
        readers: dict[int, list[Call]] = {}
        for call in reversed(calls[late.index(True) :] if True in late else []):
            known = readers.get(call.result, [])
            goes_on = all(other.result in self._late and self._goes_on(other, call) for other in known)
            if known and goes_on and call.result in self._inside and call.result not in self._kept:
                del self._inside[call.result]
                self._late.add(call.result)
            for number in _reads(call):
                readers.setdefault(number, []).append(call)

    def _goes_on(self, reader: Call, call: Call) -> bool:
        """Tell whether a reader acts row by row on what a call makes."""
        marked = by_rows(reader, self._record.specs)
        return marked is not None and call.result in _reads_by_rows(marked)


def _reads(call: Call) -> set[int]:
    return set(references((call.args, call.kwargs)))


def _reads_by_rows(marked: Call) -> set[int]:
    rows = [item.of for item in leaves(marked.args) if isinstance(item, Rows)]
    return {item.number for item in rows if isinstance(item, Ref)}


def _bytes(spec: Spec, first: int = 0) -> int:
    """Return the bytes of a value, or of one row of it where the first axis is left out."""
    return math.prod(spec.shape[first:]) * spec.dtype.itemsize
