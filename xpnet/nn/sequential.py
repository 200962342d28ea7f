"""Layers in a row, which are a layer again, and the names of their variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.context import Context
from xpnet.nn.layer import NOTHING, Cache, Layer, Shape, Tree, Variables
from xpnet.nn.pixels import on_pixels

Array = Any

_DIGITS = "0123456789"


@dataclass(frozen=True)
class Sequential(Layer):
    """Layers in a row.

    Its variables have the names that the textbook gives them: ``W1 b1 W2 b2 …``, the number being that of
    the layer among those that have variables. A layer that is itself a group of layers keeps its own
    variables together, under one name.

    Parameters
    ----------
    layers : sequence of Layer
        From the inputs to the outputs.

    Raises
    ------
    InvalidInputError
        If there are none, or one is no layer.

    Examples
    --------
    >>> from xpnet.nn.activations import ReLU
    >>> from xpnet.nn.affine import Dense
    >>> list(Sequential([Dense(3), ReLU(), Dense(2)]).variables((4,)).params)
    ['W1', 'b1', 'W2', 'b2']
    """

    prefix: ClassVar[str] = "layers"

    layers: tuple[Layer, ...]

    def __post_init__(self) -> None:
        given = self.layers
        if not isinstance(given, tuple | list) or not given:
            raise InvalidInputError(f"a network must be a list of at least one layer, not {given!r}")
        for layer in given:
            if isinstance(layer, type) or not callable(getattr(layer, "forward", None)):
                raise InvalidInputError(
                    f"{layer!r} is no layer: give layers such as xpnet.Dense(50) and xpnet.ReLU()"
                )
        object.__setattr__(self, "layers", tuple(given))

    @property
    def random(self) -> bool:  # type: ignore[override]
        """Whether any layer draws random bits."""
        return any(layer.random for layer in self.layers)

    def output_shape(self, inputs: Shape) -> Shape:
        """Return the shape of one sample's output."""
        return self.shapes(inputs)[-1]

    def shapes(self, inputs: Shape) -> list[Shape]:
        """Return the shape of one sample before the first layer and after each."""
        found = [inputs]
        for layer in self.layers:
            found.append(layer.output_shape(found[-1]))
        return found

    def multiplications(self, inputs: Shape) -> int:
        """Return how many a sample takes forward through all layers."""
        pairs = zip(self.layers, self.shapes(inputs)[:-1], strict=True)
        return sum(layer.multiplications(shape) for layer, shape in pairs)

    def variables(self, inputs: Shape) -> Variables:
        """Declare the variables of all layers."""
        declared = NOTHING
        for layer in self.layers:
            if layer.prefix.endswith(tuple(_DIGITS)):
                raise InvalidInputError(f"{layer!r} has the prefix {layer.prefix!r}, which ends in a digit")
        for layer, number, shape in zip(self.layers, self._numbers, self.shapes(inputs)[:-1], strict=True):
            found = layer.variables(shape)
            for name in (*found.params, *found.state):
                if name.endswith(tuple(_DIGITS)) and not layer.prefix:
                    raise InvalidInputError(
                        f"{layer!r} has a variable {name!r}: names must not end in a digit, a number is added"
                    )
            declared = Variables(
                {**declared.params, **_named(layer, number, found.params)},
                {**declared.state, **_named(layer, number, found.state)},
            )
        return declared

    def forward(self, c: Context, v: Variables, x: Array) -> tuple[Array, Cache, Tree]:
        """Return the outputs of the last layer; caches are kept in training alone."""
        params, state = _by_number(v.params), _by_number(v.state)
        caches, after = [], {}
        for position, (layer, number) in enumerate(zip(self.layers, self._numbers, strict=True)):
            own = Variables(_own(layer, params, number), _own(layer, state, number))
            x, cache, new = layer.forward(c.at(str(position)), own, x)
            if c.training:
                caches.append(cache)
            after.update(_named(layer, number, new))
        return x, caches, after

    def backward(
        self, c: Context, v: Variables, dy: Array, cache: Cache, need_dx: bool
    ) -> tuple[Array | None, Tree]:
        """Return the gradients of the inputs and of the parameters; nothing is computed that nobody needs."""
        params, state = _by_number(v.params), _by_number(v.state)
        first = 0 if need_dx else self._first_numbered
        found: list[Tree] = []
        gradient: Array | None = dy
        for position in reversed(range(first, len(self.layers))):
            layer, number = self.layers[position], self._numbers[position]
            own = Variables(_own(layer, params, number), _own(layer, state, number))
            needed = need_dx or position > first
            gradient, gradients = layer.backward(c.at(str(position)), own, gradient, cache[position], needed)
            if needed and gradient is None:
                raise InvalidInputError(f"{layer!r} returned no gradient of its inputs, which was asked for")
            found.append(_named(layer, number, gradients))
        merged = {name: value for gradients in reversed(found) for name, value in gradients.items()}
        return (gradient if need_dx else None), merged

    def on_pixels(self, scale: float) -> Layer:
        """Return the layers, the first of which takes bytes."""
        return replace(self, layers=(on_pixels(self.layers[0], scale), *self.layers[1:]))

    @cached_property
    def _numbers(self) -> tuple[int, ...]:
        """The number of each layer's variables: 1, 2 … for those that have some, and 0."""
        count, numbers = 0, []
        for layer in self.layers:
            count += layer.numbered
            numbers.append(count if layer.numbered else 0)
        return tuple(numbers)

    @cached_property
    def _first_numbered(self) -> int:
        return next((i for i, number in enumerate(self._numbers) if number), len(self.layers))


def _named(layer: Layer, number: int, tree: Tree) -> dict[str, Any]:
    """Return a layer's variables by the names that they have among those of all layers."""
    if not tree:
        return {}
    if layer.prefix:
        return {f"{layer.prefix}{number}": tree}
    return {f"{name}{number}": value for name, value in tree.items()}


def _by_number(tree: Tree) -> dict[int, dict[str, Any]]:
    """Return variables by the number that ends their names, and then by the rest of the name."""
    found: dict[int, dict[str, Any]] = {}
    for key, value in tree.items():
        name, number = _split(key)
        found.setdefault(number, {})[name] = value
    return found


@lru_cache(maxsize=1024)
def _split(key: str) -> tuple[str, int]:
    """Return the name of a layer's variable, and the layer's number."""
    name = key.rstrip(_DIGITS)
    return name, int(key[len(name) :])


def _own(layer: Layer, numbered: Mapping[int, dict[str, Any]], number: int) -> Tree:
    own = numbered.get(number, {})
    return own.get(layer.prefix, {}) if layer.prefix else own
