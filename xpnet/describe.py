"""Descriptions: layers, losses, optimisers and schedules as plain data, and back.

A description names a class that the program has registered. It never imports one, so that a file cannot
choose what code runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, TypeVar

import numpy as np

from xpnet.errors import InvalidInputError, unknown_name

T = TypeVar("T", bound=type)

_CLASS = "class"
_PLAIN = (bool, int, float, str, type(None))

_registered: dict[str, type] = {}
_homes: dict[str, str] = {}


def register(cls: T) -> T:
    """Make a class known to model files, checkpoints and run folders, by its name; a decorator.

    Parameters
    ----------
    cls : type
        A frozen dataclass: a layer, a loss, an optimiser or a schedule, whose fields are numbers, text,
        None, sequences of these, or other such classes.

    Returns
    -------
    type
        The class itself.

    Raises
    ------
    InvalidInputError
        If it is no frozen dataclass, or another class has that name.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> @register
    ... @dataclass(frozen=True)
    ... class Halved:
    ...     every: int
    >>> restore(describe(Halved(10)))
    Halved(every=10)
    """
    if not (isinstance(cls, type) and is_dataclass(cls)) or not cls.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        raise InvalidInputError(f"{cls!r} cannot be registered: decorate it with @dataclass(frozen=True)")
    name = cls.__name__
    if name in _homes and cls.__module__ != _homes[name]:
        raise InvalidInputError(f"xpnet itself has a class {name!r}: choose another name")
    known = _registered.get(name)
    if known is not None and _identity(known) != _identity(cls):
        raise InvalidInputError(f"another class {name!r} is registered already: {known.__module__}")
    _registered[name] = cls
    return cls


def announce(homes: Mapping[str, str]) -> None:
    """Tell where classes of this package are, by name; their modules are imported when first asked for."""
    _homes.update(homes)


def describe(thing: Any) -> Any:
    """Return an object of a registered class as plain data, which JSON can hold.

    Raises
    ------
    InvalidInputError
        If its class, or one inside it, is not registered.

    Examples
    --------
    >>> from xpnet.optim import SGD
    >>> describe(SGD(0.1))
    {'class': 'SGD', 'learning_rate': 0.1, 'schedule': {'class': 'Constant'}, 'clip_norm': None}
    """
    if isinstance(thing, np.generic):
        return thing.item()
    if isinstance(thing, _PLAIN):
        return thing
    if isinstance(thing, tuple | list):
        return [describe(item) for item in thing]
    cls = type(thing)
    if not is_dataclass(cls) or _find(cls.__name__) is not cls:
        raise InvalidInputError(
            f"{cls.__name__} is not registered, so that a file cannot describe it: decorate its class with"
            " @xpnet.register"
        )
    return {_CLASS: cls.__name__, **{item.name: describe(getattr(thing, item.name)) for item in fields(cls)}}


def restore(description: Any) -> Any:
    """Return what `describe` described; sequences come back as tuples.

    Raises
    ------
    InvalidInputError
        If a class is not registered, or does not take what the description says.
    """
    if isinstance(description, _PLAIN):
        return description
    if isinstance(description, list | tuple):
        return tuple(restore(item) for item in description)
    if not isinstance(description, Mapping) or not isinstance(description.get(_CLASS), str):
        raise InvalidInputError(f"no description of an object: {description!r}")
    settings = {name: restore(value) for name, value in description.items() if name != _CLASS}
    name = description[_CLASS]
    cls = _find(name)
    if cls is None:
        raise InvalidInputError(
            f"{unknown_name('class', name, {*_registered, *_homes})}; a class of your own must be registered"
            " with @xpnet.register before the file is read"
        )
    unknown = settings.keys() - {item.name for item in fields(cls)}
    if unknown:
        raise InvalidInputError(f"{name} has no {', '.join(sorted(unknown))} in this version")
    try:
        return cls(**settings)
    except TypeError as error:
        raise InvalidInputError(f"the description of {name} does not fit: {error}") from error


def _find(name: str) -> type | None:
    if name not in _registered and name in _homes:
        found = getattr(import_module(_homes[name]), name)
        _registered.setdefault(name, found)
    return _registered.get(name)


def _identity(cls: type) -> tuple[str, str]:
    """Return what tells a class from another; one that is defined again, in a notebook, stays itself."""
    return cls.__module__, cls.__qualname__
