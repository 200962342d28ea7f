"""What every loss must do: the right values and gradients, one set of bits, the same from a file."""

from contextlib import suppress

import numpy as np
import pytest
from conftest import assert_close
from loss_cases import BATCH, CASES, X

import xpnet
from xpnet.catalogue import LOSSES
from xpnet.nn.context import context
from xpnet.nn.network import Network

over_cases = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
over_names = pytest.mark.parametrize("name", CASES)


def test_every_loss_has_a_case():
    assert LOSSES.keys() == {type(case.loss).__name__ for case in CASES.values()}


def opened(backend, case, y=None, dtype="float64"):
    """Return outputs on a library's device, and targets as the loss takes them."""
    y = backend.asarray(case.y if y is None else y, dtype)
    return y, case.loss.check(backend.xp, backend.asarray(case.t), tuple(y.shape), y.dtype)


def of_pytorch(torch, case):
    """Return the losses of the samples and their gradient."""
    with torch.device("cpu"):
        y = torch.tensor(case.y, requires_grad=True)
        t = torch.tensor(case.t).to(torch.int64 if case.t.ndim == 1 else y.dtype)
        losses = case.reference(torch, y, t)
        losses = losses if losses.ndim == 1 else losses.sum(dim=1)
        losses.sum().backward()
    return losses.detach().numpy(), y.grad.numpy()


# Values and gradients


@over_cases
def test_values_and_gradients_are_pytorchs(backend, torch, case):
    y, t = opened(backend, case)
    losses, gradient = of_pytorch(torch, case)
    assert_close(backend, case.loss.values(backend.xp, y, t), losses, rtol=1e-10, atol=1e-12)
    assert_close(backend, case.loss.gradient(backend.xp, y, t), gradient, rtol=1e-10, atol=1e-12)
    both = case.loss.values_and_gradient(backend.xp, y, t)
    for found, expected in zip(both, (losses, gradient), strict=True):
        assert_close(backend, found, expected, rtol=1e-10, atol=1e-12)


@over_cases
def test_the_mean_is_pytorchs(torch, case):
    """Of elements, and of labels with weights over the sum of the weights."""
    backend = xpnet.get_backend("numpy")
    y, t = opened(backend, case)
    network = Network(xpnet.Identity(), (case.outputs,), case.loss)
    c = context(backend.xp, backend.xp.float64)
    found = network.loss_of_outputs(c, xpnet.Variables({}, {}), y, {"t": t})
    losses = of_pytorch(torch, case)[0] / case.loss.elements((case.outputs,))
    weights = case.loss.weights(backend.xp, t, y.dtype)
    assert found == pytest.approx(np.average(losses, weights=weights), rel=1e-12)
    if weights is not None:
        with torch.device("cpu"):
            weighted = torch.nn.functional.cross_entropy(
                torch.tensor(case.y), torch.tensor(case.t), torch.tensor(case.loss.class_weights).double()
            )
        assert found == pytest.approx(float(weighted), rel=1e-12)


