"""What the gradients of functions must do: nest, compose, refuse, and be those of real problems."""

import numpy as np
import pytest

import xpnet
from xpnet.arithmetic.exact import exact
from xpnet.errors import InvalidInputError
from xpnet.nn.tape.value import NotDifferentiableError
from xpnet.programs.tracing import record
from xpnet.trees import flat, map_tree

NUMPY = xpnet.get_backend("numpy")


def rosenbrock(xp, x):
    head, tail = x[:-1], x[1:]
    return xp.sum(100.0 * xp.square(tail - xp.square(head)) + xp.square(1.0 - head))


def arrays(backend, tree):
    return map_tree(backend.from_numpy, tree)


def test_rosenbrock_and_its_hessian(backend):
    x = np.asarray([0.5, -1.2, 0.8])
    value, gradient = xpnet.value_and_grad(rosenbrock)(backend.xp, backend.from_numpy(x))
    a, b, c = x
    by_hand = [-400 * a * (b - a * a) - 2 * (1 - a), 200 * (b - a * a) - 400 * b * (c - b * b) - 2 * (1 - b)]
    by_hand.append(200 * (c - b * b))
    np.testing.assert_allclose(backend.to_numpy(gradient), by_hand, rtol=1e-12)
    assert float(value) == pytest.approx(rosenbrock(NUMPY.xp, x), rel=1e-14)

    def slope(xp, x, i):
        return xpnet.grad(rosenbrock)(xp, x)[i]

    rows = [backend.to_numpy(xpnet.grad(slope)(backend.xp, backend.from_numpy(x), i)) for i in range(3)]
    hessian = [
        [1200 * a * a - 400 * b + 2, -400 * a, 0.0],
        [-400 * a, 1200 * b * b - 400 * c + 202, -400 * b],
        [0.0, -400 * b, 200.0],
    ]
    np.testing.assert_allclose(rows, hessian, rtol=1e-12, atol=1e-12)


def test_derivatives_of_any_order(backend):
    """Of sin, nine times."""
    f, x = (lambda xp, x: xp.sin(x)), backend.from_numpy(np.asarray(0.7))
    for _ in range(9):
        f = xpnet.grad(f)
    assert float(f(backend.xp, x)) == pytest.approx(np.cos(0.7), rel=1e-12)


def test_levels_are_kept_apart(backend):
    """The example on which perturbations are confused: d/dx (x * d/dy (x + y)) = 1."""
    xp, one = backend.xp, backend.from_numpy(np.asarray(1.0))

    def f(xp, x):
        return x * xpnet.grad(lambda xp, y: x + y)(xp, one)

    assert float(xpnet.grad(f)(xp, one)) == 1.0

    def g(xp, x):  # the outer namespace is called on the inner value
        return xpnet.grad(lambda inner, y: xp.sin(y) * x)(xp, x)

    got = xpnet.grad(g)(xp, backend.from_numpy(np.asarray(0.3)))
    assert float(got) == pytest.approx(np.cos(0.3) - 0.3 * np.sin(0.3), rel=1e-12)


def transformer(xp, p, x, mask):
    """Return the sum of squares of a block's outputs: attention of two heads, then a layer of GELU's kin."""

    def normalised(x):
        centred = x - xp.mean(x, axis=-1, keepdims=True)
        return xp.divide(centred, xp.sqrt(xp.mean(centred * centred, axis=-1, keepdims=True) + 1e-5))

    def heads(y):
        return xp.permute_dims(xp.reshape(y, (*y.shape[:2], 2, -1)), (0, 2, 1, 3))

    z = normalised(x) * p["gain"]
    q, k, v = (heads(xp.matmul(z, p[name])) for name in ("q", "k", "v"))
    scores = xp.matmul(q, xp.matrix_transpose(k)) * 0.5
    scores = xp.where(mask, scores, -1e9)
    weights = xp.exp(scores - xp.max(scores, axis=-1, keepdims=True))
    attended = xp.matmul(xp.divide(weights, xp.sum(weights, axis=-1, keepdims=True)), v)
    x = x + xp.matmul(xp.reshape(xp.permute_dims(attended, (0, 2, 1, 3)), x.shape), p["out"])
    hidden = xp.matmul(normalised(x), p["up"][0]) + p["up"][1]
    hidden = xp.divide(hidden, xp.exp(hidden * -1.702) + 1.0)
    y = x + xp.matmul(hidden, p["down"])
    return xp.sum(y * y)


