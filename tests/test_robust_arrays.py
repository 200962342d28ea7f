"""Arrays as they come: with a history, sparse, backwards, of dtypes that a library lacks, too large."""

import numpy as np
import pytest
from conftest import assert_close
from test_backends import python

import xpnet
from xpnet.backends.host import plain, to_host
from xpnet.errors import InvalidInputError

TEXT = np.asarray(["a", "b"])

# PyTorch's own ways


def test_a_tensor_leaves_its_history_behind(backend, torch):
    ones = torch.ones(3, device="cpu")
    for tensor in (torch.nn.Parameter(ones), ones.clone().requires_grad_()):
        for made in (tensor, tensor * 2.0):
            taken = backend.asarray(made)
            assert not getattr(taken, "requires_grad", False)
            np.testing.assert_array_equal(to_host(taken), made.detach().numpy())


def test_training_records_no_graph(torch):
    x = torch.rand((20, 4), device="cpu", requires_grad=True)
    params = {
        "W1": torch.rand((4, 2), device="cpu", requires_grad=True),
        "b1": torch.zeros(2, device="cpu", requires_grad=True),
    }
    net = xpnet.MLP.from_params(params, backend=xpnet.get_backend("torch", "cpu"))
    xpnet.train(net, x, np.arange(20) % 2, batch_size=5, iterations=3)
    assert not net.logits(x).requires_grad
    assert not any(p.requires_grad for p in net.params.values())
    assert params["W1"].requires_grad, "the user's own tensor stays as it is"


def test_conjugates_and_negatives_are_settled(backend, torch):
    negative = torch.imag(torch.conj(torch.ones(2, device="cpu") * (1 + 2j)))
    assert negative.is_neg()
    np.testing.assert_array_equal(to_host(backend.asarray(negative)), [-2.0, -2.0])


def sparse_tensor(torch):
    return torch.ones((2, 2), device="cpu").to_sparse()


def quantised(torch):
    return torch.empty(2, device="cpu", dtype=torch.quint8)


@pytest.mark.filterwarnings("ignore")  # PyTorch calls these a prototype, and quantised tensors outdated
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (sparse_tensor, r"x is a tensor of layout sparse_coo: give it whole, x\.to_dense\(\)"),
        (
            lambda torch: torch.ones((2, 2), device="cpu").to_sparse_csr(),
            r"layout sparse_csr.*x\.to_dense\(\)",
        ),
        (lambda torch: torch.ones(2, device="meta"), "x lies on PyTorch's device 'meta', which holds no num"),
        (lambda torch: torch.nested.nested_tensor([torch.ones(2, device="cpu")]), "nested.*padded"),
        (
            lambda torch: torch.ones(2, device="cpu", dtype=torch.complex64).conj(),
            "x must be an array of real numbers, not one of dtype complex64",
        ),
        (quantised, r"x is quantised, torch\.quint8: give x\.dequantize\(\)"),
    ],
)
def test_tensors_without_plain_numbers_are_refused(backend, torch, make, message):
    with pytest.raises(InvalidInputError, match=message):
        backend.asarray(make(torch), name="x")


# Other libraries' own ways


@pytest.mark.parametrize("kind", ["csr_matrix", "coo_array", "lil_array"])
def test_sparse_matrices_are_refused(backend, kind):
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(
        InvalidInputError, match=rf"x is sparse, a {kind}: give it whole, as x\.toarray\(\) is"
    ):
        backend.asarray(getattr(sparse, kind)(np.eye(3)), name="x")


def test_sparse_arrays_of_jax_are_refused(backend):
    sparse = pytest.importorskip("jax.experimental.sparse")
    with pytest.raises(InvalidInputError, match=r"x is sparse, a BCOO: give it whole, as x\.todense\(\) is"):
        backend.asarray(sparse.BCOO.fromdense(np.eye(2, dtype=np.float32)), name="x")


def test_masked_arrays_are_refused(backend):
    with pytest.raises(InvalidInputError, match=r"x is a masked array: fill what is masked, x\.filled"):
        backend.asarray(np.ma.masked_array([1.0, 2.0], [True, False]), name="x")


class Refusing:
    """An array of an unknown library, which does not give its numbers away by itself."""

    def __array__(self, dtype=None, copy=None):
        raise TypeError("implicit conversion is not allowed")


@pytest.mark.parametrize(
    "bad", [None, "text", {1: 2}, {1, 2}, [[1.0], [2.0, 3.0]], TEXT, object(), Refusing()]
)
def test_what_is_no_array_is_told_by_its_name(backend, bad):
    with pytest.raises(InvalidInputError, match=r"^t must be an array of real numbers") as raised:
        backend.asarray(bad, name="t")
    assert isinstance(raised.value, ValueError)


def test_the_way_to_the_host_knows_the_name():
    with pytest.raises(InvalidInputError, match=r"^x must"):
        to_host([[1.0], [2.0, 3.0]], "x")
    with pytest.raises(InvalidInputError, match=r"^x must"):
        plain(TEXT, "x")
    with pytest.raises(InvalidInputError, match=r"^array must"):
        plain(TEXT)


# Memory orders

