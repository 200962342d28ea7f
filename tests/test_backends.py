"""The shim: finding libraries, devices, dtypes, and carrying arrays from each library to each."""

import itertools
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from conftest import BACKENDS, assert_close, require

import xpnet
from xpnet.backends.host import to_host
from xpnet.errors import BackendError, InvalidInputError

NAMES = ["numpy", "cupy", "torch", "jax", "array_api_strict"]
SAMPLES = {
    "float32": np.asarray([[0.5, -1.25, 1e30], [np.inf, 0.0, -0.0]], dtype=np.float32),
    "int32": np.asarray([[-(2**31), 0, 2**31 - 1]], dtype=np.int32),
    "uint8": np.asarray([0, 1, 255], dtype=np.uint8),
    "bool": np.asarray([True, False]),
}


def python(code, **environment):
    """Run a program in a fresh interpreter and return what it printed."""
    import os

    kept = {name: value for name, value in os.environ.items() if not name.startswith(("XPNET_", "JAX_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        env={**kept, "JAX_PLATFORMS": "cpu", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Finding a library


def test_a_backend_knows_its_name_and_device(backend):
    assert backend.name in NAMES
    assert repr(backend) == f"<xpnet backend {backend.name!r} on {backend.device}>"
    assert xpnet.get_backend(backend) is backend
    again = type(backend)(None)
    assert again.name == backend.name
    assert again == type(backend)(None)
    assert hash(again) == hash(type(backend)(None))


def test_available_backends_tells_of_each_library():
    found = xpnet.available_backends()
    assert list(found) == NAMES
    assert (found["numpy"].available, found["numpy"].version) == (True, np.__version__)
    for info in found.values():
        assert (info.version and info.device) if info.available else info.reason


def test_auto_is_the_fastest_that_answers(monkeypatch):
    monkeypatch.delenv("XPNET_BACKEND", raising=False)
    expected = "cupy" if xpnet.available_backends()["cupy"].available else "numpy"
    assert xpnet.get_backend().name == expected
    assert xpnet.MLP([2, 2]).backend.name == expected


def test_the_environment_variable_decides_what_auto_is(monkeypatch):
    require("array_api_strict")
    monkeypatch.setenv("XPNET_BACKEND", "array_api_strict")
    assert xpnet.get_backend().name == "array_api_strict"
    assert xpnet.get_backend("numpy").name == "numpy"
    monkeypatch.setenv("XPNET_BACKEND", "auto")
    assert xpnet.get_backend().name in ("cupy", "numpy")
    monkeypatch.setenv("XPNET_BACKEND", "torhc")
    with pytest.raises(InvalidInputError, match="did you mean 'torch'"):
        xpnet.get_backend()


@pytest.mark.parametrize(("wrong", "right"), [("numpi", "numpy"), ("cuppy", "cupy"), ("pytorch", "torch")])
def test_an_unknown_name_gets_its_near_match(wrong, right):
    with pytest.raises(InvalidInputError, match=f"unknown backend '{wrong}': did you mean '{right}'"):
        xpnet.get_backend(wrong)


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_is_not_there_is_named(name):
    require(name)
    for device in ("nowhere", "cuda:99"):
        with pytest.raises(BackendError, match=device):
            xpnet.get_backend(name, device)


# Libraries that cannot be used


@pytest.mark.parametrize(
    ("name", "install"), [("torch", "xpnet[torch]"), ("jax", "xpnet[jax]"), ("cupy", "xpnet[cuda12]")]
)
def test_a_library_that_is_not_installed(monkeypatch, name, install):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BackendError) as raised:
        xpnet.get_backend(name)
    assert str(raised.value).startswith(f"{name} is not installed: ")
    assert install in str(raised.value)
    info = xpnet.available_backends()[name]
    assert (info.available, info.reason) == (False, str(raised.value))


@pytest.mark.parametrize(
    "failure", ["ImportError('libdevice.so is missing')", "OSError('libdevice.so is missing')"]
)
def test_a_library_that_cannot_be_loaded(tmp_path, failure):
    (tmp_path / "jax.py").write_text(f"raise {failure}")
    code = """
        import xpnet
        try:
            xpnet.get_backend("jax")
        except xpnet.XpnetError as error:
            print(error)
    """
    told = python(code, PYTHONPATH=path_with(tmp_path))
    assert told.startswith("jax is installed but cannot be loaded: libdevice.so is missing; try: pip install")


CUPY = """
    class CUDARuntimeError(RuntimeError):
        pass

    class runtime:
        CUDARuntimeError = CUDARuntimeError

        @staticmethod
        def getDeviceCount():
            {answer}

    class cuda:
        runtime = runtime

    __version__ = "99.0"
"""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("raise CUDARuntimeError('cudaErrorInsufficientDriver')", "no CUDA device answers: cudaErrorInsuf"),
        ("return 0", "the driver shows no CUDA device"),
    ],
)
def test_cupy_without_a_device(tmp_path, answer, reason):
    """The stub stands for CuPy on a machine without a driver: it imports, and the first call fails."""
    (tmp_path / "cupy.py").write_text(textwrap.dedent(CUPY).format(answer=answer))
    code = """
        import sys, types
        sys.modules["array_api_compat.cupy"] = types.ModuleType("array_api_compat.cupy")
        import xpnet
        print(xpnet.get_backend().name)
        print(xpnet.available_backends()["cupy"])
        try:
            xpnet.get_backend("cupy")
        except xpnet.XpnetError as error:
            print(error)
    """
    chosen, info, told = python(code, PYTHONPATH=path_with(tmp_path)).splitlines()
    assert chosen == "numpy"
    assert "available=False, version='99.0'" in info
    assert told.startswith("CuPy 99.0 is installed but ")
    assert reason in told


