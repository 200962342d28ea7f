"""Convolution and pooling whatever their settings, against PyTorch; bytes; what does not fit."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xpnet
from xpnet import XpnetError
from xpnet.nn.context import context
from xpnet.nn.layer import NOTHING, Variables
from xpnet.nn.pixels import on_pixels
from xpnet.nn.strips import QUICK, product

C = context(np, np.float64, training=True)
whole = st.integers
of_pytorch = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@st.composite
def windows(draw, most=4):
    """Return size, stride, padding, and an image that has room for a window."""
    size = draw(st.tuples(whole(1, most), whole(1, most)))
    stride = draw(st.tuples(whole(1, 3), whole(1, 3)))
    padding = tuple(draw(whole(0, n - 1)) for n in size)
    image = tuple(n + draw(whole(0, 6)) for n in size)
    return size, stride, padding, image


def gradients(torch, y, dy, *inputs):
    """Return PyTorch's gradients."""
    return [gradient.numpy() for gradient in torch.autograd.grad(y, inputs, dy)]


@of_pytorch
@given(
    shape=windows(),
    groups=whole(1, 3),
    channels=whole(1, 3),
    filters=whole(1, 3),
    bias=st.booleans(),
    seed=whole(0, 2**32 - 1),
)
def test_a_convolution_is_pytorchs(torch, shape, groups, channels, filters, bias, seed):
    size, stride, padding, image = shape
    rng = np.random.default_rng(seed)
    layer = xpnet.Conv2D(groups * filters, size, stride, padding, groups, bias=bias)
    inputs = (groups * channels, *image)
    params = {name: rng.normal(size=p.shape) for name, p in layer.variables(inputs).params.items()}
    x = rng.normal(size=(2, *inputs))
    y, cache, _ = layer.forward(C, Variables(params, {}), x)
    assert y.shape[1:] == layer.output_shape(inputs)
    with torch.device("cpu"):
        leaves = [torch.tensor(leaf, requires_grad=True) for leaf in (x, *params.values())]
        expected = torch.nn.functional.conv2d(*leaves, *([] if bias else [None]), stride, padding, 1, groups)
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-10, atol=1e-11)
        dy = rng.normal(size=y.shape)
        wanted = gradients(torch, expected, torch.tensor(dy), *leaves)
    dx, found = layer.backward(C, Variables(params, {}), dy, cache, True)
    for gradient, its in zip([dx, *found.values()], wanted, strict=True):
        np.testing.assert_allclose(gradient, its, rtol=1e-10, atol=1e-10)


