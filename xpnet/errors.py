"""The errors that xpnet raises: one base class, so that one ``except`` catches them all."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class XpnetError(Exception):
    """Base class of every error that a user of xpnet can cause."""


class InvalidInputError(XpnetError, ValueError):
    """An argument has the wrong shape, dtype, range or name."""


class BackendError(XpnetError, RuntimeError):
    """An array library, or the device that was asked for, cannot be used here."""


class DataError(XpnetError, OSError):
    """A file is missing, damaged or of another format, or cannot be written."""


class OutOfMemoryError(XpnetError, MemoryError):
    """The device's memory is too small for what was asked for."""


class TrainingError(XpnetError, ArithmeticError):
    """Training cannot go on: the loss is no longer a finite number."""


def unknown_name(kind: str, name: object, known: Iterable[str]) -> InvalidInputError:
    """Return the error for a name that is not one of those known, with the nearest match.

    Parameters
    ----------
    kind : str
        What is named, as a reader would call it: ``"activation"``.
    name : object
        What the user gave.
    known : iterable of str
        The names that would have been right.

    Returns
    -------
    InvalidInputError
        To be raised by the caller.

    Examples
    --------
    >>> print(unknown_name("activation", "rleu", ["relu", "tanh"]))
    unknown activation 'rleu': did you mean 'relu'? Known are: relu, tanh
    """
    names = sorted(known)
    near = get_close_matches(str(name), names, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return InvalidInputError(f"unknown {kind} {name!r}: {hint}Known are: {', '.join(names)}")
