"""The table of a model's layers."""

from dataclasses import dataclass

import pytest

import xpnet

TABLE = """\
layer                  outputs  parameters  state  multiply-adds
inputs                 2 x 3
Flatten()              6                 0      0              0
Dense(4)               4                28      0             24
Residual               4
  BatchNorm()          4                 8      8              0
  Dropout(rate=0.25)   4                 0      0              0
  Sequential           4
    Dense(4, init=0.1) 4                20      0             16
Dense(2)               2                10      0              8
total                                   66      8             48
parameters in float64: 0.5 kB; a training step: 144 multiply-adds a sample"""


def test_a_network_with_groups():
    inner = xpnet.Sequential([xpnet.Dense(4, init=0.1)])
    block = xpnet.Residual([xpnet.BatchNorm(), xpnet.Dropout(0.25), inner])
    layers = [xpnet.Flatten(), xpnet.Dense(4), block, xpnet.Dense(2)]
    net = xpnet.Model(layers, (2, 3), dtype="float64", backend="numpy")
    found = net.summary()
    assert [line.split() for line in found.splitlines()] == [line.split() for line in TABLE.splitlines()]
    assert repr(found) == str(found)
    assert [len(line) - len(line.lstrip()) for line in found.splitlines()[4:9]] == [0, 2, 2, 2, 4]


def test_numbers_stand_under_each_other():
    lines = xpnet.MLP([1000, 50, 10], backend="numpy").summary().splitlines()[:-1]
    assert len({len(line) for line in lines if "inputs" not in line}) == 1
    assert lines[-1].split() == ["total", "50,560", "0", "50,500"]


def test_one_layer_and_one_of_a_users_own():
    @dataclass(frozen=True)
    class Doubled(xpnet.Layer):
        factor: float = 2.0

    assert "Doubled()" in xpnet.Model(Doubled(), (3,), backend="numpy").summary()
    assert "Dense(3)" in xpnet.Model(xpnet.Dense(3), (3,), backend="numpy").summary()


@pytest.mark.parametrize("layer", [xpnet.Embedding(5, 3), xpnet.LayerNorm(), xpnet.LeakyReLU(0.5)], ids=repr)
def test_total_is_what_the_model_holds(layer):
    net = xpnet.Model([layer, xpnet.Flatten(), xpnet.Dense(2)], (4,), backend="numpy")
    total = next(line for line in net.summary().splitlines() if line.startswith("total"))
    assert total.split()[1] == f"{net.blueprint.parameters:,}"
