"""Residual blocks: what is added, names, and shapes that must fit; memory of layers within layers."""

import numpy as np
import pytest

import xpnet
from xpnet.errors import InvalidInputError
from xpnet.trees import flat


def test_layers_of_zeros_leave_the_inputs(backend):
    block = xpnet.Residual([xpnet.Dense(3, init=0.0)])
    net = xpnet.Model([block], (3,), backend=backend, loss="mean_squared_error")
    x = np.asarray([[0.25, -1.0, 2.0]], np.float32)
    assert backend.to_numpy(net.predict(x)).tolist() == x.tolist()


def test_groups_nest_and_every_variable_has_a_name_and_a_gradient():
    inner = xpnet.Residual([xpnet.BatchNorm(), xpnet.Dense(4)])
    net = xpnet.Model(
        [xpnet.Dense(4), xpnet.Residual([xpnet.Dense(4), inner, xpnet.ReLU()]), xpnet.Dense(2)],
        (3,),
        dtype="float64",
        backend="numpy",
    )
    names = ["W1", "b1", "residual2/W1", "residual2/b1"]
    names += [f"residual2/residual2/{name}" for name in ("gamma1", "beta1", "W2", "b2")]
    assert list(flat(net.params)) == [*names, "W3", "b3"]
    assert list(flat(net.state)) == ["residual2/residual2/mean1", "residual2/residual2/variance1"]
    x, t = np.random.default_rng(0).normal(size=(6, 3)), [0, 1, 0, 1, 0, 1]
    assert max(xpnet.gradcheck(net, x, t).values()) < 1e-6


def test_bytes_take_both_ways_scaled(backend):
    pixels = np.random.default_rng(0).integers(0, 256, (4, 3)).astype(np.uint8)
    net = xpnet.Model([xpnet.Residual([xpnet.Dense(3)])], (3,), dtype="float64", backend=backend)
    found, expected = (backend.to_numpy(net.logits(x)) for x in (pixels, pixels / 255.0))
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_random_layers_within_draw():
    net = xpnet.Model([xpnet.Residual([xpnet.Dropout(0.5)]), xpnet.Dense(2)], (3,), backend="numpy")
    history = xpnet.train(net, np.ones((4, 3)), [0, 1, 0, 1], iterations=3, batch_size=4, progress=False)
    assert len(history.loss) == 3


def test_another_shape_cannot_be_added():
    with pytest.raises(InvalidInputError, match=r"of the shape \(4,\) the shape \(3,\).*cannot be added"):
        xpnet.Model([xpnet.Residual([xpnet.Dense(3)])], (4,), backend="numpy")
    with pytest.raises(InvalidInputError, match="at least one layer"):
        xpnet.Residual([])


def test_memory_counts_what_lies_within_groups():
    dense = xpnet.Dense(4)
    assert xpnet.Sequential([dense, xpnet.ReLU()]).shapes((3,)) == [(3,), (4,), (4,)]
    block = xpnet.Residual([xpnet.Dense(7), dense])
    assert xpnet.Sequential([dense, block]).shapes((3,)) == [(3,), (4,), (7,), (4,), (4,)]
    assert xpnet.BatchNorm().shapes((4,)) == [(4,), (4,), (4,)]
    assert xpnet.Embedding(9, 2).shapes((3,)) == [(3,), (3, 2)]


def test_multiplications():
    assert xpnet.Dense(4).products((3,)) == 12
    assert xpnet.BatchNorm().products((4,)) == 0
    assert xpnet.Embedding(9, 2).products((3,)) == 54
    assert xpnet.Sequential([xpnet.Dense(4), xpnet.Residual([xpnet.Dense(4)])]).products((3,)) == 28
