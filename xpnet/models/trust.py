"""Whether a library computes as exact arithmetic needs it: tried once for each library and device."""

from __future__ import annotations

from xpnet.arithmetic.canary import check_library
from xpnet.backends import Backend

_trusted: set[tuple[str, str]] = set()


def check_exactness(backend: Backend) -> None:
    """Raise `BackendError` unless the library's float64 and its matrix products are what IEEE 754 says.

    Examples
    --------
    >>> import xpnet
    >>> check_exactness(xpnet.get_backend("numpy"))
    """
    place = backend.name, backend.device_name
    if place in _trusted:
        return
    with backend.scope():
        where = f"{backend.name} on {backend.device_name}"
        check_library(backend.xp, lambda rows: backend.asarray(rows, None), backend.to_numpy, where)
    _trusted.add(place)