def path_with(folder):
    from pathlib import Path

    return f"{folder}:{Path(xpnet.__file__).parent.parent}"


# Arrays in and out


@pytest.mark.parametrize("dtype", SAMPLES)
@pytest.mark.parametrize("source", BACKENDS)
def test_arrays_go_from_each_library_to_each(backend, source, dtype):
    require(source)
    expected = SAMPLES[dtype]
    with BACKENDS[source]() as other:
        foreign = other.asarray(expected)
        assert_close(backend, backend.asarray(foreign), expected)
        np.testing.assert_array_equal(to_host(foreign), expected)


def test_sixty_four_bits_arrive_whole(backend):
    for sample in (np.asarray([0.1, 1e300]), np.asarray([2**53 + 1, -5])):
        assert_close(backend, backend.asarray(sample), sample)


def test_asarray_converts_to_the_dtype_that_is_asked_for(backend):
    assert_close(backend, backend.asarray([1, 2], "float32"), np.asarray([1, 2], dtype=np.float32))
    assert_close(backend, backend.asarray([[1.5], [2.5]], "int32"), np.asarray([[1], [2]], dtype=np.int32))
    assert backend.dtype("float32") == backend.xp.float32


def test_an_array_that_fits_is_not_copied(backend):
    first = backend.asarray(np.ones(3, dtype=np.float32))
    again = backend.asarray(first, "float32")
    assert address(again) == address(first)


def address(array):
    """Return where an array's numbers lie."""
    if isinstance(array, np.ndarray):
        return array.ctypes.data
    for method in ("data_ptr", "unsafe_buffer_pointer"):
        if hasattr(array, method):
            return getattr(array, method)()
    return array.data.ptr if hasattr(array, "data") else id(array)


def aligned_zeros():
    """Return an array that begins where JAX can share it: XLA asks for multiples of 64 bytes."""
    room = np.zeros(64 * 4 + 64, dtype=np.uint8)
    start = -room.ctypes.data % 64
    return room[start : start + 64 * 4].view(np.float32)


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(["numpy", "torch", "jax"], 2)))
def test_libraries_on_the_same_device_share_memory(source, target):
    require(source)
    require(target)
    made = xpnet.get_backend(source).asarray(aligned_zeros())
    assert address(xpnet.get_backend(target).asarray(made)) == address(made)


def test_cupy_and_torch_share_memory_on_a_gpu():
    require("cupy")
    require("torch")
    if xpnet.get_backend("torch").device.type != "cuda":
        pytest.skip("this PyTorch computes on no CUDA device")
    for source, target in (("cupy", "torch"), ("torch", "cupy")):
        made = xpnet.get_backend(source).asarray(np.arange(64, dtype=np.float32))
        assert address(xpnet.get_backend(target).asarray(made)) == address(made)


