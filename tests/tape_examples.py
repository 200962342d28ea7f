"""An example or more for each function that the tape knows, also in PyTorch where that has it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np


def normal(*shape):
    return lambda rng: rng.normal(size=shape)


def positive(*shape):
    return lambda rng: rng.uniform(0.3, 2.0, size=shape)


def inside(*shape):
    return lambda rng: rng.uniform(-0.8, 0.8, size=shape)


def beyond(*shape):
    return lambda rng: rng.uniform(1.2, 3.0, size=shape)


def tied(*shape):
    return lambda rng: rng.integers(0, 3, size=shape).astype(float)


@dataclass(frozen=True)
class Example:
    """A call of one function: ``call(xp, *arrays)``, the arrays float64 and of given kinds.

    Attributes
    ----------
    torch : callable or None
        ``(torch, *tensors)``: the same; None where only differences are compared with.
    smooth : bool
        Whether differences have a meaning: not where elements are equal on purpose.
    unknown_to : str
        The library that does not know it.
    """

    name: str
    call: Callable[..., Any]
    arrays: tuple[Callable[[np.random.Generator], np.ndarray], ...]
    torch: Callable[..., Any] | None = None
    smooth: bool = True
    unknown_to: str = ""

    def inputs(self, seed=0):
        rng = np.random.default_rng(seed)
        return [make(rng) for make in self.arrays]


def same(name, *arrays, torch=None):
    """Return an example of a function of arrays alone, in PyTorch by the same name or another."""
    theirs = torch or name
    return Example(
        name,
        lambda xp, *given: getattr(xp, name)(*given),
        arrays,
        lambda torch, *given: getattr(torch, theirs)(*given),
    )


def integers(xp, values, like):
    """Return integers on an array's device."""
    return xp.asarray(values, dtype=xp.int64, device=getattr(like, "device", None))