def transformer_inputs():
    rng = np.random.default_rng(0)
    d = 8
    p = {name: rng.normal(size=(d, d)) * 0.3 for name in ("q", "k", "v", "out")}
    p |= {"gain": rng.normal(size=d), "up": [rng.normal(size=(d, 16)) * 0.3, rng.normal(size=16)]}
    return {**p, "down": rng.normal(size=(16, d)) * 0.3}, rng.normal(size=(2, 5, d)), np.tri(5, dtype=bool)


def decay_of_a_spiral(xp, p, x0):
    """Return how far a neural differential equation ends from a point, after three Runge-Kutta steps."""

    def f(x):
        return xp.matmul(xp.tanh(xp.matmul(x, p["W1"]) + p["b1"]), p["W2"])

    x, h = x0, 0.1
    for _ in range(3):
        k1 = f(x)
        k2 = f(x + k1 * (h / 2))
        k3 = f(x + k2 * (h / 2))
        k4 = f(x + k3 * h)
        x = x + (k1 + k2 * 2.0 + k3 * 2.0 + k4) * (h / 6)
    return xp.sum(xp.square(x - 1.0))


def residual_of_an_equation(xp, p, x):
    """Return the squared residual of ``u'' = -u`` for a network ``u``: second derivatives by its input."""

    def u(xp, x):
        return xp.sum(xp.matmul(xp.tanh(xp.matmul(x, p["W1"]) + p["b1"]), p["W2"]))

    def slope(xp, x):
        return xp.sum(xpnet.grad(u)(xp, x))

    values = xp.matmul(xp.tanh(xp.matmul(x, p["W1"]) + p["b1"]), p["W2"])
    return xp.mean(xp.square(xpnet.grad(slope)(xp, x) + values))


def two_layers(features):
    rng = np.random.default_rng(1)
    W1, W2 = rng.normal(size=(features, 6)), rng.normal(size=(6, features))
    return {"W1": W1, "b1": rng.normal(size=6), "W2": W2}


def data(*shape):
    return np.random.default_rng(2).normal(size=shape)


PROBLEMS = {
    "a Transformer's block": (transformer, *transformer_inputs()),
    "a neural differential equation": (decay_of_a_spiral, two_layers(2), data(4, 2)),
    "a physics-informed loss": (residual_of_an_equation, two_layers(1), data(5, 1)),
}
over_problems = pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)


@over_problems
def test_gradients_of_problems_are_those_of_differences(backend, problem):
    f, p, *others = problem
    gradient = xpnet.grad(f)(backend.xp, arrays(backend, p), *arrays(backend, others))
    rng, h = np.random.default_rng(3), 1e-6
    for _ in range(3):
        way = map_tree(lambda leaf: rng.normal(size=leaf.shape), p)
        above, below = (
            float(f(NUMPY.xp, map_tree(lambda a, w, s=s: a + s * h * w, p, way), *others)) for s in (1, -1)
        )
        got = flat(map_tree(lambda g, w: np.sum(backend.to_numpy(g) * w), gradient, way))
        assert sum(got.values()) == pytest.approx((above - below) / (2 * h), rel=1e-6)


@over_problems
def test_problems_in_exact_arithmetic_have_one_set_of_bits(backend, problem):
    f, p, *others = problem

    def bits(backend):
        found = xpnet.value_and_grad(f)(exact(backend.xp), arrays(backend, p), *arrays(backend, others))
        return map_tree(lambda leaf: (backend.to_numpy(leaf) + 0.0).tobytes(), found)

    assert bits(backend) == bits(NUMPY)


@over_problems
def test_gradients_are_recorded_replayed_and_compiled(backend, problem):
    f, p, *others = problem

    def build(xp):
        return lambda fixed, moving: xpnet.grad(f)(xp, moving, *fixed)

    net = xpnet.MLP([2, 2], backend=backend)
    program = net.programs.function("gradient", build).over(arrays(backend, others))
    for factor in (1.0, 0.5):
        moved = map_tree(lambda leaf, factor=factor: leaf * factor, p)
        got = program(arrays(backend, moved))
        got = got if isinstance(got, dict) else dict(zip(flat(p), got, strict=True))
        wanted = xpnet.grad(f)(NUMPY.xp, moved, *others)
        for name, leaf in flat(wanted).items():
            np.testing.assert_allclose(backend.to_numpy(flat(got)[name]), leaf, rtol=1e-9, atol=1e-11)


