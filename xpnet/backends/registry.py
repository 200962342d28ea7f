"""Find array libraries by name: `get_backend` and `available_backends`."""

from __future__ import annotations

import os
from typing import Any

from xpnet.backends.base import Backend, BackendInfo
from xpnet.backends.known import known_names, load_backend
from xpnet.errors import BackendError, InvalidInputError


def get_backend(name: str | Backend = "auto", device: str | None = None) -> Backend:
    """Return an array library, ready to compute on one device.

    Parameters
    ----------
    name : {"auto", "numpy", "cupy", "torch", "jax", "array_api_strict"} or Backend, default "auto"
        ``"auto"`` is the environment variable ``XPNET_BACKEND`` where set, else CuPy where a CUDA
        device answers, else NumPy. Also the name of a backend that is registered, see
        `register_backend`. A `Backend` is returned as it is, unless another device is asked for.
    device : str, optional
        The device, as the library names it: ``"cuda:1"``; the library's default where omitted.

    Returns
    -------
    Backend
        The library on that device.

    Raises
    ------
    InvalidInputError
        If the name is unknown.
    BackendError
        If the library is not installed or its device does not answer; the message says how to get it.

    Examples
    --------
    >>> get_backend("numpy")
    <xpnet backend 'numpy' on cpu>
    """
    place = None if device is None else str(device)
    if isinstance(name, Backend):
        return _on_device(name, place)
    if not isinstance(name, str):
        raise InvalidInputError(f"backend must be a name, as 'numpy', or a Backend, not {name!r}")
    return load_backend(_settle_auto(name))(place)


def available_backends() -> dict[str, BackendInfo]:
    """Ask every known array library whether it can compute here.

    Returns
    -------
    dict of BackendInfo
        By name: whether it is available, its version and default device, or the reason why not.

    Examples
    --------
    >>> available_backends()["numpy"].available
    True
    """
    return {name: backend_info(name) for name in known_names()}


def backend_info(name: str) -> BackendInfo:
    """Ask one array library, by name, whether it can compute here."""
    try:
        return _told_by(load_backend(name), name)
    except BackendError as error:
        return BackendInfo(False, reason=str(error))


def _told_by(cls: type[Backend], name: str) -> BackendInfo:
    try:
        return cls.info()
    except BackendError:
        raise
    except Exception as error:
        raise BackendError(f"{name} cannot tell its devices: {error}") from error


def _on_device(backend: Backend, device: str | None) -> Backend:
    if device is None:
        return backend
    other: Any = type(backend)(device)
    return backend if other == backend else other


def _settle_auto(name: str) -> str:
    if name == "auto":
        name = os.environ.get("XPNET_BACKEND") or "auto"
    if name == "auto":
        name = "cupy" if backend_info("cupy").available else "numpy"
    return name
