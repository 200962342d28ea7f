"""Gradient clipping by the norm of all gradients together."""

from __future__ import annotations

from typing import Any

from xpnet.trees import Tree, leaves, map_tree

Array = Any


def global_norm(xp: Any, arrays: Tree) -> Array:
    """Return the Euclidean norm of all elements of all arrays, shape ``()``.

    Examples
    --------
    >>> import numpy as np
    >>> float(global_norm(np, {"a": np.asarray([3.0]), "b": np.asarray([4.0])}))
    5.0
    """
    squares = [xp.sum(array * array) for array in leaves(arrays)]
    return xp.sqrt(sum(squares[1:], start=squares[0]))


def clip_by_norm(xp: Any, gradients: Tree, clip_norm: float) -> Tree:
    """Return the gradients, scaled down to a norm of ``clip_norm`` where theirs is larger.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    gradients : tree of arrays
        By parameter.
    clip_norm : float
        The largest Euclidean norm of all together.

    Returns
    -------
    tree of arrays

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks",
    ICML 2013.

    Examples
    --------
    >>> import numpy as np
    >>> clip_by_norm(np, {"a": np.asarray([3.0, 4.0])}, 1.0)["a"]
    array([0.6, 0.8])
    """
    norm = global_norm(xp, gradients)
    limit = xp.full_like(norm, clip_norm)
    # One where the norm is small enough, so that no gradient is touched by a needless rounding.
    factor = xp.divide(limit, xp.maximum(norm, limit))
    return map_tree(lambda gradient: xp.multiply(gradient, factor), gradients)
