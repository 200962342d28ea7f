"""Prediction: the outputs of many samples, some rows at a time, without keeping caches."""

from __future__ import annotations

import math
from collections.abc import Hashable

from xpnet.backends import Array, Backend
from xpnet.nn.layer import Layer, Shape, Variables
from xpnet.programs.programs import FunctionBuilder, Programs

ROWS_AT_ONCE = 1000
"""The most samples of a block: all of MNIST in float32 would take 188 MB."""


def rows_at_once(backend: Backend, layer: Layer, inputs: Shape) -> int:
    """Return how many samples go through a network together, so that what lies between layers stays near."""
    numbers = sum(math.prod(shape) for shape in layer.shapes(inputs))
    return max(1, min(ROWS_AT_ONCE, backend.numbers_at_once // numbers))


def outputs_of(
    programs: Programs, key: Hashable, build: FunctionBuilder, variables: Variables, x: Array, rows: int
) -> Array:
    """Return the outputs of a network, ``(batch, *outputs)``.

    Whole blocks go through a program, recorded or compiled; what is left is computed operation by
    operation, since it may have any number of rows.

    Parameters
    ----------
    programs : Programs
        Of the model.
    key : hashable
        By which they know the function.
    build : callable
        From a namespace to the function ``(variables, x) -> outputs``.
    variables : Variables
        Of the network.
    x : array, shape (batch, *inputs)
        Samples on the device.
    rows : int
        Of a block.
    """
    whole = programs.function(key, build).over(variables)
    rest = programs.plain_function(key, build).over(variables)
    blocks = []
    for start in range(0, x.shape[0], rows):
        stop = min(start + rows, x.shape[0])
        function = whole if stop - start == rows else rest
        blocks.append(function(x[start:stop, ...]))
    return blocks[0] if len(blocks) == 1 else programs.backend.xp.concat(blocks, axis=0)
