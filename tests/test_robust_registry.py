"""Backends of other people: registered, announced by a package, broken; and names that are none."""

import textwrap

import numpy as np
import pytest
from conftest import require
from test_backends import NAMES, path_with, python

import xpnet
from xpnet.backends import backend_info, get_backend
from xpnet.backends.host import to_host
from xpnet.backends.known import forget_backend
from xpnet.backends.numpy import NumpyBackend
from xpnet.errors import BackendError, InvalidInputError


class Box:
    """An array of a library that nobody knows: it shows its numbers to its own backend alone."""

    def __init__(self, numbers):
        self.numbers = np.asarray(numbers)


class BoxBackend(NumpyBackend):
    """NumPy, which also takes boxes."""

    name = "box"
    libraries = (__name__.partition(".")[0],)

    @classmethod
    def to_numpy(cls, array):
        return array.numbers if isinstance(array, Box) else super().to_numpy(array)


@pytest.fixture
def box():
    assert xpnet.register_backend(BoxBackend) is BoxBackend
    yield BoxBackend()
    forget_backend("box")


# Registered


def test_a_registered_backend_is_known_everywhere(box):
    assert get_backend("box") == box
    assert xpnet.available_backends()["box"].available
    assert list(xpnet.available_backends()) == [*NAMES, "box"]
    with pytest.raises(InvalidInputError, match=r"did you mean 'box'.*array_api_strict, auto, box, cupy"):
        get_backend("bxo")
    net = xpnet.MLP([2, 2], backend="box")
    xpnet.train(net, np.ones((4, 2)), [0, 1, 0, 1], batch_size=2, iterations=2)
    forget_backend("box")
    assert "box" not in xpnet.available_backends()


def test_the_environment_variable_may_name_it(box, monkeypatch):
    monkeypatch.setenv("XPNET_BACKEND", "box")
    assert get_backend().name == "box"


def test_its_arrays_go_to_every_library(box, backend):
    np.testing.assert_array_equal(to_host(Box([1.0, 2.0])), [1.0, 2.0])
    np.testing.assert_array_equal(to_host(backend.asarray(Box([1.0, 2.0]))), [1.0, 2.0])
    forget_backend("box")
    with pytest.raises(InvalidInputError, match="x must be an array of real numbers"):
        backend.asarray(Box([1.0, 2.0]), name="x")


def test_what_derives_from_a_known_array_is_known(box):
    class Smaller(Box):
        pass

    Smaller.__module__ = "elsewhere"
    np.testing.assert_array_equal(to_host(Smaller([3])), [3])


def test_registering_again_replaces(box):
    class Again(BoxBackend):
        pass

    xpnet.register_backend(Again)
    assert type(get_backend("box")) is Again


class Unfinished(xpnet.Backend):
    name = "unfinished"


class Nameless(NumpyBackend):
    name = None  # type: ignore[assignment]


class Taken(NumpyBackend):
    name = "torch"


class Auto(NumpyBackend):
    name = "auto"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (NumpyBackend(), "no subclass of xpnet.Backend"),
        (dict, "no subclass of xpnet.Backend"),
        (Unfinished, "it lacks __init__, from_numpy, info, memory, owns, to_numpy"),
        (Nameless, "its attribute 'name' must be its name, not None"),
        (Taken, "the name 'torch' is taken"),
        (Auto, "the name 'auto' is taken"),
    ],
)
def test_what_is_no_backend_is_not_registered(wrong, message):
    with pytest.raises(InvalidInputError, match=f"cannot register .*{message}"):
        xpnet.register_backend(wrong)


# Announced by a package

MODULE = """
    print("loaded")
    from xpnet.backends.numpy import NumpyBackend

    class Announced(NumpyBackend):
        name = "announced"
        libraries = ("foreign",)

        @classmethod
        def to_numpy(cls, array):
            return getattr(array, "numbers", array)

    class Broken(NumpyBackend):
        name = "broken"

        @classmethod
        def info(cls):
            raise KeyError("no driver")
"""
POINTS = """
    [xpnet.backends]
    announced = announcing:Announced
    broken = announcing:Broken
    gone = missing_module:Backend
    lost = announcing:Missing
    other = announcing:Announced
    nothing = announcing:NumpyBackend.name
"""


@pytest.fixture
def package(tmp_path):
    """A folder with a package that announces backends, most of them broken."""
    (tmp_path / "announcing.py").write_text(textwrap.dedent(MODULE))
    (tmp_path / "foreign.py").write_text("class Array:\n    numbers = __import__('numpy').ones(2)")
    told = tmp_path / "announcing-1.0.dist-info"
    told.mkdir()
    (told / "METADATA").write_text("Metadata-Version: 2.1\nName: announcing\nVersion: 1.0\n")
    (told / "entry_points.txt").write_text(textwrap.dedent(POINTS))
    return path_with(tmp_path)


