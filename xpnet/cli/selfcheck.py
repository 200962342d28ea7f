"""``xpnet selfcheck``."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict
from typing import Annotated, Any

import numpy as np
import typer
from rich.text import Text

from xpnet import __version__
from xpnet.backends import available_backends
from xpnet.cli import options
from xpnet.cli.chosen import chosen_backends
from xpnet.cli.console import err, out, tell
from xpnet.training.selfcheck import Finding, selfcheck

EXAMPLES = options.examples(
    "xpnet selfcheck",
    "xpnet selfcheck --backends numpy,cupy:cuda:1",
    "xpnet selfcheck --json > selfcheck.json",
)


def command(
    backends: Annotated[
        str | None, typer.Option(help="Names, a device behind a colon: numpy,cupy:cuda:1; all where omitted.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object.")] = False,
) -> None:
    """Tell whether this machine keeps the promise of exact arithmetic: the same bits as everywhere."""
    chosen = chosen_backends(backends, None)
    machine = _machine([name for name, _ in chosen])
    if not as_json:
        _tell_machine(machine)
    findings = []
    with err.status("…") as status:
        for finding in selfcheck(chosen, lambda name: status.update(name)):
            findings.append(finding)
            if not as_json:
                _tell_finding(finding)
    kept = all(finding.passed for finding in findings)
    if as_json:
        found = {"kept": kept, "machine": machine, "findings": [asdict(finding) for finding in findings]}
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        verdict = "this machine keeps the promise" if kept else "this machine does NOT keep the promise"
        out.print(Text(verdict, style="bold green" if kept else "bold red"))
    if not kept:
        raise typer.Exit(1)


def _machine(names: list[str]) -> dict[str, Any]:
    """Return what the bits must not depend on."""
    known = available_backends()
    simd: Any = np.show_config(mode="dicts")
    return {
        "xpnet": __version__,
        "python": f"{platform.python_version()} on {platform.platform()}",
        "processor": f"{platform.machine()}, {sys.byteorder}-endian, {os.cpu_count()} cores",
        "threads": os.environ.get("OMP_NUM_THREADS", "the libraries' choice"),
        "instruction sets": " ".join(simd["SIMD Extensions"].get("found", [])) or "the baseline",
        "libraries": {name: f"{known[name].version}, {known[name].blas}" for name in names},
    }


def _tell_machine(machine: dict[str, Any]) -> None:
    for label, value in {**machine, **machine["libraries"]}.items():
        if label != "libraries":
            tell(label, str(value))


def _tell_finding(finding: Finding) -> None:
    verdict = ("ok    ", "green") if finding.passed else ("WRONG ", "bold red")
    line = f"{finding.backend or 'host':<17}{finding.check}: {finding.told}"
    out.print(Text.assemble(verdict, line), soft_wrap=True)
