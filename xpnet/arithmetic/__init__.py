"""Namespaces that follow the Array API: the library's own arithmetic, and the same bits everywhere."""

from __future__ import annotations

from xpnet.arithmetic.choose import ARITHMETICS, get_arithmetic, standard
from xpnet.arithmetic.exact import exact

__all__ = ["ARITHMETICS", "exact", "get_arithmetic", "standard"]
