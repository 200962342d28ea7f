"""Gradients of functions: `grad`, `value_and_grad`, and how a function's own gradient is told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.nn.tape.recording import Tape
from xpnet.nn.tape.value import NotDifferentiableError, Taped
from xpnet.trees import Tree, leaves, map_tree, paths

Array = Any


class Pullback(NamedTuple):
    """What a function computed, and the way back through it.

    Attributes
    ----------
    tape : Tape
        Its calls.
    args : tuple of trees
        The arguments with gradients, as stand-ins.
    results : tree
        What it returned.
    """

    tape: Tape
    args: tuple[Tree, ...]
    results: Tree

    @property
    def values(self) -> Tree:
        """What the function returned, without the tape."""
        return map_tree(self.tape.value_of, self.results)

    def __call__(self, gradients: Tree, *argnums: int, once: bool = False) -> list[Tree]:
        """Return the gradients of some of the arguments from those of the results, which may be None."""
        tape = self.tape
        given: dict[int, Array] = {}
        for result, gradient in zip(leaves(self.results), leaves(gradients), strict=True):
            if (
                gradient is not None
                and isinstance(result, Taped)
                and result.tape is tape
                and result.number is not None
            ):
                before = given.get(result.number)
                given[result.number] = gradient if before is None else before + gradient
        asked = [self.args[i] for i in argnums]
        found = tape.back(given, {leaf.number for leaf in leaves(asked) if leaf is not None}, once)
        return [map_tree(lambda leaf: _written_out(tape.inner, leaf, found), arg) for arg in asked]


def _written_out(xp: Any, leaf: Taped | None, found: dict[int, Array]) -> Array | None:
    """Return a gradient in its array's own shape; zeros where nothing depends on it."""
    if leaf is None:
        return None
    gradient = found.get(leaf.number)  # type: ignore[arg-type]
    if gradient is None:
        return xp.zeros_like(leaf.value)
    return gradient if gradient.shape == leaf.shape else xp.zeros_like(leaf.value) + gradient


def pullback(f: Callable[..., Tree], xp: Any, args: tuple[Any, ...], argnums: tuple[int, ...]) -> Pullback:
    """Run a function over a tape.

    Parameters
    ----------
    f : callable
        ``f(xp, *args)`` returns a tree of arrays.
    xp : namespace
        What computes.
    args : tuple
        What the function takes besides.
    argnums : tuple of int
        Which of them have gradients: trees of real floating-point arrays.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> found = pullback(lambda xp, x: xp.square(x), np, (np.asarray([1.0, 2.0]),), (0,))
    >>> found.values, found(np.ones(2), 0)
    (array([1., 4.]), [array([2., 4.])])
    """
    tape = Tape(xp)
    ours = [
        map_tree(lambda leaf: None if leaf is None else tape.watch(leaf), arg)
        if i in argnums
        else map_tree(tape.constant, arg)
        for i, arg in enumerate(args)
    ]
    return Pullback(tape, tuple(ours[i] for i in argnums), f(tape, *ours))


