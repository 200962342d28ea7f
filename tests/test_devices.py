"""On GPUs: nothing computes outside the device's scope, float32 means float32, what is missing is named."""

from contextlib import contextmanager

import numpy as np
import pytest
from conftest import require
from runs import LABELS, OPTIMIZERS, PIXELS, TEST, network
from test_backends import path_with, python

import xpnet
from xpnet.backends import backend_info, get_backend
from xpnet.backends.numpy import NumpyBackend

# Several devices: what computes outside the scope computes on the first one


class WatchedArray(np.ndarray):
    """An array on a second GPU: computing with it fails while the first one is current."""

    current = False

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        self.check(ufunc.__name__)
        plain = [np.asarray(value) if isinstance(value, WatchedArray) else value for value in inputs]
        return watched(getattr(ufunc, method)(*plain, **options))

    def __array_function__(self, function, types, arguments, options):
        self.check(function.__name__)
        return watched(function(*unwatched(arguments), **unwatched(options)))

    @staticmethod
    def check(name):
        assert WatchedArray.current, f"{name} computes outside the device's scope"


def watched(result):
    return np.asarray(result).view(WatchedArray) if isinstance(result, np.ndarray | np.generic) else result


def unwatched(tree):
    if isinstance(tree, list | tuple):
        return type(tree)(unwatched(value) for value in tree)
    if isinstance(tree, dict):
        return {name: unwatched(value) for name, value in tree.items()}
    return np.asarray(tree) if isinstance(tree, WatchedArray) else tree


class WatchedBackend(NumpyBackend):
    """NumPy, pretending that its arrays lie on a second GPU."""

    on_gpu = True

    @contextmanager
    def scope(self):
        before, WatchedArray.current = WatchedArray.current, True
        try:
            yield
        finally:
            WatchedArray.current = before

    def owns(self, array):
        return isinstance(array, WatchedArray)

    def from_numpy(self, array):
        return np.array(array).view(WatchedArray)

    def move(self, array):
        return array

    takes_out = False


def test_the_watch_sees_what_is_outside():
    backend = WatchedBackend()
    x = backend.asarray([[1.0, 2.0]])
    for outside in (lambda: x + 1.0, lambda: backend.xp.take(x, backend.asarray([0]), axis=1)):
        with pytest.raises(AssertionError, match="computes outside the device's scope"):
            outside()
        with backend.scope():
            assert isinstance(outside(), WatchedArray)


@pytest.mark.parametrize("sampling", ["with_replacement", "shuffle", "full", "fixed"])
@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
def test_training_stays_in_the_scope(sampling, arithmetic, tmp_path):
    path = tmp_path / "run.safetensors"
    settings = {"sampling": sampling, "batch_size": 10, "eval_every": 2, "gradient_norm": True}
    net = network(WatchedBackend(), arithmetic=arithmetic, l2=0.1)
    xpnet.train(
        net,
        PIXELS,
        LABELS,
        OPTIMIZERS["adamw"],
        iterations=4,
        validation=TEST,
        checkpoint=xpnet.Checkpoint(path, 2),
        **settings,
    )
    assert all(isinstance(value, WatchedArray) for value in net.params.values())
    resumed, _ = xpnet.resume(path, PIXELS, LABELS, TEST, iterations=6, backend=WatchedBackend())
    assert not WatchedArray.current
    plain = network("numpy", arithmetic=arithmetic, l2=0.1)
    xpnet.train(plain, PIXELS, LABELS, OPTIMIZERS["adamw"], iterations=6, **settings)
    assert resumed.fingerprint() == plain.fingerprint()


def test_everything_a_network_does_stays_in_the_scope(tmp_path):
    net, x = network(WatchedBackend(), l2=0.1), PIXELS[:7]
    assert isinstance(net.logits(x), WatchedArray)
    assert isinstance(net.predict_proba(x), WatchedArray)
    assert isinstance(net.predict(x), WatchedArray)
    assert np.isfinite(net.loss(x, LABELS[:7]))
    assert 0.0 <= net.accuracy(x, np.eye(3)[LABELS[:7]]) <= 1.0
    assert max(xpnet.gradcheck(net, x, LABELS[:7]).values()) < 1e-7
    net.gradient(x, LABELS[:7])
    net.numerical_gradient(x, LABELS[:7])
    net.save(tmp_path / "model.safetensors")
    again = xpnet.load(tmp_path / "model.safetensors", backend=WatchedBackend())
    assert again.fingerprint() == net.copy(dtype="float64").fingerprint()


def test_every_optimiser_begins_in_the_scope():
    for optimizer in OPTIMIZERS.values():
        # The watched backend raises at any call that computes outside its scope.
        net = network(WatchedBackend())
        history = xpnet.train(net, PIXELS, LABELS, optimizer, batch_size=10, iterations=2)
        assert len(history.loss) == 2


def test_the_progress_line_shows_the_memory_of_a_gpu(monkeypatch):
    told = []

    class Bar:
        def advance(self, iteration):
            pass

        def measured(self, loss, accuracy, memory):
            told.append(memory)

    @contextmanager
    def bar(wanted, start, total):
        yield Bar()

    monkeypatch.setattr("xpnet.training.run.progress_bar", bar)
    for backend, shown in ((WatchedBackend(), True), (NumpyBackend(), False)):
        told.clear()
        xpnet.train(network(backend), PIXELS, LABELS, batch_size=10, iterations=4, eval_every=2)
        assert [memory is not None for memory in told] == [shown, shown]


