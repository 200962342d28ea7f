"""What makes contestants comparable: the same cores, the same number of threads, one device."""

from __future__ import annotations

import os
import sys

_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def environment(threads: int, device: str) -> dict[str, str]:
    """Return the environment variables of a contestant's process.

    XLA has no number of threads: it takes as many as there are cores, and `pin` decides that. For one
    thread its own thread pool is switched off besides.
    """
    changes = dict.fromkeys(_THREAD_VARIABLES, str(threads))
    changes |= {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}
    if device == "cpu":
        changes |= {"CUDA_VISIBLE_DEVICES": "", "JAX_PLATFORMS": "cpu"}
        if threads == 1:
            flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
            changes["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flags}".strip()
    else:
        # Contestants live side by side on one GPU: none may take it all in advance.
        changes |= {"JAX_PLATFORMS": "cuda", "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    return {**os.environ, **changes}


def pin(threads: int) -> None:
    """Keep this process on the first so many of its cores; where the system has no such call, do nothing.

    Must come before the libraries load: they count the cores they may use.
    """
    if sys.platform == "linux":
        cores = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, cores[:threads])


def core_count() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
