"""Which backends a command is about."""

from __future__ import annotations

from rich.text import Text

from xpnet.backends import available_backends
from xpnet.cli.console import err
from xpnet.errors import BackendError, unknown_name


def chosen_backends(backends: str | None, require: str | None) -> list[tuple[str, str | None]]:
    """Return names and devices, the reference first; what is required but missing is an error."""
    known = available_backends()
    required = require.split(",") if require else []
    listed = backends.split(",") if backends else [name for name in known if known[name].available]
    chosen = []
    for item in [*listed, *(name for name in required if name not in listed)]:
        name, _, device = item.strip().partition(":")
        if name not in known:
            raise unknown_name("backend", name, known)
        if known[name].available:
            chosen.append((name, device or None))
        elif name in required:
            raise BackendError(f"{name} is required but cannot be used: {known[name].reason}")
        else:
            err.print(Text(f"left out: {known[name].reason}"), soft_wrap=True)
    if not chosen:
        raise BackendError("none of these backends can be used here; `xpnet info` shows which can")
    return chosen
