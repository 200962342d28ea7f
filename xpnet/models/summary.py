"""A model as a table: its layers, their outputs, and what they cost."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass

import numpy as np

from xpnet.backends.room import size
from xpnet.models.blueprint import Blueprint
from xpnet.nn.layer import Layer, Shape, Tree
from xpnet.trees import leaves

_HEAD = ("layer", "outputs", "parameters", "state", "multiply-adds")
_LEFT = 2
"""Columns of text; those of numbers end alike."""


class Summary(str):
    """A text that a console and a notebook show as it is, line by line."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def summary(blueprint: Blueprint) -> Summary:
    """Return a table of a model's layers.

    Parameters
    ----------
    blueprint : Blueprint
        The model.

    Returns
    -------
    Summary
        For each layer the shape of one sample's outputs, how many numbers are trained and carried, and about
        how many multiplications and additions one sample takes forward: three times as many while training.

    Examples
    --------
    >>> from xpnet import MLP
    >>> summary(MLP([784, 50, 10], backend="numpy").blueprint)
    layer      outputs  parameters  state  multiply-adds
    inputs     784
    Dense(50)  50           39,250      0         39,200
    ReLU()     50                0      0              0
    Dense(10)  10              510      0            500
    total                   39,760      0         39,700
    parameters in float32: 159.0 kB; a training step: 119,100 multiply-adds a sample
    """
    network = blueprint.network
    rows = [_HEAD, ("inputs", _told(network.inputs), "", "", ""), *_rows(network.layer, network.inputs)]
    products, declared = network.layer.products(network.inputs), network.variables
    rows.append(("total", "", f"{_count(declared.params):,}", f"{_count(declared.state):,}", f"{products:,}"))
    memory = size(blueprint.parameters * np.dtype(blueprint.dtype).itemsize)
    last = (
        f"parameters in {blueprint.dtype}: {memory}; a training step: {3 * products:,} multiply-adds a sample"
    )
    return Summary("\n".join([*_aligned(rows), last]))


def _rows(layer: Layer, inputs: Shape, depth: int = 0) -> Iterator[tuple[str, ...]]:
    """Yield a row for each layer; those of a group within another follow its own, indented."""
    along = getattr(layer, "along", None)
    if along is None:
        yield _row(layer, inputs, depth)
        return
    for inner, own in along(inputs):
        if hasattr(inner, "along"):
            yield "  " * depth + type(inner).__name__, _told(inner.output_shape(own)), "", "", ""
        yield from _rows(inner, own, depth + hasattr(inner, "along"))


def _row(layer: Layer, inputs: Shape, depth: int) -> tuple[str, ...]:
    params, state = layer.variables(inputs)
    numbers = _count(params), _count(state), layer.products(inputs)
    return "  " * depth + _label(layer), _told(layer.output_shape(inputs)), *(f"{n:,}" for n in numbers)


def _label(layer: Layer) -> str:
    """Return a layer as one would write it: without settings that are the default."""
    if not is_dataclass(layer):
        return repr(layer)
    settings = []
    for item in fields(layer):
        value = getattr(layer, item.name)
        if item.default is MISSING:
            settings.append(repr(value))
        elif value != item.default:
            settings.append(f"{item.name}={value!r}")
    return f"{type(layer).__name__}({', '.join(settings)})"


def _count(tree: Tree) -> int:
    return sum(math.prod(item.shape) for item in leaves(tree))


def _told(shape: Shape) -> str:
    return " x ".join(map(str, shape))


def _aligned(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [
            cell.ljust(width) if column < _LEFT else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