def test_results_are_open_to_dlpack(backend):
    result = xpnet.MLP([3, 2], backend=backend).logits(np.ones((4, 3), dtype=np.float32))
    shared = result if isinstance(result, np.ndarray) else backend.xp.from_dlpack(result)
    np.testing.assert_array_equal(to_host(shared), backend.to_numpy(result))


def test_what_is_read_only_is_copied_or_left_alone(backend):
    source = np.arange(4.0)
    source.flags.writeable = False
    assert_close(backend, backend.asarray(source), source)


def test_a_network_shares_its_parameters_with_nobody(backend):
    W, b = np.ones((3, 2)), np.zeros(2)
    net = xpnet.MLP.from_params({"W1": W, "b1": b}, backend=backend, dtype="float64")
    W[:] = -1.0
    assert_close(backend, net.params["W1"], np.ones((3, 2)))


@pytest.mark.parametrize("wrong", [["a", "b"], [None, 1], [1 + 2j]])
def test_only_numbers_become_arrays(backend, wrong):
    with pytest.raises(InvalidInputError, match="must be an array of real numbers"):
        backend.asarray(wrong)


# Memory and time


def test_memory_is_a_part_of_what_there_is(backend):
    used, free, total = backend.memory()
    assert 0 <= used < total
    assert 0 < free <= total
    assert total > 2**28


def test_memory_sees_a_large_array(backend):
    before = backend.memory().used
    large = backend.asarray(np.ones(2**24, dtype=np.float32))
    backend.synchronize()
    assert backend.memory().used - before > 2**25, "64 MB were made"
    assert large.shape == (2**24,)


def test_what_compiles_computes_the_same(backend):
    """A function of lists of arrays, and a loop in it of a length that is told when it runs."""
    if not backend.compiles:
        pytest.skip(f"{backend.name} does not compile")

    def program(state, rows, count):
        def step(carried, row):
            total = carried[0] + row[0]
            return [total], backend.xp.sum(total)

        return backend.scan(step, state, [*rows, None], count)

    rows = np.arange(12.0).reshape(4, 3)
    with backend.scope():
        program = backend.jit(program)
        for count in (2, 4):
            state, losses = program([backend.asarray(np.ones(3))], [backend.asarray(rows)], np.int32(count))
            assert_close(backend, state[0], 1.0 + rows[:count].sum(axis=0))
            totals = np.zeros(4)
            totals[:count] = (1.0 + np.cumsum(rows[:count], axis=0)).sum(axis=1)
            assert_close(backend, losses, totals)


# JAX's 64-bit mode


def test_float64_switches_the_64_bit_mode_of_jax_on():
    require("jax")
    code = """
        import jax, numpy as np, xpnet
        x, t = np.full((4, 3), 0.1), np.asarray([0, 1, 1, 0])
        small = xpnet.MLP([3, 2], backend="jax")
        xpnet.train(small, x, t, batch_size=2, iterations=2)
        print(jax.config.jax_enable_x64, small.params["W1"].dtype, small.logits(x).dtype)
        net = xpnet.MLP([3, 2], backend="jax", dtype="float64")
        xpnet.train(net, x, t, batch_size=2, iterations=2)
        reference = xpnet.MLP([3, 2], backend="numpy", dtype="float64")
        xpnet.train(reference, x, t, batch_size=2, iterations=2)
        difference = np.abs(np.asarray(net.logits(x)) - reference.logits(x)).max()
        print(jax.config.jax_enable_x64, net.params["W1"].dtype, net.logits(x).dtype, difference < 1e-15)
    """
    before, after = python(code).splitlines()
    assert before == "False float32 float32"
    assert after == "True float64 float64 True"


def test_jax_without_64_bits_refuses_integers_that_it_would_cut():
    require("jax")
    code = """
        import numpy as np, xpnet
        net = xpnet.MLP([1, 4], backend="jax")
        try:
            net.loss(np.ones((1, 1)), np.asarray([2**32 + 3]))
        except xpnet.XpnetError as error:
            print(error)
    """
    assert "4294967299" in python(code)
