"""Find array libraries by name: `get_backend` and `available_backends`."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec

from xpnet.backends.base import Backend, BackendInfo
from xpnet.errors import BackendError, unknown_name

# Name (of the module here and of the library's package) -> its class, and how to install it.
_BACKENDS = {
    "numpy": ("NumpyBackend", "pip install numpy"),
    "cupy": ("CupyBackend", "pip install 'xpnet[cuda12]' for CUDA 12 or 'xpnet[cuda13]' for CUDA 13"),
    "torch": ("TorchBackend", "pip install 'xpnet[torch]'"),
    "jax": ("JaxBackend", "pip install 'xpnet[jax]'"),
    "array_api_strict": ("ArrayApiStrictBackend", "pip install array-api-strict"),
}


def get_backend(name: str | Backend = "auto", device: str | None = None) -> Backend:
    """Return an array library, ready to compute on one device.

    Parameters
    ----------
    name : {"auto", "numpy", "cupy", "torch", "jax", "array_api_strict"} or Backend, default "auto"
        ``"auto"`` is the environment variable ``XPNET_BACKEND`` where set, else CuPy where a CUDA
        device answers, else NumPy. A `Backend` is returned as it is.
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
    if isinstance(name, Backend):
        return name
    if name == "auto":
        name = os.environ.get("XPNET_BACKEND", "auto")
    if name == "auto":
        name = "cupy" if backend_info("cupy").available else "numpy"
    if name not in _BACKENDS:
        raise unknown_name("backend", name, [*_BACKENDS, "auto"])
    return _load(name)(device)


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
    return {name: backend_info(name) for name in _BACKENDS}


def backend_info(name: str) -> BackendInfo:
    """Ask one array library, by name, whether it can compute here."""
    try:
        return _load(name).info()
    except BackendError as error:
        return BackendInfo(False, reason=str(error))


def _load(name: str) -> type[Backend]:
    class_name, install = _BACKENDS[name]
    if find_spec(name) is None:
        raise BackendError(f"{name} is not installed: {install}")
    try:
        return getattr(import_module(f"xpnet.backends.{name}"), class_name)
    except (ImportError, OSError) as error:
        raise BackendError(f"{name} is installed but cannot be loaded: {error}; try: {install}") from error