@of_pytorch
@given(shape=windows(), kind=st.sampled_from(["max", "avg"]), seed=whole(0, 2**32 - 1))
def test_a_pooling_is_pytorchs_and_ties_are_too(torch, shape, kind, seed):
    """Of whole numbers from -1 to 1: most windows have several largest elements."""
    size, stride, padding, image = shape
    padding = tuple(min(p, n // 2) for p, n in zip(padding, size, strict=True))  # PyTorch takes no more
    layer = {"max": xpnet.MaxPool2D, "avg": xpnet.AvgPool2D}[kind](size, stride, padding)
    rng = np.random.default_rng(seed)
    x = rng.integers(-1, 2, size=(2, 3, *image)).astype("float64")
    y, cache, _ = layer.forward(C, NOTHING, x)
    assert y.shape[1:] == layer.output_shape(x.shape[1:])
    with torch.device("cpu"):
        leaf = torch.tensor(x, requires_grad=True)
        expected = getattr(torch.nn.functional, f"{kind}_pool2d")(leaf, size, stride, padding)
        np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-12)
        dy = rng.normal(size=y.shape)
        (wanted,) = gradients(torch, expected, torch.tensor(dy), leaf)
    dx, _ = layer.backward(C, NOTHING, dy, cache, True)
    np.testing.assert_allclose(dx, wanted, rtol=1e-12, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.tuples(whole(1, 9), whole(1, 9)), whole(1, 5), whole(1, 4))
def test_same_makes_as_many_windows_as_strides(image, size, stride):
    layer = xpnet.Conv2D(1, size, stride, "same")
    assert layer.output_shape((1, *image)) == (1, *(-(-length // stride) for length in image))
    pooled = xpnet.MaxPool2D(size, stride, "same").output_shape((1, *image))
    assert pooled == layer.output_shape((1, *image))


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_same_puts_what_is_odd_behind_as_pytorch_does(torch, size):
    rng = np.random.default_rng(0)
    x, W = rng.normal(size=(2, 1, 6, 7)), rng.normal(size=(3, 1, size, size))
    y, _, _ = xpnet.Conv2D(3, size, padding="same", bias=False).forward(C, Variables({"W": W}, {}), x)
    before, after = (size - 1) // 2, size // 2
    with torch.device("cpu"):
        around = torch.nn.functional.pad(torch.tensor(x), (before, after, before, after))
        expected = torch.nn.functional.conv2d(around, torch.tensor(W))
    np.testing.assert_allclose(y, expected.numpy(), rtol=1e-10, atol=1e-12)


def test_a_number_stands_for_both_axes():
    assert xpnet.Conv2D(3, 5, 2, 1) == xpnet.Conv2D(3, (5, 5), [2, 2], (1, 1))
    assert xpnet.MaxPool2D(2) == xpnet.MaxPool2D((2, 2), 2, "valid")


@settings(max_examples=50, deadline=None)
@given(whole(1, 40), whole(1, 2000), whole(1, 2000))
def test_products_in_parts_are_products(m, k, n):
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 1, m, k)), rng.normal(size=(1, k, n))
    np.testing.assert_allclose(product(np, a, b), np.matmul(a, b), rtol=1e-9, atol=1e-9)


def test_products_are_cut_where_it_helps():
    shapes = []

    class Watching:
        reshape = staticmethod(np.reshape)

        def matmul(self, a, b):
            shapes.append(a.shape)
            return np.matmul(a, b)

    for m, k, n in ((4, 10, 10), (64, 576, 56), (1, QUICK, 2), (64, 5000, 5000)):
        product(Watching(), np.ones((1, m, k)), np.ones((1, k, n)))
    assert shapes == [(1, 4, 10), (1, 4, 16, 576), (1, 1, QUICK), (1, 64, 5000)]


@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
@pytest.mark.parametrize(
    "layers", [[xpnet.Conv2D(4, 3)], [xpnet.MaxPool2D(2)], [xpnet.ReLU(), xpnet.Conv2D(2, 3, 2)]]
)
def test_bytes_train_as_numbers_from_0_to_1_do(backend, layers, arithmetic):
    pixels = np.random.default_rng(0).integers(0, 256, (20, 64), dtype=np.uint8)
    labels = np.arange(20) % 3
    nets = []
    for x in (pixels, (pixels / 255).astype("float64")):
        whole_net = [*layers, xpnet.Flatten(), xpnet.Dense(3)]
        net = xpnet.Model(whole_net, (1, 8, 8), dtype="float64", arithmetic=arithmetic, backend=backend)
        xpnet.train(net, x, labels, xpnet.SGD(0.1), batch_size=5, iterations=8, progress=False)
        nets.append(net)
    for name, value in nets[0].params.items():
        expected = backend.to_numpy(nets[1].params[name])
        np.testing.assert_allclose(backend.to_numpy(value), expected, rtol=1e-7, atol=1e-9, err_msg=name)


def test_the_scale_of_bytes_is_taken_where_it_is_cheap():
    assert on_pixels(xpnet.Conv2D(3, 5), 0.5) == xpnet.Conv2D(3, 5, scale=0.5)


def test_multiplications_are_counted_in_all_places():
    """So that a chunk of iterations stays short."""
    layers = xpnet.Sequential([xpnet.Conv2D(30, 5), xpnet.MaxPool2D(2), xpnet.Flatten(), xpnet.Dense(10)])
    assert layers.products((1, 28, 28)) == 30 * 25 * 24 * 24 + 30 * 12 * 12 * 10


REFUSED = {
    "windows of": lambda: xpnet.Conv2D(3, 5).output_shape((1, 4, 9)),
    "larger than its inputs": lambda: xpnet.MaxPool2D(3).output_shape((1, 2, 2)),
    "takes images": lambda: xpnet.Conv2D(3, 5).output_shape((784,)),
    "must be less than the size": lambda: xpnet.Conv2D(3, 3, padding=3),
    "padding must be": lambda: xpnet.Conv2D(3, 3, padding="full"),
    "size must be a whole number": lambda: xpnet.Conv2D(3, (3, 0)),
    "stride must be": lambda: xpnet.AvgPool2D(2, 0),
    "filters cannot be cut": lambda: xpnet.Conv2D(3, 3, groups=2),
    "cannot cut 3 channels": lambda: xpnet.Conv2D(4, 3, groups=2).variables((3, 8, 8)),
    "bias must be True or False": lambda: xpnet.Conv2D(3, 3, bias=1),
    r"takes images of the shape \(channels, height, width\)": lambda: xpnet.GlobalAvgPool2D().output_shape(
        (3, 4)
    ),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_told(message):
    with pytest.raises(XpnetError, match=message):
        REFUSED[message]()


def test_a_convolutional_network_learns_and_is_the_same_from_a_file(tmp_path):
    data = xpnet.datasets.load("digits")
    layers = [
        xpnet.Conv2D(8, 3, padding="same"),
        xpnet.ReLU(),
        xpnet.MaxPool2D(2),
        xpnet.Flatten(),
        xpnet.Dense(10),
    ]
    net = xpnet.Model(layers, (1, 8, 8), backend="numpy")
    xpnet.train(net, data.x_train, data.t_train, xpnet.Adam(0.01), epochs=10, progress=False)
    assert net.accuracy(data.x_train, data.t_train) > 0.95
    net.save(tmp_path / "net.safetensors")
    again = xpnet.load(tmp_path / "net.safetensors", backend="numpy")
    assert again.fingerprint() == net.fingerprint()
    assert again.network == net.network
