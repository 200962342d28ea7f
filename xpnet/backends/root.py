"""What is known of a backend's class before it is looked into: the root of `Backend`."""

from __future__ import annotations

from typing import Any, ClassVar


class Root:
    """The class by which `register_backend` tells backends from other classes.

    Attributes
    ----------
    name : str
        The name by which `get_backend` knows it.
    libraries : tuple of str
        The top-level packages that define its arrays' types; empty where that is its name.
    """

    name: ClassVar[str]
    libraries: ClassVar[tuple[str, ...]] = ()


BackendClass = type[Any]
"""A subclass of `Backend`."""
