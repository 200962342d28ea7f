"""The shim: the only place that imports an array library other than NumPy."""

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.backends.known import register_backend
from xpnet.backends.registry import available_backends, backend_info, get_backend

__all__ = [
    "Array",
    "Backend",
    "BackendInfo",
    "Memory",
    "available_backends",
    "backend_info",
    "get_backend",
    "register_backend",
]
