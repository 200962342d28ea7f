"""One row of the table of `other_machines.sh`: what the self-check finds on the machine that runs this."""

from __future__ import annotations

import platform
import sys
from typing import Any

import numpy as np

from xpnet.training.selfcheck import selfcheck


def main() -> None:
    findings = list(selfcheck([("numpy", None)], lambda name: print(name, file=sys.stderr)))
    for finding in findings:
        if not finding.passed:
            print(f"WRONG: {finding.check}: {finding.told}", file=sys.stderr)
    right = sum(finding.passed for finding in findings)
    built: Any = np.show_config(mode="dicts")
    blas = built["Build Dependencies"]["blas"]
    cells = [
        platform.machine(),
        sys.byteorder,
        platform.python_version(),
        np.__version__,
        f"{blas['name']} {blas['version']}",
        f"{right} of {len(findings)}",
    ]
    print("|", " | ".join(cells), "|")
    sys.exit(0 if right == len(findings) else 1)


if __name__ == "__main__":
    main()