def test_under_jit():
    jax = pytest.importorskip("jax")
    f, p, x0 = PROBLEMS["a neural differential equation"]
    compiled = jax.jit(lambda p, x: xpnet.grad(f)(jax.numpy, p, x))
    cast = map_tree(lambda leaf: jax.numpy.asarray(leaf, dtype="float32"), (p, x0))
    for name, leaf in compiled(*cast).items():
        np.testing.assert_allclose(leaf, xpnet.grad(f)(NUMPY.xp, p, x0)[name], rtol=2e-4, atol=1e-5)


def test_nothing_is_computed_that_nobody_needs():
    """Recorded: no product for the data's gradient, none for constants."""

    def f(xp, W, x):
        return xp.sum(xp.matmul(x * 2.0, W))

    W, x = data(3, 2), data(4, 3)
    recording, _ = record(lambda xp: lambda W, x: xpnet.grad(f)(xp, W, x), NUMPY.xp, W, x)
    names = [call.name for call in recording.record.calls]
    assert names == ["multiply", "matmul", "sum", "matrix_transpose", "matmul"]


def test_argnums_and_trees(backend):
    def f(xp, a, b, c):
        return xp.sum(a["x"] * b) * c[0] + xp.sum(a["y"][0])

    args = arrays(backend, ({"x": data(3), "y": (data(2),)}, data(3), [np.asarray(2.0)]))
    (db, da) = xpnet.grad(f, (1, 0))(backend.xp, *args)
    np.testing.assert_allclose(backend.to_numpy(db), 2.0 * data(3))
    np.testing.assert_allclose(backend.to_numpy(da["x"]), 2.0 * data(3))
    assert isinstance(da["y"], tuple)
    np.testing.assert_allclose(backend.to_numpy(da["y"][0]), np.ones(2))
    (dc,) = xpnet.grad(f, -1)(backend.xp, *args)
    np.testing.assert_allclose(backend.to_numpy(dc), np.sum(data(3) * data(3)))


def test_what_nothing_depends_on_has_the_gradient_zero(backend):
    f = lambda xp, p: xp.sum(p["a"]) + 0.0 * xp.sum(xp.floor(p["b"]))  # noqa: E731
    found = xpnet.grad(f)(backend.xp, arrays(backend, {"a": data(2), "b": data(3), "c": data(4)}))
    assert {name: backend.to_numpy(g).tolist() for name, g in found.items()} == {
        "a": [1.0] * 2,
        "b": [0.0] * 3,
        "c": [0.0] * 4,
    }


def test_gradients_have_the_dtype_of_what_they_are_of(backend):
    x = backend.from_numpy(data(3).astype(np.float32))
    y = backend.from_numpy(data(3))
    f = lambda xp, x, y: xp.sum(xp.astype(x, xp.float64) * y)  # noqa: E731
    got = xpnet.grad(f, (0, 1))(backend.xp, x, y)
    assert [g.dtype for g in got] == [x.dtype, y.dtype]


def test_stop_gradient(backend):
    x = backend.from_numpy(data(3))
    f = lambda xp, x: xp.sum(x * xpnet.stop_gradient(x))  # noqa: E731
    np.testing.assert_allclose(backend.to_numpy(xpnet.grad(f)(backend.xp, x)), data(3))
    inner = lambda xp, x: xp.sum(xpnet.grad(f)(xp, x) * x)  # noqa: E731
    np.testing.assert_allclose(backend.to_numpy(xpnet.grad(inner)(backend.xp, x)), data(3))
    assert xpnet.stop_gradient({"a": x})["a"] is x