# TF32


def test_the_cpu_knows_no_tf32():
    assert backend_info("numpy").tf32 is None


@pytest.fixture
def undecided_jax():
    """JAX as it begins, whatever another test has asked of it."""
    require("jax")
    import jax

    before = jax.config.jax_default_matmul_precision
    jax.config.update("jax_default_matmul_precision", None)
    yield jax
    jax.config.update("jax_default_matmul_precision", before)


def test_jax_multiplies_float32_as_float32(undecided_jax):
    """Also where XLA compiles: without a precision it may take TF32 on a GPU."""
    jax, jnp = undecided_jax, undecided_jax.numpy
    backend = get_backend("jax", "cpu")
    a = backend.asarray(np.ones((4, 4), dtype=np.float32))
    product = jax.jit(lambda x: jnp.matmul(x, x))
    assert "HIGHEST" not in product.lower(a).as_text()
    with backend.scope():
        assert "HIGHEST" in product.lower(a).as_text()
    with jax.default_matmul_precision("tensorfloat32"), backend.scope():
        assert "HIGHEST" not in product.lower(a).as_text(), "the user asked JAX for TF32"


def test_jax_trains_in_full_precision(monkeypatch):
    require("jax")
    import jax

    asked = []
    multiply = jax.numpy.matmul

    def matmul(*arguments):
        asked.append(jax.config.jax_default_matmul_precision)
        return multiply(*arguments)

    monkeypatch.setattr(jax.numpy, "matmul", matmul)
    xpnet.train(network("jax", "float32"), PIXELS, LABELS, batch_size=10, iterations=3)
    assert len(asked) > 3
    assert set(asked) == {"highest"}


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("pass", False),
        ("torch.backends.cuda.matmul.allow_tf32 = True", True),
        ("torch.set_float32_matmul_precision('high')", True),
        ("torch.backends.cuda.matmul.fp32_precision = 'tf32'", True),
        ("torch.backends.cuda.matmul.fp32_precision = 'ieee'", False),
    ],
)
def test_what_pytorch_was_told_is_read(setting, expected):
    require("torch")
    import torch

    if "fp32_precision" in setting and not hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        pytest.skip("this PyTorch has the older switch alone")
    code = f"""
        import torch
        {setting}
        from xpnet.backends.torch import _tf32
        print(_tf32())
    """
    assert python(code).strip() == str(expected)


# CuPy, by a stub: the driver answers

CUPY = """
class CUDARuntimeError(RuntimeError):
    pass

class runtime:
    CUDARuntimeError = CUDARuntimeError
    getDeviceCount = staticmethod(lambda: 1)
    getDevice = staticmethod(lambda: 0)
    getDeviceProperties = staticmethod(lambda index: {"name": b"H200"})

class cublas:
    @staticmethod
    def getVersion(handle):
        FAILURE
        return 130000

class device:
    get_cublas_handle = staticmethod(lambda: 1)

class cuda:
    pass

cuda.runtime, cuda.cublas, cuda.device = runtime, cublas, device
__version__ = "99.0"
"""


def told_by_cupy(folder, failure="pass", **environment):
    (folder / "cupy.py").write_text(CUPY.replace("FAILURE", failure))
    code = """
        import sys, types
        sys.modules["array_api_compat.cupy"] = types.ModuleType("array_api_compat.cupy")
        import xpnet
        print(xpnet.available_backends()["cupy"])
    """
    return python(code, PYTHONPATH=path_with(folder), **environment)


def test_cupy_without_the_libraries_of_cuda(tmp_path):
    """As after ``pip install cupy-cuda12x`` without ``[ctk]``: the device answers, cuBLAS is not there."""
    told = told_by_cupy(tmp_path, "raise ImportError('libcublas.so.12: no such file')")
    assert "available=False" in told
    assert "cannot multiply matrices: libcublas.so.12: no such file" in told
    assert "xpnet[cuda12]" in told


@pytest.mark.parametrize(("variable", "expected"), [({}, False), ({"CUPY_TF32": "1"}, True)])
def test_what_cupy_was_told_is_read(tmp_path, variable, expected):
    told = told_by_cupy(tmp_path, **variable)
    assert "available=True, version='99.0', device='H200'" in told
    assert f"blas='cuBLAS 130000', tf32={expected}" in told


class OnGpu:
    """Another library's array on a GPU that PyTorch was built without."""

    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self, **options):
        raise BufferError("it lies on a GPU")

    def __array__(self, dtype=None, copy=None):
        return np.asarray([1.0, 2.0])


def test_arrays_on_a_gpu_come_by_way_of_the_host(backend):
    got = backend.to_numpy(backend.asarray(OnGpu()))
    assert got.tolist() == [1.0, 2.0]


def test_info_shows_memory_and_tf32_of_a_gpu(monkeypatch):
    from typer.testing import CliRunner

    from xpnet.backends import BackendInfo
    from xpnet.cli import app, info

    monkeypatch.setattr(
        info, "available_backends", lambda: {"cupy": BackendInfo(True, "14", "H200", tf32=False)}
    )
    monkeypatch.setattr(info, "get_backend", lambda name="auto": WatchedBackend())
    told = CliRunner().invoke(app, ["info"]).stdout
    assert "GiB used by this process" in told
    assert "TF32 off" in told