@over_cases
def test_gradients_are_those_of_differences(case):
    backend = xpnet.get_backend("numpy")
    y, t = opened(backend, case)
    h, columns = 1e-6, np.eye(case.outputs)
    slopes = [
        (case.loss.values(np, y + h * way, t) - case.loss.values(np, y - h * way, t)) / (2 * h)
        for way in columns
    ]
    np.testing.assert_allclose(case.loss.gradient(np, y, t), np.stack(slopes, axis=1), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("arithmetic", ["standard", "exact"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
@over_names
def test_the_models_gradients_pass_the_check(name, reduction, arithmetic):
    """In exact arithmetic too, and with weights of samples."""
    net = model(CASES[name], "numpy", "float64", reduction=reduction, arithmetic=arithmetic)
    assert max(xpnet.gradcheck(net, X[:9], CASES[name].t[:9]).values()) < 1e-7


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@over_cases
def test_extreme_outputs_overflow_nowhere(backend, case, dtype):
    far = 60.0 if type(case.loss) is xpnet.Poisson else 1e4  # a rate of exp(1e4) is infinite indeed
    y, t = opened(backend, case, np.where(case.y > 0, far, -1e4), dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        losses, gradient = case.loss.values_and_gradient(backend.xp, y, t)
    assert losses.dtype == gradient.dtype == y.dtype
    assert np.isfinite(backend.to_numpy(losses)).all()
    assert np.isfinite(backend.to_numpy(gradient)).all()


def test_a_rate_that_is_too_large_is_infinite(backend):
    y, t = backend.asarray(np.asarray([[1e4]])), backend.asarray(np.asarray([[2.0]]))
    with np.errstate(over="ignore"):
        assert float(xpnet.Poisson().values(backend.xp, y, t)[0]) == np.inf


@over_cases
def test_nan_reaches_loss_and_gradient(backend, case):
    y, t = opened(backend, case, np.full((BATCH, case.outputs), np.nan))
    for found in case.loss.values_and_gradient(backend.xp, y, t):
        assert np.isnan(backend.to_numpy(found)).all()


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (xpnet.MeanAbsoluteError(), [[0.0, 1.0, -1.0]]),
        (xpnet.Huber(0.5), [[0.0, 0.5, -0.5]]),
        (xpnet.Quantile(0.75), [[-0.25, 0.25, -0.75]]),
    ],
)
def test_kinks(backend, loss, expected):
    """At the target the gradient is the mean of both sides."""
    y, t = backend.asarray(np.asarray([[2.0, 2.0, 2.0]])), backend.asarray(np.asarray([[2.0, 1.0, 3.0]]))
    assert_close(backend, loss.gradient(backend.xp, y, t), np.asarray(expected))


# In exact arithmetic: one set of bits


def model(case, backend, dtype="float32", **settings):
    layers = [xpnet.Dense(6, "xavier"), xpnet.Tanh(), xpnet.Dense(case.outputs)]
    settings = {"arithmetic": "exact", "l2": 0.01, **settings}
    return xpnet.Model(layers, (4,), loss=case.loss, dtype=dtype, backend=backend, **settings)


def trained(name, backend, dtype, callbacks=(), checkpoint=None):
    net = model(CASES[name], backend, dtype)
    xpnet.train(
        net,
        X,
        CASES[name].t,
        xpnet.Momentum(0.02),
        batch_size=8,
        iterations=12,
        eval_every=4,
        sample_weight=0.5 + np.arange(BATCH) % 3,
        seed=7,
        progress=False,
        callbacks=callbacks,
        checkpoint=checkpoint,
    )
    return net


EXPECTED = {}


def expected(name, dtype="float32"):
    """Return the model trained on NumPy."""
    if (name, dtype) not in EXPECTED:
        EXPECTED[name, dtype] = trained(name, "numpy", dtype)
    return EXPECTED[name, dtype]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@over_names
def test_one_fingerprint(backend, name, dtype):
    assert trained(name, backend, dtype).fingerprint() == expected(name, dtype).fingerprint()


@over_names
def test_a_run_goes_on_on_another_library(backend, tmp_path, name):
    path = tmp_path / "run.safetensors"
    half = lambda evaluation: evaluation.history.iteration[-1] == 8  # noqa: E731
    with suppress(KeyboardInterrupt):
        trained(name, "numpy", "float32", callbacks=[half], checkpoint=xpnet.Checkpoint(path, 4))
    weight = 0.5 + np.arange(BATCH) % 3
    net, _ = xpnet.resume(path, X, CASES[name].t, backend=backend, progress=False, sample_weight=weight)
    assert net.fingerprint() == expected(name).fingerprint()


@over_names
def test_a_file_keeps_it(tmp_path, name):
    path, net = tmp_path / "model.safetensors", expected(name)
    net.save(path)
    again = xpnet.load(path, backend="numpy")
    assert again.network == net.network
    assert again.network.loss == CASES[name].loss
    assert again.loss(X, CASES[name].t) == net.loss(X, CASES[name].t)
