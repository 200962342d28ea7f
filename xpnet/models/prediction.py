"""Prediction: the outputs of many samples, some rows at a time, without keeping caches."""

from __future__ import annotations

from collections.abc import Hashable

from xpnet.backends import Array
from xpnet.nn.layer import Variables
from xpnet.programs.programs import FunctionBuilder, Programs

ROWS_AT_ONCE = 1000
"""Samples per block: all of MNIST in float32 would take 188 MB."""


def outputs_of(
    programs: Programs, key: Hashable, build: FunctionBuilder, variables: Variables, x: Array
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
    """
    whole = programs.function(key, build).over(variables)
    rest = programs.plain_function(key, build).over(variables)
    blocks = []
    for start in range(0, x.shape[0], ROWS_AT_ONCE):
        stop = min(start + ROWS_AT_ONCE, x.shape[0])
        function = whole if stop - start == ROWS_AT_ONCE else rest
        blocks.append(function(x[start:stop, ...]))
    return blocks[0] if len(blocks) == 1 else programs.backend.xp.concat(blocks, axis=0)
