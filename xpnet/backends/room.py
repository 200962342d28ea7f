"""Whether something fits into a device's memory, asked before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpnet.errors import OutOfMemoryError

if TYPE_CHECKING:
    from xpnet.backends.base import Backend


def check_fits(needed: int, backend: Backend, what: str, advice: str = "make it smaller") -> None:
    """Raise `OutOfMemoryError` unless so many bytes are free on the backend's device.

    A system that promises more memory than it has ends the process later, without a word.

    Parameters
    ----------
    needed : int
        Bytes.
    backend : Backend
        Where they would lie.
    what : str
        What they are for, as the message's subject: ``"the weights of 784-50-10"``.
    advice : str, optional
        What helps.

    Examples
    --------
    >>> import xpnet
    >>> check_fits(1000, xpnet.get_backend("numpy"), "a thousand bytes")
    """
    memory = backend.memory()
    if needed > memory.free:
        raise OutOfMemoryError(
            f"out of memory ({backend.name}, {backend.device}): {what} would take {size(needed)},"
            f" {size(memory.free)} of {size(memory.total)} are free; {advice}"
        )


def size(count: float) -> str:
    """Return a number of bytes for a reader.

    Examples
    --------
    >>> size(55_000_000)
    '55.0 MB'
    """
    for factor, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.1f} kB"
