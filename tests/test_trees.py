"""Trees of arrays: walked, rebuilt, named, and what does not fit together."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpnet.trees import flat, leaves, like, map_tree, nested, paths, shapes


class Pair(NamedTuple):
    first: object
    second: object


names = st.text("abW1_.", min_size=1, max_size=3)
trees = st.recursive(
    st.integers() | st.none(),
    lambda inner: (
        st.dictionaries(names, inner, max_size=3)
        | st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.tuples(inner, inner).map(lambda both: Pair(*both))
    ),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(trees)
def test_a_walk_keeps_kind_and_order(tree):
    assert map_tree(lambda leaf: leaf, tree) == tree
    assert type(map_tree(lambda leaf: leaf, tree)) is type(tree)
    assert like(tree, leaves(tree)) == tree
    seen = []
    map_tree(seen.append, tree)
    assert seen == leaves(tree) == [leaf for _, leaf in paths(tree)]
    assert len({path for path, _ in paths(tree)}) == len(leaves(tree)), "each leaf has a path of its own"


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(names, st.integers() | st.dictionaries(names, st.integers(), min_size=1), max_size=4))
def test_names_lead_to_leaves_and_back(tree):
    assert nested(flat(tree)) == tree
    assert list(flat(tree).values()) == leaves(tree)


def test_structures_of_tuples_come_back_as_they_were():
    tree = {"a": Pair(1, [2, (3,)])}
    doubled = map_tree(lambda leaf: leaf * 2, tree)
    assert doubled == {"a": Pair(2, [4, (6,)])}
    assert type(doubled["a"]) is Pair
    assert type(doubled["a"].second) is list
    assert list(flat(tree)) == ["a/0", "a/1/0", "a/1/1/0"]


def test_others_may_have_more_but_not_less():
    assert map_tree(lambda a, b: (a, b), {"a": 1}, {"b": 3, "a": 2}) == {"a": (1, 2)}
    with pytest.raises(KeyError, match="b"):
        map_tree(lambda a, b: a, {"a": 1, "b": 2}, {"a": 1})
    with pytest.raises(ValueError, match=r"shorter|longer"):
        map_tree(lambda a, b: a, [1, 2], [1])


def test_a_tree_without_leaves():
    for tree in ({}, [], (), {"a": {}}):
        assert leaves(tree) == []
        assert flat(tree) == {}
        assert like(tree, []) == tree


def test_a_program_tells_trees_apart_by_path_shape_and_dtype(backend):
    def known(shape, dtype, name="a"):
        array = backend.xp.zeros(shape, dtype=backend.dtype(dtype), device=backend.device)
        return shapes({name: array, "absent": None})

    assert known((2, 3), "float32") == known((2, 3), "float32")
    others = [known((3, 2), "float32"), known((2, 3), "float64"), known((2, 3), "float32", "b")]
    assert known((2, 3), "float32") not in others
    assert hash(known((), "int32")) == hash(known((), "int32"))


def test_numbers_are_leaves_and_have_no_dtype():
    assert shapes((1.0, np.float32(2.0))) == ((("0",), 1.0, None), (("1",), (), np.dtype("float32")))