STRIDED = {
    "backwards": np.arange(12.0)[::-1],
    "both ways": np.arange(12.0).reshape(3, 4)[::-1, ::-1],
    "one backwards": np.ones(1)[::-1],
    "empty backwards": np.ones((0, 3))[::-1],
    "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
    "part": np.arange(12.0).reshape(3, 4)[:, 1:],
    "number": np.asarray(3.0),
}


@pytest.mark.parametrize("order", STRIDED)
@pytest.mark.parametrize("writeable", [True, False])
def test_any_memory_order_is_taken(backend, order, writeable):
    sample = STRIDED[order].view()
    sample.flags.writeable = writeable
    assert_close(backend, backend.asarray(sample), STRIDED[order])


@pytest.mark.parametrize("order", STRIDED)
def test_contiguous_lays_rows_one_after_the_other(backend, order):
    own = backend.contiguous(backend.asarray(STRIDED[order]))
    assert_close(backend, own, STRIDED[order])
    assert backend.contiguous(own) is own
    if hasattr(own, "is_contiguous"):
        assert own.is_contiguous()
    elif hasattr(own, "flags"):
        assert own.flags.c_contiguous


# Dtypes that some library lacks


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float8_e5m2", "float16"])
def test_small_floats_become_float32(backend, dtype):
    small = np.asarray([[0.5, -2.0, 1.5]], _dtype(dtype))
    assert_close(backend, backend.asarray(small), small.astype(np.float32))


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float16"])
def test_small_floats_of_pytorch_become_float32(backend, torch, dtype):
    small = torch.tensor([[0.5, -2.0, 1.5]], device="cpu").to(getattr(torch, dtype))
    assert_close(backend, backend.asarray(small), np.asarray([[0.5, -2.0, 1.5]], np.float32))


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn", "float16"])
def test_small_floats_of_jax_become_float32(backend, dtype):
    jnp = pytest.importorskip("jax.numpy")
    small = jnp.asarray([[0.5, -2.0, 1.5]], getattr(jnp, dtype))
    assert_close(backend, backend.asarray(small), np.asarray([[0.5, -2.0, 1.5]], np.float32))


def test_small_integers_are_widened(backend):
    small = np.asarray([1, -2, 7], _dtype("int4"))
    assert_close(backend, backend.asarray(small), np.asarray([1, -2, 7], np.int8))


def _dtype(name):
    return np.dtype(name) if name == "float16" else getattr(pytest.importorskip("ml_dtypes"), name)


def test_long_doubles_become_float64(backend):
    third = np.asarray([np.longdouble(1) / 3, 2])
    assert_close(backend, backend.asarray(third), np.asarray([1 / 3, 2.0]))


def test_a_network_reads_small_floats(backend, torch):
    x = np.asarray([[0.5, -2.0, 1.5]])
    net = xpnet.MLP([3, 2], backend=backend, dtype="float64")
    expected = to_host(net.logits(x))
    for small in (
        x.astype(np.float16),
        x.astype(np.longdouble),
        torch.tensor(x.tolist(), device="cpu").bfloat16(),
    ):
        np.testing.assert_array_equal(to_host(net.logits(small)), expected)


@pytest.mark.parametrize("dtype", ["uint16", "uint32", "uint64", ">u8"])
def test_unsigned_integers_that_fit_become_int64(backend, dtype):
    largest = min(np.iinfo(dtype).max, 2**63 - 1)
    sample = np.asarray([0, largest], dtype)
    assert_close(backend, backend.asarray(sample), np.asarray([0, largest], np.int64))


def test_integers_beyond_int64_are_refused(backend):
    for large in (np.asarray([1, 2**63], np.uint64), [2**63], np.asarray([2**63], ">u8")):
        with pytest.raises(InvalidInputError, match="x holds the integer 9223372036854775808, beyond int64"):
            backend.asarray(large, name="x")
    with pytest.raises(InvalidInputError, match="x must be an array of real numbers"):
        backend.asarray([2**70], name="x")


def test_unsigned_tensors(backend, torch):
    for dtype in (torch.uint16, torch.uint32, torch.uint64):
        tensor = torch.tensor([0, 65535], device="cpu", dtype=torch.int64).to(dtype)
        assert_close(backend, backend.asarray(tensor), np.asarray([0, 65535]))
    with pytest.raises(InvalidInputError, match="t holds the integer 18446744073709551615, beyond int64"):
        backend.asarray(torch.tensor([-1], device="cpu").to(torch.uint64), name="t")


def test_jax_without_64_bits_refuses_what_others_would_have_cut(torch):
    pytest.importorskip("jax")
    code = """
        import jax, numpy as np, torch, xpnet
        backend = xpnet.get_backend("jax")
        for large in (np.asarray([2**32 + 3]), torch.tensor([2**32 + 3]), [2**32 + 3]):
            try:
                print(backend.asarray(large, name="t"))
            except xpnet.XpnetError as error:
                print(type(error).__name__, error)
        print(backend.asarray(torch.tensor([5])), backend.asarray(jax.numpy.asarray([5], "uint32")).dtype)
    """
    *refused, taken = python(code).splitlines()
    assert (
        refused == ["InvalidInputError t: JAX outside its 64-bit mode cannot hold the integer 4294967299"] * 3
    )
    assert taken == "[5] int32"
