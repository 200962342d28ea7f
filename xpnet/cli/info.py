"""``xpnet info``."""

from __future__ import annotations

import json
import platform
import sys
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import typer
from rich.text import Text

import xpnet
from xpnet.backends import available_backends, get_backend
from xpnet.cli import options
from xpnet.cli.console import new_table, out, tell

EXAMPLES = options.examples("xpnet info", "xpnet info --json")


def command(
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """Show which array libraries and devices are there, and the versions in use."""
    found = _gather()
    if as_json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
        return
    tell("xpnet", found["xpnet"])
    tell("Python", f"{found['python']} on {found['platform']}")
    tell("NumPy", found["numpy"])
    tell("auto means", found["auto"])
    table = new_table("backend", "available", "version", "device", ">memory", "BLAS")
    for name, backend in found["backends"].items():
        available = "[green]yes[/green]" if backend["available"] else "no"
        memory = _gib(backend["memory"]["total"]) if backend["memory"] else ""
        table.add_row(name, available, backend["version"], backend["device"], memory, backend["blas"])
    out.print(table)
    for name, backend in found["backends"].items():
        if backend["reason"]:
            out.print(Text(backend["reason"]), soft_wrap=True)
        if backend["tf32"] is not None:
            tell(name, _on_gpu(backend))


def _on_gpu(backend: dict[str, Any]) -> str:
    used, free, total = (_gib(backend["memory"][part]) for part in ("used", "free", "total"))
    switch = "on" if backend["tf32"] else "off"
    return f"{used} used by this process, {free} free of {total}; TF32 {switch}"


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"


def _gather() -> dict[str, Any]:
    backends = {}
    for name, found in available_backends().items():
        memory = get_backend(name).memory()._asdict() if found.available else None
        backends[name] = {**asdict(found), "memory": memory}
    return {
        "xpnet": xpnet.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "numpy": np.__version__,
        "auto": get_backend().name,
        "backends": backends,
    }
