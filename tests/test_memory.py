"""Out of memory is an error of xpnet's own that says what helps, on every library."""

import gc
import os
import subprocess
import sys
import textwrap
import weakref

import numpy as np
import pytest
from conftest import require
from runs import LABELS, PIXELS, network

import xpnet
from xpnet.backends import get_backend
from xpnet.backends.numpy import NumpyBackend
from xpnet.errors import OutOfMemoryError
from xpnet.programs.replayed import ReplayedLoop
from xpnet.training.memory import advice_on_batch, memory_guard, size


def test_the_error_is_one_of_memory_and_one_of_xpnet():
    assert issubclass(OutOfMemoryError, xpnet.XpnetError)
    assert issubclass(OutOfMemoryError, MemoryError)


LIMITED = """
    import resource
    import numpy as np
    import xpnet

    net = xpnet.MLP([50, 400, 10], backend="numpy")
    x, t = np.zeros((200_000, 50), dtype=np.uint8), np.zeros(200_000, dtype=int)
    net.loss(x[:100], t[:100])  # OpenBLAS, which would end the process, takes its memory now
    pages = int(open("/proc/self/statm").read().split()[0])
    limit = pages * resource.getpagesize() + 400_000_000
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        xpnet.train(net, x, t, batch_size=200_000, iterations=3, eval_every=0)
    except xpnet.XpnetError as error:
        print(type(error).__name__, error)
    xpnet.train(net, x, t, batch_size=1_000, iterations=3, eval_every=0)
    print("trained")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space, and reads /proc")
def test_numpy_that_runs_out_of_memory():
    """Hidden outputs of 320 MB each, under a limit of 400 MB; afterwards a smaller batch goes on."""
    variables = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LIMITED)],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    told, after = done.stdout.splitlines()
    assert told.startswith("OutOfMemoryError out of memory (numpy, cpu): Unable to allocate")
    assert "an iteration of 200000 samples needs about 1.4 GB, try batch_size=" in told
    assert after == "trained"


class Scarce(NumpyBackend):
    """NumPy on a device of 60 kB, of which an iteration finds none."""

    error = MemoryError("asked for 1 TB")

    def memory(self):
        return super().memory()._replace(free=60_000)


@pytest.fixture
def scarce(monkeypatch):
    """Let a chunk of iterations find no memory."""

    def fail(state, batches):
        rows = np.ones(5)
        alive.append(weakref.ref(rows))
        raise Scarce.error

    monkeypatch.setattr(ReplayedLoop, "over", lambda self, data: fail)


alive: list[weakref.ref] = []


@pytest.mark.usefixtures("scarce")
def test_the_message_names_a_batch_size_that_fits():
    with pytest.raises(OutOfMemoryError) as raised:
        xpnet.train(network(Scarce(), "float32"), PIXELS, LABELS, batch_size=100, iterations=2)
    told = str(raised.value)
    assert "asked for 1 TB" in told
    assert "60.0 kB of" in told
    assert "an iteration of 100 samples needs about 45.1 kB, try batch_size=50" in told


@pytest.mark.usefixtures("scarce")
def test_the_unfinished_iteration_is_released_while_the_error_is_held():
    alive.clear()
    with pytest.raises(OutOfMemoryError) as raised:
        xpnet.train(network(Scarce()), PIXELS, LABELS, batch_size=100, iterations=2)
    gc.collect()
    assert raised.value.__cause__ is Scarce.error
    assert [reference() for reference in alive] == [None]


def test_a_resumed_run_is_told_too(tmp_path, request):
    path = tmp_path / "run.safetensors"
    xpnet.train(network("numpy"), PIXELS, LABELS, iterations=2, checkpoint=xpnet.Checkpoint(path, 2))
    request.getfixturevalue("scarce")
    with pytest.raises(OutOfMemoryError, match="an iteration of 100 samples"):
        xpnet.resume(path, PIXELS, LABELS, iterations=4, backend=Scarce())


def test_data_that_does_not_fit(monkeypatch):
    net = network("numpy")

    def prepare(*data):
        raise MemoryError

    monkeypatch.setattr(net, "prepare", prepare)
    with pytest.raises(OutOfMemoryError, match=r"an allocation failed.*leave pixels as uint8"):
        xpnet.train(net, PIXELS, LABELS, iterations=1)


@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
@pytest.mark.parametrize("free", [10**9, 10**7, 10**6])
def test_the_batch_size_is_the_first_half_that_fits(arithmetic, free):
    net = xpnet.MLP([784, 50, 10], backend="numpy", arithmetic=arithmetic)
    told = advice_on_batch(net, 2**20, free)
    sample, parameters = (2 * 784 + 4 * 60), 784 * 50 + 50 + 510
    itemsize, copies = (4, 1) if arithmetic == "standard" else (8, 3)
    largest = (free - 6 * itemsize * parameters) / (itemsize * copies * sample)
    if largest < 1:
        assert "no smaller batch fits: try a smaller network, or another device" in told
    else:
        assert f"try batch_size={2 ** int(np.log2(largest))} " in told


def test_a_batch_of_one_cannot_be_halved():
    net = xpnet.MLP([3, 2], backend="numpy")
    assert "no smaller batch fits" in advice_on_batch(net, 1, 10**9)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_what_each_library_raises_is_known(name):
    require(name)
    backend = get_backend(name, "cpu")
    expected = pytest.raises(OutOfMemoryError, match=r"allocat.* 40{13} bytes.*; buy more")
    with expected, memory_guard(backend, lambda free: "buy more"), backend.scope():
        backend.xp.zeros(10**13, dtype=backend.xp.float32)


@pytest.mark.parametrize("name", ["torch", "jax"])
def test_other_errors_pass(name):
    require(name)
    backend = get_backend(name, "cpu")
    error = backend.out_of_memory_errors[-1]("shapes do not match")
    with pytest.raises(type(error), match="shapes do not match"), memory_guard(backend, str):
        raise error


def test_sizes_for_a_reader():
    assert [size(n) for n in (0, 1500, 2.5e6, 1.234e12)] == ["0.0 kB", "1.5 kB", "2.5 MB", "1234.0 GB"]
