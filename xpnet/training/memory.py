"""Out of memory: what was asked for, what there is, and a batch size that fits."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from xpnet.backends import Backend
from xpnet.backends.room import size
from xpnet.errors import OutOfMemoryError
from xpnet.models.model import Model

_COPIES_OF_PARAMETERS = 6
"""Parameters before and after, gradients, two slots of the optimiser, one temporary array."""
_COPIES_OF_INPUTS, _COPIES_OF_OUTPUTS = 2, 2
"""A batch as gathered and converted; each layer's outputs and the loss's, and the gradient of each."""
_COPIES_IN_EXACT = 3
"""Exact products cut each operand into two slices besides."""


@contextmanager
def memory_guard(backend: Backend, advise: Callable[[int], str]) -> Iterator[None]:
    """Turn the library's own error into an `OutOfMemoryError` that says what to do.

    Parameters
    ----------
    backend : Backend
        Whose memory it is.
    advise : callable
        From the bytes that are free, once all that had been made is released, to advice.
    """
    try:
        yield
    except backend.out_of_memory_errors as error:
        if not backend.is_out_of_memory(error):
            raise
        # The frames on the way here hold the arrays of the unfinished iteration.
        traceback.clear_frames(error.__traceback__)
        said = (str(error).splitlines() or ["an allocation failed"])[0]
        used, free, total = backend.memory()
        raise OutOfMemoryError(
            f"out of memory ({backend.name}, {backend.device}): {said}. Without this, {size(free)} of"
            f" {size(total)} are free and this process holds {size(used)}; {advise(free)}"
        ) from error


def advice_on_data(free: int) -> str:
    """Tell what helps where the data itself does not fit."""
    return (
        "all of the data lies on the device: train on a part of it, leave pixels as uint8, which take a"
        " quarter of float32, or choose another device"
    )


def advice_on_batch(net: Model, batch_size: int, free: int) -> str:
    """Tell how much an iteration needs, and the first half, quarter … of the batch that fits.

    Parameters
    ----------
    net : Model
        What is trained.
    batch_size : int
        Samples of a mini-batch.
    free : int
        Bytes.

    Returns
    -------
    str
        For the error's message.

    Examples
    --------
    >>> import xpnet
    >>> print(advice_on_batch(xpnet.MLP([784, 10], backend="numpy"), 100_000, 2**30))
    an iteration of 100000 samples needs about 643.4 MB, try batch_size=50000 (about 321.8 MB)
    """
    told = f"an iteration of {batch_size} samples needs about {size(_step_bytes(net, batch_size))}"
    smaller = batch_size // 2
    while smaller > 1 and _step_bytes(net, smaller) > free:
        smaller //= 2
    if smaller < 1 or _step_bytes(net, smaller) > free:
        return f"{told}, and no smaller batch fits: try a smaller network, or another device"
    return f"{told}, try batch_size={smaller} (about {size(_step_bytes(net, smaller))})"


def operations(net: Model, batch_size: int) -> int:
    """Estimate an iteration's arithmetic operations: a product forward and two backward, of two each."""
    return max(1, 6 * net.network.layer.multiplications(net.network.inputs) * batch_size)


def _step_bytes(net: Model, batch_size: int) -> int:
    """Estimate an iteration's memory from the layers' sizes: a constant, and a share for each sample."""
    inputs, *outputs = (math.prod(shape) for shape in net.network.layer.shapes(net.network.inputs))
    sample = _COPIES_OF_INPUTS * inputs + _COPIES_OF_OUTPUTS * (sum(outputs) + outputs[-1])
    if net.blueprint.arithmetic == "exact":
        sample *= _COPIES_IN_EXACT
    itemsize = 8 if "float64" in (net.dtype, net.arithmetic.working_dtype) else 4
    return itemsize * (_COPIES_OF_PARAMETERS * net.blueprint.parameters + sample * batch_size)
