"""Which array libraries are known: the package's own, registered ones, and those other packages announce.

Nothing is loaded before it is asked for.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from xpnet.backends.root import BackendClass, Root
from xpnet.errors import BackendError, InvalidInputError, unknown_name

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


GROUP = "xpnet.backends"
"""The entry point group in which a package announces a backend: its name, and the class."""


class _BuiltIn(NamedTuple):
    """A backend of the package: it lies in the module of its name."""

    class_name: str
    install: str
    libraries: tuple[str, ...]


_BUILT_IN = {
    "numpy": _BuiltIn("NumpyBackend", "pip install numpy", ("numpy",)),
    "cupy": _BuiltIn(
        "CupyBackend", "pip install 'xpnet[cuda12]' for CUDA 12 or 'xpnet[cuda13]' for CUDA 13", ("cupy",)
    ),
    "torch": _BuiltIn("TorchBackend", "pip install 'xpnet[torch]'", ("torch",)),
    "jax": _BuiltIn("JaxBackend", "pip install 'xpnet[jax]'", ("jax", "jaxlib")),
    "array_api_strict": _BuiltIn(
        "ArrayApiStrictBackend", "pip install array-api-strict", ("array_api_strict",)
    ),
}

_REGISTERED: dict[str, BackendClass] = {}

_HOST = ("builtins", "numpy")
"""The packages whose objects NumPy reads by itself."""


def register_backend(cls: BackendClass) -> BackendClass:
    """Make a backend known by its name, as those of the package are.

    A package that brings one can announce it instead, and it is loaded when it is first asked for::

        [project.entry-points."xpnet.backends"]
        mylib = "mypackage.backend:MyBackend"

    Parameters
    ----------
    cls : type
        A `Backend` without abstract methods; its ``name`` is how `get_backend` finds it, its
        ``libraries`` are the packages that define its arrays. One that was registered under the same
        name is replaced.

    Returns
    -------
    type
        The class itself: this is also a decorator.

    Raises
    ------
    InvalidInputError
        If it is no such class, or its name is taken.

    Examples
    --------
    >>> import xpnet
    >>> from xpnet.backends.numpy import NumpyBackend
    >>> @xpnet.register_backend
    ... class Watched(NumpyBackend):
    ...     name = "watched"
    >>> xpnet.get_backend("watched")
    <xpnet backend 'watched' on cpu>
    >>> forget_backend("watched")
    """
    try:
        _check(cls, getattr(cls, "name", None))
    except BackendError as error:
        raise InvalidInputError(f"cannot register {cls!r}: {error}") from error
    _REGISTERED[cls.name] = cls
    return cls


def forget_backend(name: str) -> None:
    """Undo `register_backend`; a name that is not registered is passed over."""
    _REGISTERED.pop(name, None)


def known_names() -> list[str]:
    """Return the names of all backends, those of the package first."""
    return list(dict.fromkeys([*_BUILT_IN, *_REGISTERED, *_announced()]))


def load_backend(name: str) -> BackendClass:
    """Return a backend's class by its name.

    Raises
    ------
    InvalidInputError
        If the name is unknown.
    BackendError
        If the library is not installed, or cannot be loaded.
    """
    if name in _BUILT_IN:
        return _load_built_in(name)
    if name in _REGISTERED:
        return _REGISTERED[name]
    if name in _announced():
        return _load_announced(name)
    raise unknown_name("backend", name, [*known_names(), "auto"])


def backend_of(array: object) -> BackendClass | None:
    """Return the class that knows an array, by the package of its type; None where NumPy reads it itself.

    What no other backend claims may belong to one that is announced: these are then loaded.
    """
    packages = [base.__module__.partition(".")[0] for base in type(array).__mro__]
    for package in packages:
        found = _claiming(package)
        if found is not None or package == "numpy":
            return found
    foreign = next((package for package in packages if package not in _HOST), None)
    return None if foreign is None else _announced_for(foreign)


def _claiming(package: str) -> BackendClass | None:
    for name, built_in in _BUILT_IN.items():
        if package in built_in.libraries and package != "numpy":
            return _load_built_in(name)
    return next((cls for cls in _REGISTERED.values() if package in _libraries(cls)), None)


def _libraries(cls: BackendClass) -> tuple[str, ...]:
    return cls.libraries or (cls.name,)


def _load_built_in(name: str) -> BackendClass:
    class_name, install, _ = _BUILT_IN[name]
    if find_spec(name) is None:
        raise BackendError(f"{name} is not installed: {install}")
    try:
        return getattr(import_module(f"xpnet.backends.{name}"), class_name)
    except Exception as error:
        raise BackendError(
            f"{name} is installed but cannot be loaded: {_told(error)}; try: {install}"
        ) from error


@cache
def _announced() -> dict[str, EntryPoint]:
    from importlib.metadata import entry_points  # half as long to import as NumPy

    return {point.name: point for point in entry_points(group=GROUP)}


@cache
def _load_announced(name: str) -> BackendClass:
    point = _announced()[name]
    package = "another package" if point.dist is None else f"the package {point.dist.name}"
    try:
        cls = point.load()
        _check(cls, name)
    except Exception as error:
        raise BackendError(
            f"{name}, a backend of {package}, cannot be loaded from {point.value}: {_told(error)}"
        ) from error
    return cls


@cache
def _announced_for(package: str) -> BackendClass | None:
    for name in _announced():
        try:
            cls = _load_announced(name)
        except BackendError:
            continue
        if package in _libraries(cls):
            return cls
    return None


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


def _check(cls: Any, name: Any) -> None:
    """Raise `BackendError` unless it is a class that makes backends, under a name of its own."""
    if not (isinstance(cls, type) and issubclass(cls, Root)):
        raise BackendError("it is no subclass of xpnet.Backend")
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise BackendError(f"it lacks {', '.join(missing)}")
    if not (isinstance(name, str) and name) or getattr(cls, "name", None) != name:
        raise BackendError(f"its attribute 'name' must be its name, not {getattr(cls, 'name', None)!r}")
    if name in ("auto", *_BUILT_IN):
        raise BackendError(f"the name {name!r} is taken")
