"""The tape itself: a namespace that notes its calls, and the way back through them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import ModuleType
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.nn.tape.entry import Entry, Source
from xpnet.nn.tape.table import COMPOSED, CONSTANT, KEYWORDS, OF_SEQUENCES, VJPS, Kind
from xpnet.nn.tape.value import NotDifferentiableError, Taped
from xpnet.trees import Tree, in_order_of, leaves, like, map_tree

Array = Any

_LEVELS = itertools.count()


class Tape:
    """An Array API namespace that computes with another one and notes what has gradients.

    All arrays that it makes are stand-ins, `Taped`. Only calls that depend on a watched array are noted.

    Parameters
    ----------
    inner : namespace
        What computes: the library's own, the exact one, a recording one, or a tape further out.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.level = next(_LEVELS)
        self.entries: list[Entry] = []
        self._count = 0
        self._floating: dict[Any, bool] = {}

    def watch(self, value: Array) -> Taped:
        """Return a stand-in for an array whose gradient will be asked for."""
        self._count += 1
        return Taped(self, value, self._count)

    def constant(self, value: Any) -> Any:
        """Return a stand-in for an array without a gradient; anything else as it is."""
        return Taped(self, value, None) if hasattr(value, "shape") and hasattr(value, "dtype") else value

    def value_of(self, item: Any) -> Any:
        """Return what a stand-in of this tape stands for; anything else as it is."""
        return item.value if isinstance(item, Taped) and item.tape is self else item

    def is_floating(self, dtype: Any) -> bool:
        """Tell whether arrays of a dtype have gradients."""
        known = self._floating.get(dtype)
        if known is None:
            known = self._floating[dtype] = bool(self.inner.isdtype(dtype, "real floating"))
        return known

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self.inner, name)
        if isinstance(attribute, ModuleType):
            return _Extension(self, attribute)
        return self.recorded(name, attribute)

    def recorded(self, name: str, attribute: Any) -> Any:
        """Return what stands for an attribute of the namespace: of a function the one that records."""
        if name.startswith("_") or isinstance(attribute, type) or not callable(attribute):
            return attribute
        if name in COMPOSED:
            return partial(COMPOSED[name], self)
        if name in OF_SEQUENCES:
            return partial(self._of_sequence, name, attribute)
        return partial(self._call, name, attribute)

    def _call(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return self.call(name, function, args, kwargs)

    def call(
        self, name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Compute a call, and note it where an argument has a gradient."""
        if kwargs and name in KEYWORDS:
            args = (*args, *(kwargs.pop(key, None) for key in KEYWORDS[name][len(args) - 1 :]))
        values, sources, positions = [], [], []
        for position, arg in enumerate(args):
            if isinstance(arg, Taped):
                if arg.tape is self:
                    value = arg.value
                    if arg.number is not None:
                        sources.append(Source(arg.number, value.shape, value.dtype))
                        positions.append(position)
                    values.append(value)
                    continue
                if arg.tape.level > self.level:  # a function further out was called on an array further in
                    return getattr(arg.tape, name)(*args, **kwargs)
            values.append(arg)
        if kwargs:
            kwargs = {key: self.value_of(value) for key, value in kwargs.items()}
        if name not in VJPS:  # it may take lists of arrays
            values = map_tree(self.value_of, values)
        results = function(*values, **kwargs)
        if not sources or name in CONSTANT:
            return map_tree(self.constant, results)
        if name not in VJPS or not self.is_floating(_first(results).dtype):
            return self._without_gradient(name, results)
        kind, rules = VJPS[name]
        pulls = [rules[position](self.inner, results, *values, **kwargs) for position in positions]
        return self._noted(kind, pulls, sources, results)

    def _of_sequence(self, name: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Compute and note a call whose arrays come as one list, or as any number of arguments."""
        alone = name in ("concat", "stack")
        arrays = list(args[0] if alone else args)
        for array in arrays:
            if isinstance(array, Taped) and array.tape.level > self.level:
                return getattr(array.tape, name)(*args, **kwargs)
        values = [self.value_of(array) for array in arrays]
        results = function(values, **kwargs) if alone else list(function(*values, **kwargs))
        rule = OF_SEQUENCES[name]
        return self._noted_jointly(lambda: rule(self.inner, results, *values, **kwargs), arrays, results)

    def _noted_jointly(
        self, rule: Callable[[], Callable[..., Any]], arrays: Sequence[Any], results: Any
    ) -> Any:
        """Note a call whose rule gives the gradients of all arrays at once."""
        positions = [i for i, x in enumerate(arrays) if isinstance(x, Taped) and x.number is not None]
        if not positions:
            return map_tree(self.constant, results)
        pull = rule()
        sources = [Source(arrays[i].number, arrays[i].shape, arrays[i].dtype) for i in positions]

        def of_sources(g: Any) -> list[Array | None]:
            every = pull(g)
            return [every[i] for i in positions]

        return self._noted(Kind.JOINT, [of_sources], sources, results)

    def note_custom(self, function: Callable[..., Any], args: tuple[Tree, ...]) -> Any:
        """Compute a function that brings its own way back, and note it."""
        results, backward = function(self.inner, *map_tree(self.value_of, args))
        structure = map_tree(lambda _: None, results)
        like_args = [map_tree(lambda _: None, arg) for arg in args]
        arrays, made = leaves(args), leaves(results)
        shapes = [getattr(array, "shape", None) for array in arrays]

        def pull(g: Any) -> list[Array | None]:
            found = backward(like(structure, g if len(made) > 1 else [g]))
            pairs = zip(found if len(args) > 1 else (found,), like_args, strict=True)
            told = [empty if own is None else in_order_of(empty, own) for own, empty in pairs]
            gradients = leaves(told)
            _check_shapes(function, gradients, shapes)
            return gradients

        noted = self._noted_jointly(lambda: pull, arrays, made if len(made) > 1 else made[0])
        return like(results, noted if len(made) > 1 else [noted])

    def _noted(self, kind: Kind, pulls: list[Callable[..., Any]], sources: list[Source], results: Any) -> Any:
        several = isinstance(results, tuple | list)
        made = [self.watch(result) for result in results] if several else self.watch(results)
        shapes = [result.shape for result in results] if several else [results.shape]
        numbers = range(self._count + 1 - len(shapes), self._count + 1)
        self.entries.append(Entry(kind, several, numbers, shapes, sources, pulls))
        return made

    def _without_gradient(self, name: str, results: Any) -> Any:
        """Return results as constants: integers and truth values have no gradient, other results lack it."""
        dtypes = [leaf.dtype for leaf in leaves(results) if hasattr(leaf, "shape")]
        if not all(self.inner.isdtype(dtype, ("bool", "integral")) for dtype in dtypes):
            raise NotDifferentiableError(
                f"xp.{name} has no vector-Jacobian product: write it with functions that have one, give it"
                " one by xpnet.custom_gradient, or keep it from being differentiated by xpnet.stop_gradient"
            )
        return map_tree(self.constant, results)

    def back(self, gradients: dict[int, Array], wanted: set[int], once: bool = False) -> dict[int, Array]:
        """Return the gradients of watched arrays by number, from those of results.

        Parameters
        ----------
        gradients : dict of int to array
            By the number of a result, the gradient with respect to it.
        wanted : set of int
            The numbers of the arrays whose gradients are asked for: what they do not need is not computed.
        once : bool, default False
            Whether nobody comes this way again: what each call holds is then let go after it.
        """
        xp, found, needed = self.inner, dict(gradients), set(wanted)
        for entry in self.entries:
            if any(source.number in needed for source in entry.sources):
                needed.update(entry.numbers)
        way = self._taken_apart() if once else reversed(self.entries)
        for entry in way:
            given = [found.pop(number, None) for number in entry.numbers]
            if needed.isdisjoint(entry.numbers) or all(g is None for g in given):
                continue
            for number, gradient in entry.back(xp, given, needed):
                before = found.get(number)
                found[number] = gradient if before is None else before + gradient
        return found

    def _taken_apart(self) -> Iterator[Entry]:
        while self.entries:
            yield self.entries.pop()


class _Extension:
    """An extension of the standard, such as ``linalg``, on a tape: what the table has by the same name."""

    def __init__(self, tape: Tape, module: ModuleType) -> None:
        self._tape, self._module = tape, module

    def __getattr__(self, name: str) -> Any:
        return self._tape.recorded(name, getattr(self._module, name))


def _check_shapes(function: Callable[..., Any], gradients: list[Any], shapes: list[Any]) -> None:
    for gradient, shape in zip(gradients, shapes, strict=True):
        if gradient is not None and tuple(gradient.shape) != shape:
            raise InvalidInputError(
                f"the custom gradient of {getattr(function, '__name__', function)} must have the shape of its"
                f" argument, {shape}; it has the shape {tuple(gradient.shape)}"
            )


def _first(results: Any) -> Any:
    return results[0] if isinstance(results, tuple | list) else results