def test_an_announced_backend_is_loaded_when_it_is_asked_for(package):
    code = """
        import numpy as np, xpnet
        xpnet.get_backend("numpy").asarray([1.0]), xpnet.MLP([2, 2], backend="numpy").logits(np.ones((1, 2)))
        print("before")
        print(xpnet.get_backend("announced"))
        try:
            xpnet.get_backend("anounced")
        except xpnet.XpnetError as error:
            print(error)
    """
    before, loaded, found, told = python(code, PYTHONPATH=package).splitlines()
    assert (before, loaded) == ("before", "loaded")
    assert found == "<xpnet backend 'announced' on cpu>"
    assert "did you mean 'announced'" in told


def test_its_arrays_are_known_before_it_is_loaded(package):
    code = """
        import foreign, xpnet
        print(xpnet.get_backend("numpy").asarray(foreign.Array()))
        print(xpnet.get_backend("numpy").asarray(range(3)))
    """
    assert python(code, PYTHONPATH=package).splitlines() == ["loaded", "[1. 1.]", "[0 1 2]"]


def test_broken_ones_are_told_and_harm_nobody(package):
    code = """
        import xpnet
        for name, info in xpnet.available_backends().items():
            print(name, info.available, info.reason)
        for name in ("gone", "broken"):
            try:
                print(xpnet.get_backend(name))
            except xpnet.XpnetError as error:
                print(type(error).__name__, error)
        print(xpnet.get_backend("numpy").asarray(range(2)))
    """
    told = python(code, PYTHONPATH=package)
    package = "a backend of the package announcing, cannot be loaded from"
    assert "announced True None" in told
    assert f"gone False gone, {package} missing_module:Backend: No module named 'missing_module'" in told
    assert f"lost False lost, {package} announcing:Missing: " in told
    assert f"nothing False nothing, {package} announcing:NumpyBackend.name: it is no subclass" in told
    assert f"other False other, {package} announcing:Announced: its attribute 'name'" in told
    assert "broken False broken cannot tell its devices: 'no driver'" in told
    assert "BackendError gone, a backend of" in told
    assert "<xpnet backend 'broken' on cpu>" in told
    assert told.endswith("[0 1]\n")


def test_a_library_that_raises_whatever_it_likes(tmp_path):
    (tmp_path / "jax.py").write_text("raise AttributeError('numpy has no attribute bool8')")
    code = """
        import xpnet
        print(xpnet.available_backends()["jax"].reason)
    """
    told = python(code, PYTHONPATH=path_with(tmp_path))
    assert told.startswith("jax is installed but cannot be loaded: numpy has no attribute bool8; try: pip")


def test_importing_the_package_looks_for_no_announcement():
    code = """
        import sys, numpy
        before = "importlib.metadata" in sys.modules
        import xpnet
        print(before or "importlib.metadata" not in sys.modules)
    """
    assert python(code) == "True\n"


# Names and devices


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("XPNET_BACKEND", "")
    assert get_backend().name in ("cupy", "numpy")


@pytest.mark.parametrize("wrong", [None, 3, NumpyBackend, ["numpy"], True])
def test_what_is_no_name_is_refused(wrong):
    with pytest.raises(InvalidInputError, match="backend must be a name, as 'numpy', or a Backend, not "):
        get_backend(wrong)


@pytest.mark.parametrize("wrong", ["", "nobody"])
def test_unknown_names_are_refused(wrong):
    with pytest.raises(InvalidInputError, match="unknown backend"):
        get_backend(wrong)
    with pytest.raises(InvalidInputError, match="unknown backend"):
        backend_info(wrong)


def test_a_device_beside_a_backend_is_heeded():
    require("array_api_strict")
    backend = get_backend("array_api_strict")
    other = get_backend(backend, "device1")
    assert (str(other.device), str(backend.device)) == (
        "array_api_strict.Device('device1')",
        "array_api_strict.Device('CPU_DEVICE')",
    )
    assert get_backend(other, "device1") is other
    assert get_backend(other) is other
    net = xpnet.MLP([2, 2], backend=backend, device="device2")
    assert net.backend == get_backend("array_api_strict", "device2")
    with pytest.raises(BackendError, match="nowhere"):
        get_backend(backend, "nowhere")


def test_a_backend_keeps_its_class_on_another_device(box):
    assert get_backend(box, "cpu") is box
    with pytest.raises(BackendError, match="cuda:1"):
        get_backend(box, "cuda:1")


@pytest.mark.parametrize("name", NAMES)
def test_a_device_that_is_no_text_ends_in_a_clear_error(name):
    require(name)
    with pytest.raises(BackendError, match="'99'"):
        get_backend(name, 99)


def test_a_device_object_is_taken_by_its_name(torch):
    assert get_backend("torch", torch.device("cpu")) == get_backend("torch", "cpu")