PAIR, ROW = normal(3, 4), normal(4)
EXAMPLES = [
    same("abs", PAIR),
    same("acos", inside(3)),
    same("acosh", beyond(3)),
    same("add", PAIR, ROW),
    same("add", normal(3, 1), normal(2, 1, 4)),
    Example("asarray", lambda xp, x: xp.asarray(x * 1.0), (PAIR,), lambda torch, x: x),
    same("asin", inside(3)),
    same("asinh", PAIR),
    Example(
        "astype", lambda xp, x: xp.astype(xp.astype(x, xp.float64), xp.float64), (PAIR,), lambda torch, x: x
    ),
    same("atan", PAIR),
    same("atan2", PAIR, ROW),
    same("atanh", inside(3)),
    Example(
        "broadcast_arrays", lambda xp, a, b: xp.multiply(*xp.broadcast_arrays(a, b)), (normal(3, 1), ROW)
    ),
    Example("broadcast_arrays", lambda xp, a, b: xp.broadcast_arrays(a, b)[1] * 1.0, (normal(3, 1), ROW)),
    Example("broadcast_to", lambda xp, x: xp.broadcast_to(x, (2, 3, 4)), (normal(3, 1),)),
    Example("clip", lambda xp, x: xp.clip(x, -0.5, 0.5), (PAIR,), lambda torch, x: torch.clip(x, -0.5, 0.5)),
    Example("clip", lambda xp, x: xp.clip(x, min=0.1), (PAIR,), lambda torch, x: torch.clip(x, min=0.1)),
    Example("clip", lambda xp, x: xp.clip(x, max=0.1), (PAIR,), lambda torch, x: torch.clip(x, max=0.1)),
    Example(
        "clip",
        lambda xp, x, low, high: xp.clip(x, low - 1.0, max=high + 1.0),
        (normal(3, 4), ROW, ROW),
        lambda torch, x, low, high: torch.clip(x, low - 1.0, high + 1.0),
    ),
    Example(
        "clip",
        lambda xp, x, low: xp.clip(x, min=low),
        (PAIR, ROW),
        lambda torch, x, low: torch.clip(x, min=low),
    ),
    Example(
        "clip",
        lambda xp, x, high: xp.clip(x, max=high),
        (PAIR, ROW),
        lambda torch, x, h: torch.clip(x, max=h),
    ),
    Example("concat", lambda xp, a, b: xp.concat([a, b], axis=-1), (PAIR, normal(3, 2))),
    Example("concat", lambda xp, a, b: xp.concat([a, b, a * b]), (normal(3, 1), normal(3, 1))),
    Example("concat", lambda xp, a, b: xp.concat([a, b], axis=None), (PAIR, normal(2))),
    same("copysign", PAIR, ROW),
    same("cos", PAIR),
    same("cosh", PAIR),
    Example(
        "cumulative_prod",
        lambda xp, x: xp.cumulative_prod(x, axis=0),
        (PAIR,),
        lambda torch, x: torch.cumprod(x, 0),
    ),
    Example(
        "cumulative_prod",
        lambda xp, x: xp.cumulative_prod(x * xp.astype(x > 0, x.dtype), axis=-1, include_initial=True),
        (PAIR,),
    ),
    Example("cumulative_prod", lambda xp, x: xp.cumulative_prod(x), (normal(5),)),
    Example(
        "cumulative_sum",
        lambda xp, x: xp.cumulative_sum(x, axis=1),
        (PAIR,),
        lambda torch, x: torch.cumsum(x, 1),
    ),
    Example("cumulative_sum", lambda xp, x: xp.cumulative_sum(x, include_initial=True), (normal(5),)),
    Example("diff", lambda xp, x: xp.diff(x), (PAIR,), lambda torch, x: torch.diff(x)),
    Example(
        "diff",
        lambda xp, x, a, b: xp.diff(x, axis=0, n=2, prepend=a, append=b),
        (PAIR, normal(1, 4), normal(2, 4)),
        lambda torch, x, a, b: torch.diff(x, dim=0, n=2, prepend=a, append=b),
    ),
    same("divide", PAIR, positive(4)),
    Example(
        "divide",
        lambda xp, x: xp.divide(2.0, x) + xp.divide(x, 3.0),
        (positive(4),),
        lambda torch, x: 2 / x + x / 3,
    ),
    same("exp", PAIR),
    Example("expand_dims", lambda xp, x: xp.expand_dims(x, axis=1), (PAIR,)),
    same("expm1", PAIR),
    Example("flip", lambda xp, x: xp.flip(x), (PAIR,), lambda torch, x: torch.flip(x, (0, 1))),
    Example("flip", lambda xp, x: xp.flip(x, axis=1), (PAIR,), lambda torch, x: torch.flip(x, (1,))),
    *(
        Example("getitem", call, (normal(5, 4, 3),), lambda torch, x, call=call: call(None, x))
        for call in (
            lambda xp, x: x[1, ...],
            lambda xp, x: x[-1, ..., 2],
            lambda xp, x: x[:, None, 1:3, :2],
            lambda xp, x: x[1:5:2, ::3, ...],
            lambda xp, x: x[..., 0] * x[..., -1],
            lambda xp, x: x[2:2, ...],
            lambda xp, x: x[None, ...],
        )
    ),
    Example("getitem", lambda xp, x: x[::-1, 3:0:-2, ...], (normal(5, 4, 3),), unknown_to="torch"),
    Example("getitem", lambda xp, x: x[1:] * x[0], (normal(5, 4),), unknown_to="array_api_strict"),
    Example("getitem", lambda xp, x: x[integers(xp, [0, -1, 0], x), ...], (normal(3, 2),)),
    Example(
        "getitem",
        lambda xp, x: x[integers(xp, [[0], [2]], x), integers(xp, [1, -1], x), ...],
        (normal(3, 2, 2),),
    ),
    Example("getitem", lambda xp, x: x[integers(xp, [0, 2], x), -1], (normal(3, 2),)),
    same("hypot", PAIR, ROW),
    same("log", positive(3)),
    same("log10", positive(3)),
    same("log1p", positive(3)),
    same("log2", positive(3)),
    same("logaddexp", PAIR, ROW),
    *(
        same("matmul", normal(*a), normal(*b))
        for a, b in (
            ((3, 4), (4, 2)),
            ((4,), (4,)),
            ((4,), (4, 2)),
            ((3, 4), (4,)),
            ((2, 3, 4), (4, 2)),
            ((3, 4), (5, 4, 2)),
            ((2, 1, 3, 4), (5, 4, 2)),
            ((4,), (5, 4, 2)),
            ((5, 3, 4), (4,)),
        )
    ),
    Example("matmul", lambda xp, a, b: a @ b, (PAIR, normal(4, 2)), lambda torch, a, b: a @ b),
    Example(
        "matrix_transpose", lambda xp, x: xp.matrix_transpose(x), (normal(2, 3, 4),), lambda torch, x: x.mT
    ),
    Example("max", lambda xp, x: xp.max(x), (PAIR,), lambda torch, x: torch.amax(x)),
    Example(
        "max", lambda xp, x: xp.max(x, axis=1), (tied(3, 4),), lambda torch, x: torch.amax(x, 1), smooth=False
    ),
    Example("max", lambda xp, x: xp.max(x, axis=(0, 2), keepdims=True), (normal(2, 3, 4),)),
    same("maximum", PAIR, ROW),
    Example(
        "maximum",
        lambda xp, a, b: xp.maximum(a, b),
        (tied(3, 4), tied(4)),
        lambda t, a, b: t.maximum(a, b),
        False,
    ),
    Example(
        "maximum", lambda xp, x: xp.maximum(x, xp.zeros_like(x)), (PAIR,), lambda torch, x: torch.relu(x)
    ),
    Example("mean", lambda xp, x: xp.mean(x), (PAIR,), lambda torch, x: torch.mean(x)),
    Example(
        "mean", lambda xp, x: xp.mean(x, axis=(0, -1)), (normal(2, 3, 4),), lambda t, x: t.mean(x, (0, 2))
    ),
    Example("meshgrid", lambda xp, a, b: xp.multiply(*xp.meshgrid(a, b)), (normal(3), normal(2))),
    Example(
        "meshgrid", lambda xp, a, b: xp.multiply(*xp.meshgrid(a, b, indexing="ij")), (normal(3), normal(2))
    ),
    Example(
        "min", lambda xp, x: xp.min(x, axis=0), (tied(3, 4),), lambda torch, x: torch.amin(x, 0), smooth=False
    ),
    same("minimum", PAIR, ROW),
    Example(
        "minimum",
        lambda xp, a, b: xp.minimum(a, b),
        (tied(3, 4), tied(4)),
        lambda t, a, b: t.minimum(a, b),
        False,
    ),
    Example(
        "moveaxis", lambda xp, x: xp.moveaxis(x, 0, -1), (normal(2, 3, 4),), lambda t, x: t.moveaxis(x, 0, -1)
    ),
    Example("moveaxis", lambda xp, x: xp.moveaxis(x, (0, 1), (2, 0)), (normal(2, 3, 4),)),
    same("multiply", PAIR, ROW),
    same("negative", PAIR),
    Example("permute_dims", lambda xp, x: xp.permute_dims(x, (2, 0, 1)), (normal(2, 3, 4),)),
    same("positive", PAIR),
    same("pow", positive(3, 4), ROW),
    Example(
        "pow",
        lambda xp, x: x**3 + xp.pow(x, 0.5) + x**0,
        (positive(4),),
        lambda torch, x: x**3 + x**0.5 + x**0,
    ),
    Example("pow", lambda xp, x: 2.0**x, (ROW,), lambda torch, x: 2.0**x),
    Example("pow", lambda xp, a, b: a**b, (tied(5), tied(5)), lambda torch, a, b: a**b, smooth=False),
    Example("prod", lambda xp, x: xp.prod(x), (PAIR,), lambda torch, x: torch.prod(x)),
    Example("prod", lambda xp, x: xp.prod(x, axis=1), (tied(5, 4),), lambda torch, x: torch.prod(x, 1)),
    Example("prod", lambda xp, x: xp.prod(x, axis=(2, 0), keepdims=True), (normal(2, 3, 2),)),
    same("reciprocal", positive(3)),
    same("remainder", PAIR, positive(4)),
    Example(
        "repeat", lambda xp, x: xp.repeat(x, 2, axis=1), (PAIR,), lambda torch, x: x.repeat_interleave(2, 1)
    ),
    Example("repeat", lambda xp, x: xp.repeat(x, 3), (PAIR,), lambda torch, x: x.repeat_interleave(3)),
    Example(
        "repeat",
        lambda xp, x: xp.repeat(x, integers(xp, [2, 0, 1], x), axis=0),
        (PAIR,),
        unknown_to="array_api_strict",
    ),
    Example("reshape", lambda xp, x: xp.reshape(x, (2, -1)), (PAIR,), lambda torch, x: x.reshape(2, -1)),
    Example("roll", lambda xp, x: xp.roll(x, 2), (PAIR,), lambda torch, x: torch.roll(x, 2)),
    Example(
        "roll", lambda xp, x: xp.roll(x, (1, 2), axis=(0, 1)), (PAIR,), lambda t, x: t.roll(x, (1, 2), (0, 1))
    ),
    same("sin", PAIR),
    same("sinh", PAIR),
    Example("sort", lambda xp, x: xp.sort(x, axis=0), (PAIR,), lambda torch, x: torch.sort(x, 0)[0]),
    Example("sort", lambda xp, x: xp.sort(x, descending=True), (PAIR,)),
    same("sqrt", positive(3)),
    same("square", PAIR),
    Example(
        "squeeze", lambda xp, x: xp.squeeze(x, axis=1), (normal(3, 1, 2),), lambda torch, x: x.squeeze(1)
    ),
    Example(
        "stack",
        lambda xp, a, b: xp.stack([a, b, a], axis=1),
        (PAIR, PAIR),
        lambda t, a, b: t.stack([a, b, a], 1),
    ),
    Example("std", lambda xp, x: xp.std(x, axis=1), (PAIR,), lambda t, x: t.std(x, 1, correction=0)),
    Example("std", lambda xp, x: xp.std(x * 0.0, axis=1), (PAIR,), lambda t, x: x[:, 0] * 0.0),
    same("subtract", PAIR, ROW),
    Example("subtract", lambda xp, x: 1.0 - x - 2.0, (PAIR,), lambda torch, x: -x - 1.0),
    Example("sum", lambda xp, x: xp.sum(x), (PAIR,), lambda torch, x: torch.sum(x)),
    Example("sum", lambda xp, x: xp.sum(x, axis=-1), (PAIR,), lambda torch, x: torch.sum(x, -1)),
    Example("sum", lambda xp, x: xp.sum(x, axis=(0, 2), keepdims=True), (normal(2, 3, 4),)),
    Example("take", lambda xp, x: xp.take(x, integers(xp, [0, 2, 0, -1], x), axis=1), (normal(2, 3, 2),)),
    Example("take", lambda xp, x: xp.take(x, integers(xp, [1, 1], x)), (normal(3),)),
    Example(
        "take_along_axis",
        lambda xp, x: xp.take_along_axis(x, integers(xp, [[1], [0], [-1]], x), axis=1),
        (PAIR,),
    ),
    Example("take_along_axis", lambda xp, x: xp.take_along_axis(x, xp.argsort(x, axis=0), axis=0), (PAIR,)),
    same("tan", inside(3)),
    same("tanh", PAIR),
    *(
        Example(
            "tensordot",
            lambda xp, a, b, axes=axes: xp.tensordot(a, b, axes=axes),
            (normal(2, 3, 4), normal(*b)),
            lambda torch, a, b, axes=axes: torch.tensordot(a, b, dims=axes),
        )
        for axes, b in ((2, (3, 4, 5)), (((2, 0), (1, 2)), (5, 4, 2)), (((1,), (-1,)), (2, 3)), (0, (2,)))
    ),
    Example("tile", lambda xp, x: xp.tile(x, (2, 1, 3)), (PAIR,), lambda torch, x: torch.tile(x, (2, 1, 3))),
    Example("tile", lambda xp, x: xp.tile(x, (2,)), (PAIR,), lambda torch, x: torch.tile(x, (2,))),
    Example("tril", lambda xp, x: xp.tril(x, k=-1), (PAIR,), lambda torch, x: torch.tril(x, -1)),
    Example("triu", lambda xp, x: xp.triu(x), (PAIR,), lambda torch, x: torch.triu(x)),
    Example(
        "unstack",
        lambda xp, x: xp.multiply(*xp.unstack(x, axis=1)[1:3]),
        (PAIR,),
        lambda t, x: x[:, 1] * x[:, 2],
    ),
    Example("unstack", lambda xp, x: xp.unstack(x)[0] * 2.0, (normal(1, 3),)),
    Example("var", lambda xp, x: xp.var(x, axis=0, correction=1), (PAIR,), lambda torch, x: torch.var(x, 0)),
    Example(
        "var",
        lambda xp, x: xp.var(x, keepdims=True),
        (PAIR,),
        lambda t, x: t.var(x, correction=0, keepdim=True),
    ),
    Example("vecdot", lambda xp, a, b: xp.vecdot(a, b), (PAIR, ROW), lambda t, a, b: t.linalg.vecdot(a, b)),
    Example("vecdot", lambda xp, a, b: xp.vecdot(a, b, axis=-2), (normal(2, 3, 4), normal(3, 1))),
    Example(
        "where",
        lambda xp, a, b: xp.where(a > 0, a * 2.0, b),
        (PAIR, ROW),
        lambda torch, a, b: torch.where(a > 0, a * 2.0, b),
    ),
]