def value_and_grad(f: Callable[..., Array], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that gives a function's value and its gradient.

    The gradient is computed backwards, in about the time of a few values however many arguments there are.
    It is written with the namespace's own functions: the same bits wherever the namespace is exact, recorded,
    replayed and compiled within a training step, under ``jax.jit``, and differentiable itself.

    Parameters
    ----------
    f : callable
        ``f(xp, params, ...)`` returns an array of shape ``()``, computed from its arguments with the
        functions of ``xp`` and operators. It may call `grad` itself, over its own ``xp``.
    argnums : int or tuple of int, default 0
        Which arguments after ``xp`` the gradient is of: arrays of real floating-point numbers, or nested
        dicts, lists and tuples of them.

    Returns
    -------
    callable
        Called as ``f`` is; it returns ``(value, gradient)``, the gradient of the structure of the argument,
        or a tuple of such where `argnums` is one.

    Raises
    ------
    InvalidInputError
        When called, if the function does not return one number, or an argument is none to differentiate;
        as `NotDifferentiableError` if it calls a function that has no gradient.

    References
    ----------
    A. Griewank and A. Walther, "Evaluating derivatives", SIAM 2008, chapter 3.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> def rosenbrock(xp, p):
    ...     return xp.square(1.0 - p["x"]) + 100.0 * xp.square(p["y"] - xp.square(p["x"]))
    >>> value, gradient = value_and_grad(rosenbrock)(np, {"x": np.asarray(2.0), "y": np.asarray(3.0)})
    >>> float(value), float(gradient["x"]), float(gradient["y"])
    (101.0, 802.0, -200.0)
    """
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)

    @wraps(f)
    def function(xp: Any, *args: Any) -> tuple[Array, Any]:
        chosen = _checked(xp, args, numbers)
        found = pullback(f, xp, args, chosen)
        value = found.values
        if (
            not hasattr(value, "dtype")
            or tuple(value.shape) != ()
            or not xp.isdtype(value.dtype, "real floating")
        ):
            told = f"shape {tuple(value.shape)}, {value.dtype}" if hasattr(value, "dtype") else repr(value)
            raise InvalidInputError(
                "a function with a gradient must return one real number, an array of shape (), such as"
                f" xp.sum(…); it returned {told}"
            )
        gradients = found(xp.ones_like(value), *range(len(chosen)), once=True)
        return value, tuple(gradients) if isinstance(argnums, tuple) else gradients[0]

    return function


def grad(f: Callable[..., Array], argnums: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    """Return the function that gives a function's gradient; see `value_and_grad`.

    Parameters
    ----------
    f : callable
        ``f(xp, params, ...)`` returns an array of shape ``()``.
    argnums : int or tuple of int, default 0
        Which arguments after ``xp`` the gradient is of.

    Returns
    -------
    callable
        Called as ``f`` is.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> cube = lambda xp, x: x * x * x
    >>> x = np.asarray(2.0)
    >>> float(grad(cube)(np, x)), float(grad(grad(cube))(np, x))
    (12.0, 12.0)
    """
    both = value_and_grad(f, argnums)

    @wraps(f)
    def function(xp: Any, *args: Any) -> Any:
        return both(xp, *args)[1]

    return function


def _checked(xp: Any, args: tuple[Any, ...], argnums: tuple[int, ...]) -> tuple[int, ...]:
    """Return the numbers of arguments from 0, or raise an error where one is none to differentiate."""
    for number in argnums:
        if not isinstance(number, int) or not -len(args) <= number < len(args):
            raise InvalidInputError(
                f"argnums names the argument {number!r}, counted from 0 after xp: there are {len(args)}"
            )
        for path, leaf in paths(args[number]):
            if leaf is not None and not (
                hasattr(leaf, "shape") and hasattr(leaf, "dtype") and xp.isdtype(leaf.dtype, "real floating")
            ):
                told = f"{'/'.join(path)} of argument {number}" if path else f"argument {number}"
                raise NotDifferentiableError(
                    f"gradients are of arrays of real floating-point numbers; {told} is"
                    f" {getattr(leaf, 'dtype', repr(leaf))}"
                )
    return tuple(number % len(args) for number in argnums)


def stop_gradient(x: Tree) -> Tree:
    """Return arrays as constants, through which no gradient goes, on whatever tape they are.

    Parameters
    ----------
    x : array or tree of arrays
        Of any library; within a function that is differentiated or outside.

    Returns
    -------
    array or tree of arrays
        The same values.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> float(grad(lambda xp, x: x * stop_gradient(x))(np, np.asarray(3.0)))
    3.0
    """

    def stopped(leaf: Any) -> Any:
        return Taped(leaf.tape, stopped(leaf.value), None) if isinstance(leaf, Taped) else leaf

    return map_tree(stopped, x)


def custom_gradient(f: Callable[..., tuple[Tree, Callable[..., Any]]]) -> Callable[..., Tree]:
    """Let a function say itself what its gradient is.

    Parameters
    ----------
    f : callable
        ``f(xp, *args)`` returns ``(y, backward)``: arrays, or trees of them, and a function from the gradient
        of ``y`` to those of the arguments: one where there is one argument, else a tuple, None for those
        without. It is not differentiated itself, but what ``backward`` computes with its namespace is, so
        gradients of gradients follow from it.

    Returns
    -------
    callable
        ``(xp, *args) -> y``; settings that are no arrays belong in a closure.

    Examples
    --------
    A rounding that lets gradients through as they are:

    >>> import array_api_compat.numpy as np
    >>> @custom_gradient
    ... def rounded(xp, x):
    ...     return xp.round(x), lambda dy: dy
    >>> float(grad(lambda xp, x: rounded(xp, x * x))(np, np.asarray(1.2)))
    2.4
    """

    @wraps(f)
    def function(xp: Any, *args: Any) -> Tree:
        tapes = [leaf.tape for leaf in leaves(args) if isinstance(leaf, Taped)]
        tape = max(tapes, key=lambda tape: tape.level, default=None)
        return f(xp, *args)[0] if tape is None else tape.note_custom(f, args)

    return function
