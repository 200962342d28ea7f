"""What a result was measured on: hardware, system, versions, commit."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bench.data import pixels_name
from bench.environment import core_count, environment

_ROOT = Path(__file__).parents[1]
_LIBRARIES = (
    "numpy",
    "cupy",
    "cupy-cuda12x",
    "cupy-cuda13x",
    "torch",
    "jax",
    "jaxlib",
    "keras",
    "scikit-learn",
    "thinc",
    "array-api-compat",
)


@dataclass(frozen=True)
class Machine:
    """The circumstances of a measurement.

    Attributes
    ----------
    cpu, system, python, blas : str
        As they name themselves.
    cores : int
        That this process may use.
    memory : int
        Bytes.
    gpu : str or None
        Name and driver, where a library of arrays can compute on one.
    gpu_libraries : dict of bool
        Those that can, and whether they multiply float32 matrices in TensorFloat-32.
    libraries : dict
        Name and version of those installed.
    xpnet, commit : str
        Version, and the commit with ``-dirty`` where files differ from it.
    date : str
        UTC, ISO 8601.
    threads : int
        Of each contestant.
    load : float or None
        The load average of the minute before.
    pixels : str
        What the image networks were trained on.
    """

    cpu: str
    cores: int
    memory: int
    system: str
    python: str
    blas: str
    gpu: str | None
    gpu_libraries: dict[str, bool]
    libraries: dict[str, str]
    xpnet: str
    commit: str
    date: str
    threads: int
    load: float | None
    pixels: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def describe(threads: int) -> Machine:
    """Return the circumstances here and now."""
    import xpnet

    gpu_libraries = _gpu_libraries(threads)
    return Machine(
        cpu=_cpu(),
        cores=core_count(),
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else 0,
        system=platform.platform(),
        python=platform.python_version(),
        blas=_blas(),
        gpu=_gpu() if gpu_libraries else None,
        gpu_libraries=gpu_libraries,
        libraries=_versions(),
        xpnet=xpnet.__version__,
        commit=_commit(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        threads=threads,
        load=round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        pixels=pixels_name(),
    )


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _blas() -> str:
    """Return NumPy's BLAS; what is loaded, or what NumPy was built with."""
    import numpy as np

    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{built['name']} {built['version']}"
    found = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    described = [f"{pool['internal_api']} {pool['version']} ({pool.get('architecture')})" for pool in found]
    return ", ".join(described) or "unknown"


_ASK_FOR_GPUS = """
import json
from xpnet.backends.registry import available_backends
infos = available_backends().items()
print(json.dumps({name: info.tf32 for name, info in infos if info.available and info.tf32 is not None}))
"""


def _gpu_libraries(threads: int) -> dict[str, bool]:
    """Ask in another process: a library once loaded stays, and takes memory of the GPU."""
    if not any(Path(path).exists() for path in ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")):
        return {}  # no driver: the libraries, which take seconds to load, need not be asked
    environs = {
        name: value for name, value in environment(threads, "cuda").items() if name != "JAX_PLATFORMS"
    }
    ended = subprocess.run(
        [sys.executable, "-c", _ASK_FOR_GPUS], capture_output=True, text=True, env=environs, cwd=_ROOT
    )
    lines = ended.stdout.strip().splitlines()
    return dict(json.loads(lines[-1])) if ended.returncode == 0 and lines else {}


def _gpu() -> str:
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    return _output(query) or "unknown"


def _versions() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str:
    return _output(["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]) or "unknown"


def _output(command: list[str]) -> str:
    try:
        ended = subprocess.run(command, capture_output=True, text=True, cwd=_ROOT)
    except FileNotFoundError:
        return ""
    return ended.stdout.strip() if ended.returncode == 0 else ""
