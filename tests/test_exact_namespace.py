"""The exact namespace: what it offers and refuses, and a network that trains to the same bits everywhere."""

import gc
import hashlib
import weakref

import array_api_compat.numpy as np
import flushing
import numpy
import pytest
from test_exact_functions import sigmoid
from test_exact_matmul import DTYPES, same_bits

from xpnet.arithmetic import exact
from xpnet.arithmetic.exact import FLUSHED, OF_ONE_KIND, PINNED, REPLACED, SAME_BITS
from xpnet.errors import XpnetError

backend = flushing.backend

ACTIVATIONS = {
    "relu": (lambda xp, z: xp.maximum(z, 0.0), lambda y: (y > 0) * 1.0),
    "tanh": (lambda xp, z: xp.tanh(z), lambda y: 1.0 - y * y),
    "sigmoid": (sigmoid, lambda y: y * (1.0 - y)),
}


def train(backend, xp, activation, dtype, steps=20):
    """Return the SHA-256 of the weights of a small network of two layers, after some steps with momentum."""
    rng = numpy.random.default_rng(0)
    dtype_ = getattr(backend.xp, dtype)
    shapes = {"W1": (64, 20), "b1": (20,), "W2": (20, 5), "b2": (5,)}
    params = {
        k: backend.asarray((rng.integers(-1000, 1000, s) / 4096).astype(dtype)) for k, s in shapes.items()
    }
    velocity = {k: xp.zeros_like(v) for k, v in params.items()}
    forward, _ = ACTIVATIONS[activation]
    for _ in range(steps):
        x = backend.asarray(rng.integers(0, 256, (32, 64), dtype="uint8"))
        t = backend.asarray(numpy.eye(5, dtype=dtype)[rng.integers(0, 5, 32)])
        h = forward(xp, xp.matmul(x, params["W1"]) * (1 / 255) + params["b1"])
        y = xp.matmul(h, params["W2"]) + params["b2"]
        e = xp.exp(y - xp.max(y, axis=1, keepdims=True))
        d = (xp.divide(e, xp.sum(e, axis=1, keepdims=True)) - t) * (1 / 32)
        slope = (
            xp.where(h > 0, xp.ones_like(h), xp.zeros_like(h))
            if activation == "relu"
            else ACTIVATIONS[activation][1](h)
        )
        dz = xp.matmul(d, xp.matrix_transpose(params["W2"])) * slope
        gradient = {
            "W1": xp.matmul(xp.matrix_transpose(x), dz * (1 / 255)),
            "b1": xp.sum(dz, axis=0),
            "W2": xp.matmul(xp.matrix_transpose(h), d),
            "b2": xp.sum(d, axis=0),
        }
        velocity = {k: v * 0.9 - gradient[k] * 0.5 for k, v in velocity.items()}
        params = {k: v + velocity[k] for k, v in params.items()}
    assert all(v.dtype == dtype_ for v in params.values())
    host = {k: backend.to_numpy(v) for k, v in params.items()}
    return hashlib.sha256(b"".join(host[k].tobytes() for k in sorted(host))).hexdigest()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_network_trains_to_the_same_bits_on_every_library(backend, activation, dtype):
    from xpnet.backends import get_backend

    expected = train(get_backend("numpy"), exact(np), activation, dtype)
    assert train(backend, exact(backend.xp), activation, dtype) == expected


@pytest.mark.parametrize("function", ["matmul", "sum", "exp", "divide"])
def test_one_operation_of_the_library_s_own_is_noticed(function):
    """The fingerprint parts as soon as one exact operation is swapped for NumPy's."""
    from xpnet.backends import get_backend

    class Broken:
        def __getattr__(self, name):
            return getattr(exact(np), name)

        def matmul(self, a, b):
            return exact(np).matmul(a, b) if function != "matmul" else np.matmul(a.astype(b.dtype), b)

    broken, backend = Broken(), get_backend("numpy")
    if function != "matmul":
        setattr(broken, function, getattr(np, function))
    assert train(backend, broken, "sigmoid", "float64") != train(backend, exact(np), "sigmoid", "float64")


def test_no_namespace_is_kept_alive():
    """A fresh namespace records each training run, and refers to its data."""

    class Recording:
        def __getattr__(self, name):
            return getattr(np, name)

    library = Recording()
    gone = weakref.ref(library), weakref.ref(exact(library))
    del library
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_it_has_what_the_standard_calls_a_namespace(xp):
    assert exact(xp).__array_api_version__ == xp.__array_api_version__
    assert exact(xp).__array_namespace_info__().dtypes(kind="real floating")
    for name in (*REPLACED, *PINNED, *OF_ONE_KIND, *FLUSHED, *SAME_BITS):
        assert hasattr(exact(xp), name) or not hasattr(xp, name), name


@pytest.mark.parametrize(
    "name", ["sin", "pow", "var", "std", "tensordot", "linalg", "cumulative_sum", "logaddexp"]
)
def test_what_is_not_the_same_bits_is_refused(xp, name):
    with pytest.raises(XpnetError, match=f"no {name!r}"):
        getattr(exact(xp), name)
    assert not hasattr(exact(xp), name)


def test_the_larger_of_two_zeros_is_positive(backend):
    xp = exact(backend.xp)
    a, b = numpy.asarray([0.0, -0.0] * 9), numpy.asarray([-0.0, 0.0] * 9)
    for name in ("maximum", "minimum"):
        zeros = backend.to_numpy(getattr(xp, name)(backend.asarray(a), backend.asarray(b)))
        assert same_bits(zeros, numpy.zeros(18))


def test_conversion_makes_zeros_of_subnormal_numbers(backend):
    xp = exact(backend.xp)
    x = numpy.asarray([1e-40, -1e-40, 0.1, 1e39])
    with numpy.errstate(over="ignore"):
        small = xp.astype(backend.asarray(x), backend.xp.float32)
    assert same_bits(backend.to_numpy(small), numpy.asarray([0, 0, 0.1, numpy.inf], dtype="float32"))
    back = xp.astype(backend.asarray(numpy.asarray([1e-40, 0.1], dtype="float32")), backend.xp.float64)
    assert same_bits(backend.to_numpy(back), numpy.asarray([0, numpy.float32(0.1)], dtype="float64"))
    assert (
        backend.to_numpy(xp.astype(backend.asarray(numpy.asarray([1.0])), backend.xp.int32)).dtype
        == numpy.int32
    )
