"""The host's memory, as far as this process may have it: the machine's, less what limits it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

_PROC, _CGROUPS = Path("/proc"), Path("/sys/fs/cgroup")
_REACHABLE = sys.maxsize
"""What pointers can address: where a system does not tell what it has."""


class Limit(NamedTuple):
    """A limit on memory, and what of it is in use, in bytes."""

    used: int
    total: int


def host_memory() -> tuple[int, int, int]:
    """Return the resident memory of this process, what is left to it, and what there is, in bytes.

    The least of the machine's memory, the limit on the address space (``ulimit -v``) and the limits of
    the control groups that the process is in, as containers and batch systems set them.

    Examples
    --------
    >>> used, free, total = host_memory()
    >>> 0 < used < total
    True
    """
    used, free, total = _machine(_PROC)
    for limit in (*_address_space(_PROC, used), *_control_groups(_PROC, _CGROUPS)):
        free, total = min(free, limit.total - limit.used), min(total, limit.total)
    return used, max(free, 0), total


def _machine(proc: Path) -> tuple[int, int, int]:
    if not hasattr(os, "sysconf"):
        return _windows()
    page = os.sysconf("SC_PAGE_SIZE")
    total = page * os.sysconf("SC_PHYS_PAGES")
    if not (proc / "self" / "statm").exists():
        used = _peak()
        return used, total - used, total
    used = _pages(proc)[1] * page
    free = _numbers(proc / "meminfo", ":").get("MemAvailable")
    return used, total - used if free is None else free * 1024, total


def _pages(proc: Path) -> list[int]:
    """Return the pages of this process's address space, and how many of them are resident, and more."""
    return [int(word) for word in (proc / "self" / "statm").read_text().split()]


def _peak() -> int:
    """Return the most that was ever resident: nothing better is portable."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows() -> tuple[int, int, int]:
    """Ask the kernel of Windows; a system that has none, and nothing of POSIX, tells nothing."""
    import ctypes

    kernel = getattr(getattr(ctypes, "windll", None), "kernel32", None)
    if kernel is None:
        return 0, _REACHABLE, _REACHABLE
    words = ctypes.c_uint64 * 7
    # MEMORYSTATUSEX: two numbers of 32 bits; then memory and its rest, page file and its rest, …
    status = type(
        "Status", (ctypes.Structure,), {"_fields_": [("head", ctypes.c_uint32 * 2), ("sizes", words)]}
    )()
    status.head[0] = ctypes.sizeof(status)
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return 0, _REACHABLE, _REACHABLE
    return _windows_working_set(ctypes, kernel), status.sizes[1], status.sizes[0]


def _windows_working_set(ctypes: Any, kernel: Any) -> int:
    size = ctypes.c_size_t
    # PROCESS_MEMORY_COUNTERS: its own size, page faults; then the peak of the working set, the set itself, …
    fields = [("head", ctypes.c_uint32 * 2), ("sizes", size * 8)]
    counters = type("Counters", (ctypes.Structure,), {"_fields_": fields})()
    counters.head[0] = ctypes.sizeof(counters)
    process = ctypes.c_void_p(-1)  # this process: what GetCurrentProcess returns
    known = kernel.K32GetProcessMemoryInfo(process, ctypes.byref(counters), ctypes.sizeof(counters))
    return counters.sizes[1] if known else 0


def _address_space(proc: Path, resident: int) -> Iterator[Limit]:
    """Yield the limit that ``ulimit -v`` set, where it did."""
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft == resource.RLIM_INFINITY:
        return
    mapped = _pages(proc)[0] * os.sysconf("SC_PAGE_SIZE") if (proc / "self" / "statm").exists() else resident
    yield Limit(mapped, soft)


def _control_groups(proc: Path, root: Path) -> Iterator[Limit]:
    """Yield the limits of the groups that this process is in, and of the groups that these are in."""
    for line in _lines(proc / "self" / "cgroup"):
        number, controllers, path = line.split(":", 2)
        if number == "0" and not controllers:
            yield from _limits_above(root, path, ("memory.max", "memory.current", "inactive_file"))
            # Beside the controllers of version 1, the hierarchy of version 2 has a folder of its own.
            yield from _limits_above(
                root / "unified", path, ("memory.max", "memory.current", "inactive_file")
            )
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            yield from _limits_above(root / "memory", path, names)


def _limits_above(mount: Path, path: str, names: tuple[str, str, str]) -> Iterator[Limit]:
    """Yield the limits of a group and those above it; in a container its path may not be there, only the top.

    Pages of files that nobody uses count as used, though the kernel gives them up when memory is short.
    """
    limit_file, usage_file, idle = names
    below = [part for part in path.split("/") if part not in ("", "..")]
    for depth in range(len(below), -1, -1):
        group = mount.joinpath(*below[:depth])
        limit, usage = _number(group / limit_file), _number(group / usage_file)
        if limit is not None and usage is not None:
            yield Limit(max(usage - _numbers(group / "memory.stat", " ").get(idle, 0), 0), limit)


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text().splitlines()
    except OSError:
        return []


def _number(file: Path) -> int | None:
    """Return the number that a file holds; None where it is not there or says ``max``."""
    words = " ".join(_lines(file)).split()
    return int(words[0]) if words and words[0].isdecimal() else None


def _numbers(file: Path, mark: str) -> dict[str, int]:
    """Return the numbers of a file of lines ``name: number unit`` or ``name number``."""
    parts = (line.partition(mark) for line in _lines(file))
    return {
        name: int(rest.split()[0])
        for name, _, rest in parts
        if rest.split()[:1] and rest.split()[0].isdecimal()
    }
