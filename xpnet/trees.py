"""Trees of arrays: nested mappings, tuples and lists, whose leaves are all that is neither.

Parameters, running states, what an optimiser remembers, the inputs of a program: all are trees, and
whatever walks them is here. None is a leaf like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

Tree = Any
"""``Mapping[str, Array | Tree]``, where only arrays by name are meant."""
Path = tuple[str, ...]


def map_tree(function: Callable[..., Any], tree: Tree, *others: Tree) -> Any:
    """Return a tree of the same structure, each leaf made from the leaves in its place.

    Parameters
    ----------
    function : callable
        Takes one leaf of each tree.
    tree, *others : trees
        The others have at least the keys of the first.

    Returns
    -------
    tree
        Mappings come back as dicts, in the order of the first tree's keys.

    Examples
    --------
    >>> map_tree(lambda a, b: a + b, {"W": 1, "c": (2, [3])}, {"c": (20, [30]), "W": 10})
    {'W': 11, 'c': (22, [33])}
    """
    if isinstance(tree, dict | Mapping):  # a dict is told at once
        return {
            key: map_tree(function, value, *[other[key] for other in others]) for key, value in tree.items()
        }
    if isinstance(tree, tuple | list):
        parts = [map_tree(function, *items) for items in zip(tree, *others, strict=True)]
        return type(tree)(*parts) if hasattr(tree, "_fields") else type(tree)(parts)
    return function(tree, *others)


def paths(tree: Tree, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield each leaf with the keys that lead to it, in the tree's own order.

    Examples
    --------
    >>> list(paths({"a": {"b": 1}, "c": [2]}))
    [(('a', 'b'), 1), (('c', '0'), 2)]
    """
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from paths(value, (*path, key))
    elif isinstance(tree, tuple | list):
        for position, value in enumerate(tree):
            yield from paths(value, (*path, str(position)))
    else:
        yield path, tree


def leaves(tree: Tree) -> list[Any]:
    """Return the leaves in the tree's own order.

    Examples
    --------
    >>> leaves({"a": {"b": 1}, "c": [2]})
    [1, 2]
    """
    return [leaf for _, leaf in paths(tree)]


def like(tree: Tree, new_leaves: Iterable[Any]) -> Any:
    """Return a tree of the same structure with other leaves, given in order.

    Examples
    --------
    >>> like({"a": {"b": 1}, "c": [2]}, "xy")
    {'a': {'b': 'x'}, 'c': ['y']}
    """
    following = iter(new_leaves)
    return map_tree(lambda _: next(following), tree)


def in_order_of(template: Tree, tree: Tree) -> Any:
    """Return a tree with its keys in the order of another's, which has the same.

    Examples
    --------
    >>> in_order_of({"W": 0, "b": 0}, {"b": 1, "W": 2})
    {'W': 2, 'b': 1}
    """
    return map_tree(lambda _, leaf: leaf, template, tree)


def flat(tree: Tree) -> dict[str, Any]:
    """Return the leaves by the keys that lead to them, as one word with slashes.

    Examples
    --------
    >>> flat({"velocity": {"W1": 1, "b1": 2}})
    {'velocity/W1': 1, 'velocity/b1': 2}
    """
    return {"/".join(path): leaf for path, leaf in paths(tree)}


def nested(leaves_by_name: Mapping[str, Any]) -> dict[str, Any]:
    """Return the nested dicts that `flat` made flat.

    Examples
    --------
    >>> nested({"velocity/W1": 1, "velocity/b1": 2})
    {'velocity': {'W1': 1, 'b1': 2}}
    """
    tree: dict[str, Any] = {}
    for name, leaf in leaves_by_name.items():
        *way, last = name.split("/")
        branch = tree
        for key in way:
            branch = branch.setdefault(key, {})
        branch[last] = leaf
    return tree


def shapes(tree: Tree) -> tuple[tuple[Path, tuple[int, ...], Any], ...]:
    """Return path, shape and dtype of each array: what a program is known by; other leaves as they are.

    Examples
    --------
    >>> import numpy as np
    >>> shapes({"W": np.zeros((2, 3)), "b": None})
    ((('W',), (2, 3), dtype('float64')), (('b',), None, None))
    """
    return tuple(
        (path, tuple(leaf.shape), leaf.dtype) if hasattr(leaf, "dtype") else (path, leaf, None)
        for path, leaf in paths(tree)
    )
