"""On a GPU: between evaluations nothing is copied to the host, nothing leaks to another device."""

import re
import warnings
from contextlib import contextmanager

import numpy as np
import pytest
from conftest import require
from runs import LABELS, OPTIMIZERS, PIXELS, TEST, network

import xpnet
from xpnet.errors import OutOfMemoryError
from xpnet.training.run import Run


@pytest.fixture
def cupy():
    """CuPy, where a CUDA device answers."""
    require("cupy")
    import cupy

    return cupy


@contextmanager
def host_copies_forbidden():
    """Make CuPy raise `cupyx.DeviceSynchronized` where an array is fetched or the host waits."""
    import cupyx

    watch = cupyx.allow_synchronize(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it does not see what happens outside CuPy
        watch.__enter__()
    try:
        yield
    finally:
        watch.__exit__(None, None, None)


@pytest.fixture
def watched(monkeypatch):
    """Forbid host copies while training advances, upload of the row numbers and all; count the chunks."""
    chunks = []
    advance = Run._advance_to

    def run(self, stop, bar):
        with host_copies_forbidden():
            advance(self, stop, bar)
        chunks.append(stop)

    monkeypatch.setattr(Run, "_advance_to", run)
    return chunks


@pytest.mark.parametrize(
    "fetch", [float, bool, lambda x: x.get(), lambda x: x.tolist(), lambda x: x.device.synchronize()]
)
def test_the_watch_sees_a_copy(cupy, fetch):
    import cupyx

    one = cupy.ones(())
    with pytest.raises(cupyx.DeviceSynchronized), host_copies_forbidden():
        fetch(one)
    assert float(one) == 1.0


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
def test_training_copies_nothing_between_evaluations(cupy, watched, name, arithmetic):
    net = network("cupy", arithmetic=arithmetic, l2=0.1)
    settings = {"batch_size": 10, "iterations": 300, "eval_every": 150, "validation": TEST}
    history = xpnet.train(net, PIXELS, LABELS, OPTIMIZERS[name], **settings)
    assert watched == [128, 150, 278, 300]
    assert len(history.loss) == 300


@pytest.mark.parametrize("sampling", ["shuffle", "full", "fixed"])
def test_no_sampling_copies_anything(cupy, watched, sampling):
    settings = {"batch_size": 50, "iterations": 7, "eval_every": 3, "sampling": sampling}
    xpnet.train(network("cupy", "float32"), PIXELS, LABELS, **settings)
    assert watched == [3, 6, 7]


def test_the_host_runs_ahead_of_the_device(cupy, monkeypatch):
    """Each iteration keeps any GPU busy for longer than it takes to queue it."""
    busy = []
    advance = Run._advance_to

    def run(self, stop, bar):
        advance(self, stop, bar)
        busy.append(not cupy.cuda.get_current_stream().done)
        self.net.backend.synchronize()
        assert cupy.cuda.get_current_stream().done

    monkeypatch.setattr(Run, "_advance_to", run)
    x = np.random.default_rng(0).integers(0, 256, (4096, 784), dtype=np.uint8)
    net = xpnet.MLP([784, 4096, 4096, 10], backend="cupy")
    xpnet.train(net, x, np.arange(4096) % 10, batch_size=4096, iterations=20, eval_every=0)
    assert busy
    assert all(busy[1:])  # the first chunk compiles kernels meanwhile


def test_nothing_leaks_to_the_first_device(cupy):
    if cupy.cuda.runtime.getDeviceCount() < 2:
        pytest.skip("there is one CUDA device")
    pool = cupy.get_default_memory_pool()
    with cupy.cuda.Device(0):
        pool.free_all_blocks()
        before = pool.total_bytes()
    net = network(xpnet.get_backend("cupy", "cuda:1"), "float32")
    history = xpnet.train(
        net, PIXELS, LABELS, sampling="fixed", iterations=20, eval_every=10, gradient_norm=True
    )
    assert len(history.loss) == 20
    assert cupy.cuda.runtime.getDevice() == 0
    assert all(value.device.id == 1 for value in net.params.values())
    assert net.predict(PIXELS).device.id == 1
    with cupy.cuda.Device(0):
        assert pool.total_bytes() == before


def test_a_pool_that_is_full(cupy):
    """Under a limit of 400 MB; the batch size that the error names does fit."""
    pool = cupy.get_default_memory_pool()
    net = xpnet.MLP([50, 1000, 10], backend="cupy")
    x, t = np.zeros((200_000, 50), dtype=np.uint8), np.zeros(200_000, dtype=int)
    pool.free_all_blocks()
    pool.set_limit(size=pool.used_bytes() + 400_000_000)
    try:
        with pytest.raises(OutOfMemoryError, match="Out of memory allocating") as raised:
            xpnet.train(net, x, t, batch_size=200_000, iterations=2, eval_every=0)
        told = int(re.search(r"try batch_size=(\d+)", str(raised.value))[1])
        assert told <= 25_000
        xpnet.train(net, x, t, batch_size=told, iterations=2, eval_every=0)
    finally:
        pool.set_limit(size=0)
