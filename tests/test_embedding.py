"""Embedding: integer ids, checked before they reach a device, never scaled, on every library."""

import warnings

import numpy as np
import pytest
from conftest import assert_close

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.nn import embedding
from xpnet.nn.context import context

IDS = np.asarray([[0, 3, 3], [2, 200, 1], [5, 0, 4], [200, 200, 7]])
T = [0, 1, 1, 0]


def network(backend, **settings):
    layers = [xpnet.Embedding(201, 4), xpnet.Flatten(), xpnet.Dense(2)]
    return xpnet.Model(layers, (3,), dtype="float64", backend=backend, **settings)


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int32", "int64", "float32", "float64"])
def test_ids_of_any_dtype(backend, dtype):
    net = network(backend)
    x = IDS.astype(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prepared = net.prepare_inputs(x)
        found = net.logits(x)
    assert prepared.dtype == backend.xp.int32
    table, W, b = (backend.to_numpy(net.params[name]) for name in ("table1", "W2", "b2"))
    assert_close(backend, found, table[IDS].reshape(4, -1) @ W + b, rtol=1e-12, atol=1e-13)


def test_lists_and_truth_values():
    net = xpnet.Model([xpnet.Embedding(2, 3), xpnet.Flatten(), xpnet.Dense(2)], (2,), backend="numpy")
    expected = net.logits(np.asarray([[0, 1], [1, 1]])).tolist()
    assert net.logits([[0, 1], [1, 1]]).tolist() == expected
    assert net.logits([[False, True], [True, True]]).tolist() == expected


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (
            IDS - 1,
            r"ids in x must lie between 0 and 200, the first layer knows 201; these run from -1 to 199",
        ),
        (IDS + 1, "these run from 1 to 201"),
        (IDS + 2**32, "these run from 4294967296 to"),
        (IDS + 0.5, "x must hold whole numbers, the ids that the first layer takes"),
        (np.where(IDS > 5, np.nan, IDS), "x contains NaN"),
        (IDS[:, :2], r"x must have the shape \(batch, 3\)"),
        (IDS[0], r"for one sample, give x\[None, :\]"),
        (IDS[:0], "x is empty"),
        (IDS.astype(complex), "real numbers"),
    ],
)
def test_what_is_no_id_is_refused_before_it_is_computed_with(backend, x, message):
    with pytest.raises(InvalidInputError, match=message):
        network(backend).logits(x)


def test_bytes_are_not_pixels(backend):
    net = network(backend)
    xpnet.train(net, IDS.astype(np.uint8), T, batch_size=2, iterations=3, progress=False)
    assert net.blueprint.scale == "auto"
    other = network(backend)
    xpnet.train(other, IDS, T, batch_size=2, iterations=3, progress=False)
    assert net.fingerprint() == other.fingerprint()


def test_rows_that_were_not_used_stay(backend):
    net = network(backend)
    before = backend.to_numpy(net.params["table1"]).copy()
    xpnet.train(net, IDS, T, xpnet.SGD(0.5), sampling="full", iterations=2, progress=False)
    moved = np.any(backend.to_numpy(net.params["table1"]) != before, axis=1)
    assert {*np.flatnonzero(moved)} == {*IDS.ravel()}


def test_the_table_in_parts_gets_the_same_gradient(backend, monkeypatch):
    net = network(backend)
    whole = backend.to_numpy(net.gradient(IDS, T)["table1"])
    assert whole.any()
    monkeypatch.setattr(embedding, "_ELEMENTS_AT_ONCE", 12 * 50)
    assert_close(backend, net.gradient(IDS, T)["table1"], whole, rtol=1e-12, atol=1e-15)


def test_numerical_gradient():
    layers = [xpnet.Embedding(4, 2), xpnet.Tanh(), xpnet.Flatten(), xpnet.Dense(2)]
    net = xpnet.Model(layers, (3,), dtype="float64", backend="numpy")
    differences = xpnet.gradcheck(net, [[0, 3, 3], [1, 0, 1]], [0, 1])
    assert differences.keys() == {"table1", "W2", "b2"}
    assert max(differences.values()) < 1e-7


def test_ids_of_any_shape():
    net = xpnet.Model(
        xpnet.Sequential([xpnet.Sequential([xpnet.Embedding(9, 2)]), xpnet.Flatten(), xpnet.Dense(2)]),
        (2, 3),
        backend="numpy",
    )
    assert net.network.layer.ids == 9
    assert net.logits(np.zeros((5, 2, 3), np.int64)).shape == (5, 2)
    assert net.gradient(np.zeros((5, 2, 3), np.int64), [0, 1, 0, 1, 0])["layers1"]["table1"].shape == (9, 2)


def test_it_must_be_the_first_layer():
    net = xpnet.Model(
        [xpnet.Dense(3), xpnet.Embedding(4, 2), xpnet.Flatten(), xpnet.Dense(2)],
        (3,),
        "softmax_cross_entropy",
        backend="numpy",
    )
    with pytest.raises(InvalidInputError, match="takes integer ids: make it the first layer"):
        net.logits([[0.0, 0.0, 0.0]])


@pytest.mark.parametrize(("count", "width"), [(0, 2), (2, 0), (2.5, 2)])
def test_sizes_out_of_range(count, width):
    with pytest.raises(InvalidInputError, match="must be a whole number of at least 1"):
        xpnet.Embedding(count, width)


def test_shape_of_one_id_a_sample():
    layer = xpnet.Embedding(3, 2)
    v = xpnet.Variables({"table": np.eye(3)[:, :2]}, {})
    y, cache, _ = layer.forward(context(np), v, np.asarray([2, 0]))
    assert y.tolist() == [[0.0, 0.0], [1.0, 0.0]]
    _, gradients = layer.backward(context(np), v, np.ones((2, 2)), cache, False)
    assert gradients["table"].tolist() == [[1.0, 1.0], [0.0, 0.0], [1.0, 1.0]]
