"""A call on the tape, and the way back through it. Here, and nowhere else, broadcasting is undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from xpnet.nn.tape.table import Kind

Array = Any


class Source(NamedTuple):
    """An argument with a gradient: its number on the tape, and what its gradient must look like."""

    number: int
    shape: tuple[int, ...]
    dtype: Any


@dataclass(slots=True)
class Entry:
    """A call; it holds those arrays alone that the way back mentions.

    Attributes
    ----------
    kind : Kind
        How gradients are handed to it.
    several : bool
        Whether it has a list of results.
    numbers : range
        Of its results.
    shapes : list of tuple of int
        Of its results.
    sources : list of Source
        Its arguments with gradients.
    pulls : list of callable
        For each source, the function from the gradient of the result to its own; of a joint rule one, from
        the list of gradients of the results, or the one, to the list of those of all sources.
    """

    kind: Kind
    several: bool
    numbers: range
    shapes: list[tuple[int, ...]]
    sources: list[Source]
    pulls: list[Callable[..., Any]]

    def back(self, xp: Any, given: list[Array | None], needed: set[int]) -> Iterator[tuple[int, Array]]:
        """Yield numbers and gradients of needed sources, from the gradients of the results, one at least."""
        elementwise = self.kind is Kind.ELEMENTWISE
        g: Any = given[0]
        if self.several:
            g = [_whole(xp, part, shape, given) for part, shape in zip(given, self.shapes, strict=True)]
        elif not elementwise:
            g = _whole(xp, g, self.shapes[0], given)
        joint = self.pulls[0](g) if self.kind is Kind.JOINT else None
        for position, source in enumerate(self.sources):
            if source.number in needed:
                gradient = self.pulls[position](g) if joint is None else joint[position]
                if elementwise and source.shape != self.shapes[0] != gradient.shape:
                    gradient = xp.broadcast_to(
                        gradient, self.shapes[0]
                    )  # to be added up along what it repeats
                if gradient is not None:
                    yield source.number, _fitted(xp, gradient, source)


def _whole(xp: Any, g: Array | None, shape: tuple[int, ...], given: list[Array | None]) -> Array:
    """Return the gradient of a result in the result's own shape; zeros where nothing depends on it."""
    if g is None:
        other = next(part for part in given if part is not None)
        return xp.zeros(shape, dtype=other.dtype, device=getattr(other, "device", None))
    return g if g.shape == shape else xp.broadcast_to(g, shape)


def _fitted(xp: Any, gradient: Array, source: Source) -> Array:
    """Undo broadcasting, and the promotion of dtypes: return a gradient that broadcasts to its array's shape.

    Where a gradient is the same along an axis it may have the length 1 there: nothing is written out that
    need not be.
    """
    shape = source.shape
    if gradient.shape != shape:
        extra = len(gradient.shape) - len(shape)
        if extra > 0:
            gradient = xp.sum(gradient, axis=tuple(range(extra)))
        offset = len(shape) - len(gradient.shape)
        axes = tuple(i for i, n in enumerate(gradient.shape) if n != 1 and shape[i + offset] == 1)
        if axes:
            gradient = xp.sum(gradient, axis=axes, keepdims=True)
    return gradient if gradient.dtype == source.dtype else xp.astype(gradient, source.dtype)
