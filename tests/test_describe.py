"""Descriptions of objects as plain data, and trees of arrays."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import xpnet
from xpnet import describe, restore
from xpnet.errors import InvalidInputError
from xpnet.trees import flat, leaves, like, map_tree, nested, paths

THINGS = [
    xpnet.Dense(3, 0.1),
    xpnet.Sequential([xpnet.Dense(3), xpnet.ReLU(), xpnet.Sequential([xpnet.Dropout(0.1), xpnet.Dense(2)])]),
    xpnet.AdamW(0.1, schedule=xpnet.Cosine(7, 0.5), clip_norm=2.0),
    xpnet.MeanSquaredError(),
    xpnet.MLP([3, 2], backend="numpy").blueprint,
]


@pytest.mark.parametrize("thing", THINGS, ids=lambda thing: type(thing).__name__)
def test_there_and_back_by_json(thing):
    assert restore(json.loads(json.dumps(describe(thing)))) == thing


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ({"class": "os.system"}, "unknown class 'os.system'"),
        ({"class": "Dens", "units": 3}, "did you mean 'Dense'.* must be registered with @xpnet.register"),
        ({"class": "Dense", "units": 3, "bias": False}, "Dense has no bias in this version"),
        ({"class": "Dense"}, "the description of Dense does not fit"),
        ({"class": "Dense", "units": -3}, "units must be a whole number of at least 1"),
        ({"units": 3}, "no description of an object"),
        ({"class": ["Dense"]}, "no description of an object"),
        ({"class": "Sequential", "layers": 3}, "must be a list of at least one layer"),
        ({"class": "Sequential", "layers": [3]}, "3 is no layer"),
    ],
)
def test_what_describes_nothing_is_told(description, message):
    with pytest.raises(InvalidInputError, match=message):
        restore(description)


def test_what_cannot_be_registered_is_told():
    class Plain:
        pass

    with pytest.raises(InvalidInputError, match=r"decorate it with @dataclass\(frozen=True\)"):
        xpnet.register(Plain)

    @dataclass(frozen=True)
    class Dense:
        units: int

    with pytest.raises(InvalidInputError, match="xpnet itself has a class 'Dense'"):
        xpnet.register(Dense)


def test_a_class_that_is_defined_again_takes_the_place_of_the_first():
    """As a cell of a notebook does when it is run twice; another class of that name is refused."""

    def define():
        @xpnet.register
        @dataclass(frozen=True)
        class DefinedTwice:
            size: int = 1

        return DefinedTwice

    first, second = define(), define()
    assert type(restore(describe(second()))) is second is not first

    @dataclass(frozen=True)
    class DefinedTwice:
        pass

    with pytest.raises(InvalidInputError, match="another class 'DefinedTwice' is registered already"):
        xpnet.register(DefinedTwice)


names = st.text("abcW1", min_size=1, max_size=3)
trees = st.recursive(st.integers(), lambda inner: st.dictionaries(names, inner, min_size=1, max_size=3))
mappings = st.dictionaries(names, trees, min_size=1, max_size=3)


@settings(max_examples=50, deadline=None)
@given(mappings)
def test_trees_go_flat_and_back(tree):
    assert nested(flat(tree)) == tree
    assert like(tree, leaves(tree)) == tree
    assert leaves(map_tree(lambda a, b: a - b, tree, tree)) == [0] * len(leaves(tree))
    assert [leaf for _, leaf in paths(tree)] == leaves(tree)


def test_the_first_tree_gives_the_order():
    assert list(map_tree(lambda a, b: b, {"b": 1, "a": 2}, {"a": 3, "b": 4}).items()) == [("b", 4), ("a", 3)]
