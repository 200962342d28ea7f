"""What memory there is: limits of processes and of containers, systems that do not tell, what fits."""

import ctypes
import os
import subprocess
import sys
import textwrap

import pytest
from conftest import require

import xpnet
from xpnet.backends import machine
from xpnet.backends.machine import host_memory
from xpnet.backends.room import check_fits
from xpnet.errors import OutOfMemoryError

GIB = 2**30
UNLIMITED = 2**63 - 4096
"""What version 1 of the control groups says where there is no limit."""

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A machine of its own: 64 GiB, of which 40 are free."""
    proc, groups = tmp_path / "proc", tmp_path / "cgroup"
    monkeypatch.setattr(machine, "_PROC", proc)
    monkeypatch.setattr(machine, "_CGROUPS", groups)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 2**24}.get, raising=False)

    def make(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    make(
        {
            "proc/self/statm": "500 100 0 0\n",
            "proc/meminfo": f"MemFree: 1 kB\nMemAvailable: {40 * 2**20} kB\n",
        }
    )
    return make


def test_a_machine_without_limits(system):
    system({"proc/self/cgroup": "0::/user.slice\n"})
    assert host_memory() == (100 * 4096, 40 * GIB, 64 * GIB)


def test_a_container_of_version_2(system):
    """In its own namespace: the limit lies at the top. Idle pages of files are as good as free."""
    system(
        {
            "proc/self/cgroup": "0::/\n",
            "cgroup/memory.max": f"{4 * GIB}\n",
            "cgroup/memory.current": f"{3 * GIB}\n",
            "cgroup/memory.stat": f"anon 5\ninactive_file {GIB}\nactive_file 7\n",
        }
    )
    assert host_memory()[1:] == (2 * GIB, 4 * GIB)


def test_the_group_above_may_be_the_narrower_one(system):
    system(
        {
            "proc/self/cgroup": "0::/slurm/job/step\n",
            "cgroup/slurm/job/step/memory.max": "max\n",
            "cgroup/slurm/job/step/memory.current": f"{GIB}\n",
            "cgroup/slurm/job/memory.max": f"{8 * GIB}\n",
            "cgroup/slurm/job/memory.current": f"{GIB}\n",
            "cgroup/slurm/memory.max": f"{32 * GIB}\n",
            "cgroup/slurm/memory.current": f"{30 * GIB}\n",
        }
    )
    assert host_memory()[1:] == (2 * GIB, 8 * GIB)


def test_a_container_of_version_1(system):
    """Its path is the one outside, which is not there inside: the limit lies at the top."""
    system(
        {
            "proc/self/cgroup": "5:cpu,cpuacct:/docker/1f\n4:memory:/docker/1f\n1:name=x:/a:b\n0::/\n",
            "cgroup/memory/memory.limit_in_bytes": f"{6 * GIB}\n",
            "cgroup/memory/memory.usage_in_bytes": f"{5 * GIB}\n",
            "cgroup/memory/memory.stat": f"inactive_file 1\ntotal_inactive_file {2 * GIB}\n",
        }
    )
    assert host_memory()[1:] == (3 * GIB, 6 * GIB)


def test_no_limit_in_version_1(system):
    system(
        {
            "proc/self/cgroup": "4:memory:/\n",
            "cgroup/memory/memory.limit_in_bytes": f"{UNLIMITED}\n",
            "cgroup/memory/memory.usage_in_bytes": f"{GIB}\n",
        }
    )
    assert host_memory()[1:] == (40 * GIB, 64 * GIB)


def test_a_full_container_has_nothing_left(system):
    system(
        {
            "proc/self/cgroup": "0::/../..\n",
            "cgroup/memory.max": f"{GIB}\n",
            "cgroup/memory.current": f"{2 * GIB}\n",
        }
    )
    assert host_memory()[1:] == (0, GIB)


def test_what_cannot_be_read_is_no_limit(system):
    system({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "", "cgroup/memory.current": "what\n"})
    assert host_memory()[1:] == (40 * GIB, 64 * GIB)


LIMITED = """
    import resource
    from xpnet.backends.host import host_memory
    _, free, total = host_memory()
    mapped = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + 300_000_000, resource.RLIM_INFINITY))
    _, left, most = host_memory()
    print(290_000_000 < left <= 300_000_000, most == mapped + 300_000_000, total > most)
"""


@linux
def test_the_limit_on_the_address_space():
    """As ``ulimit -v`` sets it."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("True True True\n", "")


# Other systems


class Kernel:
    """The two calls of the kernel of Windows, as they fill what they are given."""

    def GlobalMemoryStatusEx(self, status):  # noqa: N802
        told = (ctypes.c_ulonglong * 8).from_address(ctypes.addressof(status._obj))
        assert status._obj.head[0] == 64
        told[1], told[2] = 16 * GIB, 10 * GIB
        return 1

    def K32GetProcessMemoryInfo(self, process, counters, size):  # noqa: N802
        assert (process.value, size) == (2**64 - 1, counters._obj.head[0])
        told = (ctypes.c_size_t * 9).from_address(ctypes.addressof(counters._obj))
        told[2] = GIB
        return 1


class Mute:
    def GlobalMemoryStatusEx(self, status):  # noqa: N802
        return 0


@pytest.fixture
def no_posix(system, monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    monkeypatch.setitem(sys.modules, "resource", None)


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (Kernel(), (GIB, 10 * GIB, 16 * GIB)),
        (Mute(), (0, sys.maxsize, sys.maxsize)),
        (None, (0, sys.maxsize, sys.maxsize)),
    ],
)
def test_a_system_without_sysconf(no_posix, monkeypatch, kernel, expected):
    monkeypatch.setattr(ctypes, "windll", type("Dlls", (), {"kernel32": kernel}), raising=False)
    assert host_memory() == expected
    assert xpnet.get_backend("numpy").memory() == expected


def test_a_system_without_proc(system, tmp_path):
    """As macOS: what is resident now is not told, the peak is."""
    (tmp_path / "proc" / "self" / "statm").unlink()
    used, free, total = host_memory()
    assert 0 < used < total == 64 * GIB
    assert free == total - used


# What fits


@pytest.mark.parametrize("name", ["numpy", "torch", "jax", "array_api_strict"])
def test_what_does_not_fit_is_told_before_it_is_made(name):
    require(name)
    backend = xpnet.get_backend(name, "cpu" if name in ("torch", "jax") else None)
    check_fits(1_000, backend, "a kilobyte")
    with pytest.raises(OutOfMemoryError) as raised:
        check_fits(10**15, backend, "the weights of 10-99999999-10", "take fewer hidden units")
    told = str(raised.value)
    assert told.startswith(f"out of memory ({name}, ")
    assert "the weights of 10-99999999-10 would take 1000000.0 GB, " in told
    assert told.endswith(" are free; take fewer hidden units")


def test_the_limits_count_in_what_fits(system):
    system({"proc/self/cgroup": "0::/\n", "cgroup/memory.max": "50000", "cgroup/memory.current": "10000"})
    backend = xpnet.get_backend("numpy")
    check_fits(40_000, backend, "it")
    with pytest.raises(OutOfMemoryError, match=r"it would take 40.0 kB, 40.0 kB of 50.0 kB are free"):
        check_fits(40_001, backend, "it")
