"""One row of the table of `other_machines.sh`: what is as known on the machine that runs this."""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

import xpnet
from xpnet.optim import OPTIMIZERS
from xpnet.training.selfcheck import NETWORKS, selfcheck

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "digits.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=int, default=0, metavar="N", help="golden networks, 0 for all")
    number = parser.parse_args().golden
    findings = list(selfcheck([("numpy", None)], tell))
    for finding in findings:
        if not finding.passed:
            tell(f"WRONG: {finding.check}: {finding.told}")
    readme = any(finding.check == NETWORKS[0].title and finding.passed for finding in findings)
    right = sum(finding.passed for finding in findings)
    cases = json.loads(GOLDEN.read_text())
    chosen = cases if number == 0 else cases[:: -(-len(cases) // number)]
    equal = sum(as_golden(case) for case in chosen)
    cells = [
        platform.machine(),
        sys.byteorder,
        platform.python_version(),
        np.__version__,
        loaded_blas(),
        "equal" if readme else "DIFFERS",
        f"{right} of {len(findings)}",
        f"{equal} of {len(chosen)}",
    ]
    print("|", " | ".join(cells), "|", end="")
    sys.exit(0 if right == len(findings) and equal == len(chosen) else 1)


def tell(message: str) -> None:
    print(f"  {message}", file=sys.stderr)


def as_golden(case: dict[str, Any]) -> bool:
    """Train one golden network; return whether its fingerprint is the known one."""
    optimizer = dict(case["optimizer"])
    rule = OPTIMIZERS[optimizer.pop("name")](**optimizer)
    net = xpnet.MLP(**case["net"], seed=1, backend="numpy", arithmetic="exact")
    data = xpnet.datasets.load("digits")
    settings: dict[str, Any] = {key: case[key] for key in ("batch_size", "iterations")}
    xpnet.train(net, data.x_train, data.t_train, rule, seed=1, eval_every=0, progress=False, **settings)
    equal = net.fingerprint() == case["sha256"]
    tell(f"golden: {case['net']}, {case['optimizer']}: {'equal' if equal else 'DIFFERS'}")
    return equal


def loaded_blas() -> str:
    """Return what multiplies here: the library that is loaded, not the one that NumPy was built with."""
    np.ones((2, 2)) @ np.ones((2, 2))
    loaded = re.findall(r"\S*/lib(?:open)?blas[^/\s]*", Path("/proc/self/maps").read_text())
    for path in dict.fromkeys(loaded):
        library = ctypes.CDLL(path)
        if hasattr(library, "openblas_get_config"):
            library.openblas_get_config.restype = ctypes.c_char_p
            library.openblas_get_corename.restype = ctypes.c_char_p
            version = library.openblas_get_config().decode().split()[1]
            return f"OpenBLAS {version} ({library.openblas_get_corename().decode()})"
        return f"reference {Path(path).resolve().name.partition('.so.')[2]}"
    built: Any = np.show_config(mode="dicts")
    blas = built["Build Dependencies"]["blas"]
    return f"{blas['name']} {blas['version']}"


if __name__ == "__main__":
    main()