def test_custom_gradient(backend):
    @xpnet.custom_gradient
    def scaled(xp, p, x):
        y = {"sum": x * p["a"], "rest": [x + p["b"]]}
        return y, lambda dy: ({"b": dy["rest"][0] * 3.0, "a": xp.sum(dy["sum"])}, None)

    def f(xp, p, x):
        y = scaled(xp, p, x * 2.0)
        return xp.sum(y["sum"]) + xp.sum(y["rest"][0])

    p = arrays(backend, {"a": np.asarray(2.0), "b": data(3)})
    x = backend.from_numpy(data(3))
    dp, dx = xpnet.grad(f, (0, 1))(backend.xp, p, x)
    assert [float(dp["a"]), *backend.to_numpy(dp["b"]), *backend.to_numpy(dx)] == [
        3.0,
        3.0,
        3.0,
        3.0,
        0.0,
        0.0,
        0.0,
    ]
    plain = scaled(backend.xp, p, x)
    np.testing.assert_allclose(backend.to_numpy(plain["sum"]), 2.0 * data(3))


def test_custom_gradients_have_gradients():
    @xpnet.custom_gradient
    def cubed(xp, x):
        return x * x * x, lambda dy: dy * (3.0 * x * x)

    f = lambda xp, x: cubed(xp, x)  # noqa: E731
    assert float(xpnet.grad(xpnet.grad(f))(NUMPY.xp, np.asarray(2.0))) == 12.0


def test_a_custom_gradient_of_another_shape_is_told():
    wrong = xpnet.custom_gradient(lambda xp, x: (x * 1.0, lambda dy: xp.sum(dy)))
    with pytest.raises(InvalidInputError, match=r"must have the shape of its argument, \(3,\); .* \(\)"):
        xpnet.grad(lambda xp, x: xp.sum(wrong(xp, x)))(NUMPY.xp, data(3))


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda xp, x: xp.sum(xp.nextafter(x, x)), "xp.nextafter has no vector-Jacobian product"),
        (lambda xp, x: xp.sum(xp.fft.fft(x)), "xp.fft has no vector-Jacobian product"),
        (lambda xp, x: xp.sum(x[x > 0]), r"x\[mask\] has no gradient"),
        (lambda xp, x: x.sum(), "the tape does not know the method or attribute 'sum'"),
        (lambda xp, x: sum(x), "xp.unstack"),
        (lambda xp, x: x * float(x[0]), "would lose its gradient"),
        (lambda xp, x: xp.sum(x) if xp.sum(x) else x, "would lose its gradient"),
        (lambda xp, x: xp.sum(x[:, xp.asarray([0])]), "as the first parts of a key alone"),
        (lambda xp, x: x, r"must return one real number, .* it returned shape \(3,\), float64"),
        (lambda xp, x: None, "it returned None"),
        (lambda xp, x: xp.sum(xp.astype(x, xp.int64)), "it returned shape .*int64"),
    ],
    ids=lambda item: "",
)
def test_what_has_no_gradient_is_told(f, message):
    with pytest.raises(InvalidInputError, match=message):
        xpnet.grad(f)(NUMPY.xp, data(3))


def test_assignment_is_refused():
    def f(xp, x):
        x[0] = 1.0
        return xp.sum(x)

    with pytest.raises(NotDifferentiableError, match=r"choose with xp\.where"):
        xpnet.grad(f)(NUMPY.xp, data(3))


def test_arguments_that_are_none_to_differentiate_are_told():
    f = lambda xp, p: xp.sum(p["n"])  # noqa: E731
    with pytest.raises(NotDifferentiableError, match="n of argument 0 is int64"):
        xpnet.grad(f)(NUMPY.xp, {"n": np.arange(3)})
    with pytest.raises(NotDifferentiableError, match=r"argument 0 is 3\.0"):
        xpnet.grad(f)(NUMPY.xp, 3.0)
    with pytest.raises(InvalidInputError, match="argument 2, counted from 0 after xp: there are 1"):
        xpnet.grad(f, 2)(NUMPY.xp, data(3))


def test_constants_are_read_and_chosen_by(backend):
    """Comparisons have no gradient: eager code may branch by them."""

    def f(xp, x):
        return xp.sum(x * x) if xp.all(x < 10.0) else xp.sum(x)

    np.testing.assert_allclose(
        backend.to_numpy(xpnet.grad(f)(backend.xp, backend.from_numpy(data(3)))), 2.0 * data(3)
    )


def test_extensions_of_the_standard_have_what_the_table_has():
    f = lambda xp, a, b: xp.sum(xp.linalg.matmul(a, b))  # noqa: E731
    a, b = data(2, 3), data(3, 2)
    np.testing.assert_allclose(xpnet.grad(f)(NUMPY.xp, a, b), np.ones((2, 2)) @ b.T)
