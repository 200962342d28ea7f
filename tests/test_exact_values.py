"""What the exact namespace passes through or settles: values, dtypes and signs of zeros on every library."""

import math

import array_api_compat.numpy as np
import flushing
import numpy
import pytest
from test_exact_matmul import same_bits

from xpnet.arithmetic import exact
from xpnet.arithmetic.exact import FLUSHED, OF_ONE_KIND, PINNED, SAME_BITS
from xpnet.backends import get_backend
from xpnet.errors import InvalidInputError, XpnetError

backend = flushing.backend

inf, nan = math.inf, math.nan
FLOATS = [-2.5, -1.5, -0.5, -0.0, 0.0, 0.3, 0.5, 1.5, 2.5, 3.0, inf, -inf, nan, 1e300]
TIES = [3.0, 1, nan, -0.0, 3, 0.0, 1, nan, inf, -inf, -0.0]
INTS = [5, -7, 0, 100, -128, 127]
DTYPES = ("bool", "int8", "int16", "int32", "int64", "uint8", "float32", "float64")
BEYOND = [nan, inf, -inf, 300.9, -300.9, -0.5, 1e10, -1e10, 1e19, -1e19, 2.0**63, 2.0**31, 255.9, 2.0**64]


class Case:
    """What makes an array of a library's, by the name of the dtype."""

    def __init__(self, backend):
        self.xp, self.device, self._asarray = exact(backend.xp), backend.device, backend.asarray

    def __call__(self, values, dtype="float64"):
        with numpy.errstate(over="ignore"):
            return self._asarray(numpy.asarray(values).astype(dtype))


def matrix(c, dtype="float64"):
    return c(numpy.arange(12).reshape(3, 4) - 5, dtype)


def elementwise(*names, dtypes=("float64", "float32", "int32")):
    return {
        f"{name} {dtype}": lambda c, name=name, dtype=dtype: getattr(c.xp, name)(
            c(INTS if "int" in dtype else FLOATS, dtype)
        )
        for name in names
        for dtype in dtypes
    }


def pairwise(*names, dtypes=("float64", "int32")):
    def call(c, name, dtype):
        a = c(INTS if "int" in dtype else FLOATS, dtype)
        return getattr(c.xp, name)(a, c.xp.flip(a))

    return {
        f"{name} {dtype}": lambda c, name=name, dtype=dtype: call(c, name, dtype)
        for name in names
        for dtype in dtypes
    }


def ordered(name, **options):
    return {
        f"{name} {dtype} {options}": lambda c, dtype=dtype: getattr(c.xp, name)(
            c(INTS * 4 if "int" in dtype else TIES * 4, dtype), **options
        )
        for dtype in ("float64", "float32", "int8", "uint8")
    }


def searches(**options):
    return {
        f"searchsorted {dtype} {options}": lambda c, dtype=dtype: c.xp.searchsorted(
            c([-inf, -1, -0.0, 0.0, 2, 2, inf, nan, nan][1 : None if "f" in dtype else 6], dtype),
            c([0.0, -0.0, 2, 3, nan, inf, -inf, 1e30][: None if "f" in dtype else 4], dtype),
            **options,
        )
        for dtype in ("float64", "float32", "int32")
    }


def truths(*names):
    return {
        name: lambda c, name=name: getattr(c.xp, name)(c([1, 1, 0, 0], "bool"), c([1, 0, 1, 0], "bool"))
        for name in names
    }


CASES = {
    **{f"astype to {d}": lambda c, d=d: c.xp.astype(c(BEYOND), getattr(c.xp, d)) for d in DTYPES},
    **{
        f"astype of float32 to {d}": lambda c, d=d: c.xp.astype(c(BEYOND, "float32"), getattr(c.xp, d))
        for d in DTYPES
    },
    **{
        f"astype of ints to {d}": lambda c, d=d: c.xp.astype(
            c([2**24 + 1, -(2**62) - 2**38 - 1, 300, 0], "int64"), getattr(c.xp, d)
        )
        for d in DTYPES
    },
    "astype of subnormals": lambda c: c.xp.astype(c([5e-324, 1.0]), c.xp.bool),
    **{
        f"default of {n}": lambda c, n=n: getattr(c.xp, n)((2, 2), device=c.device)
        for n in ("ones", "zeros", "empty")
    },
    **{
        f"int8 of {n}": lambda c, n=n: getattr(c.xp, n)(3, dtype=c.xp.int8, device=c.device)
        for n in ("ones", "zeros", "empty")
    },
    **{
        f"{n}": lambda c, n=n: getattr(c.xp, n)(c([1, 2], "float32"))
        for n in ("ones_like", "zeros_like", "empty_like")
    },
    "full_like": lambda c: c.xp.full_like(c([1, 2], "float32"), 0.1),
    "eye": lambda c: c.xp.eye(2, 3, k=1, device=c.device),
    **{f"full {v}": lambda c, v=v: c.xp.full((2,), v, device=c.device) for v in (True, 3, 0.1, -0.0)},
    "full float32": lambda c: c.xp.full(2, 0.1, dtype=c.xp.float32, device=c.device),
    **{
        f"asarray {v}": lambda c, v=v: c.xp.asarray(v, device=c.device)
        for v in (True, 3, 0.1, [1, 2], [1, 0.1], [[True], [False]])
    },
    "asarray of an array": lambda c: c.xp.asarray(c([1.5], "float32")),
    "asarray int16": lambda c: c.xp.asarray([1, 2], dtype=c.xp.int16, device=c.device),
    "from_dlpack": lambda c: c.xp.from_dlpack(c([1.5, -0.0], "float32")),
    **{
        f"arange {a}": lambda c, a=a: c.xp.arange(*a, device=c.device)
        for a in ((5,), (5, 0, -2), (0, 1, 0.1), (1.0, 2.0, 0.1), (0.3, 7, 0.7), (3, 1), (2.5,))
    },
    "arange float32": lambda c: c.xp.arange(0, 1, 0.1, dtype=c.xp.float32, device=c.device),
    "arange of integers as float32": lambda c: c.xp.arange(3, dtype=c.xp.float32, device=c.device),
    "meshgrid": lambda c: c.xp.meshgrid(c([1, 2]), c([3, 4, 5]))[0],
    **elementwise("sign", "abs", "negative", "positive", "square", "ceil", "floor", "round", "trunc"),
    **elementwise("isfinite", "isinf", "isnan", dtypes=("float64", "float32")),
    **pairwise("add", "multiply", "subtract", "maximum", "minimum"),
    **pairwise("equal", "not_equal", "greater", "greater_equal", "less", "less_equal"),
    **pairwise("bitwise_and", "bitwise_or", "bitwise_xor", dtypes=("int32", "int8")),
    **elementwise("bitwise_invert", dtypes=("int32", "int8")),
    **{
        f"bitwise_{d}_shift": lambda c, d=d: getattr(c.xp, f"bitwise_{d}_shift")(
            c([5, -5, 2**30, -(2**31)], "int32"), c([1, 3, 2, 31], "int32")
        )
        for d in ("left", "right")
    },
    **truths("logical_and", "logical_or", "logical_xor"),
    "logical_not": lambda c: c.xp.logical_not(c([1, 0], "bool")),
    **{
        f"{n} of {a}": lambda c, n=n, a=a: getattr(c.xp, n)(
            c(matrix(c).shape[0] * [[0.0, nan, 2, -0.0]]), axis=a
        )
        for n in ("all", "any", "count_nonzero")
        for a in (None, 0, 1)
    },
    **ordered("argmax"),
    **ordered("argmin"),
    **ordered("sort"),
    **ordered("argsort"),
    **ordered("sort", descending=True),
    **ordered("argsort", descending=True),
    **ordered("argsort", stable=False),
    "sort of rows": lambda c: c.xp.sort(matrix(c), axis=0, descending=True),
    "argsort of columns": lambda c: c.xp.argsort(matrix(c) * 0.0, axis=0, descending=True),
    "argmax of rows": lambda c: c.xp.argmax(matrix(c) * 0.0, axis=1),
    **searches(),
    **searches(side="right"),
    "searchsorted in disorder": lambda c: c.xp.searchsorted(
        c([3, 1, 2]), c([2.0, nan]), sorter=c([1, 2, 0], "int64")
    ),
    **{
        f"where {a} {b}": lambda c, a=a, b=b: c.xp.where(c([1, 0], "bool"), a, b)
        for a, b in ((1.0, 0), (1, 0), (True, False))
    },
    "where of arrays": lambda c: c.xp.where(c([1, 0], "bool"), c([-0.0, 1]), c([2, -0.0], "float32")),
    "where and a number": lambda c: c.xp.where(c([1, 0], "bool"), c([1, 2], "float32"), -0.0),
    "take": lambda c: c.xp.take(matrix(c), c([2, 0], "int64"), axis=0),
    "take_along_axis": lambda c: c.xp.take_along_axis(matrix(c), c([[3, 0]] * 3, "int64"), axis=1),
    **{
        f"{n} of {k}": lambda c, n=n, k=k: getattr(c.xp, n)(matrix(c), k=k)
        for n in ("tril", "triu")
        for k in (-1, 0, 1)
    },
    "triu of infinities": lambda c: c.xp.triu(c([[inf, nan], [inf, nan]])),
    "broadcast_arrays": lambda c: c.xp.broadcast_arrays(c([[1], [2]]), c([3, 4]))[0],
    "broadcast_to": lambda c: c.xp.broadcast_to(c([1, 2]), (2, 2)),
    "concat": lambda c: c.xp.concat([c([1, -0.0], "float32"), c([0.1])]),
    "stack": lambda c: c.xp.stack([c([1, -0.0], "float32"), c([0.1, 0.2])]),
    "expand_dims": lambda c: c.xp.expand_dims(c([1, 2]), axis=0),
    "flip": lambda c: c.xp.flip(matrix(c), axis=1),
    "matrix_transpose": lambda c: c.xp.matrix_transpose(matrix(c)),
    "moveaxis": lambda c: c.xp.moveaxis(matrix(c), 0, 1),
    "permute_dims": lambda c: c.xp.permute_dims(matrix(c), (1, 0)),
    "repeat": lambda c: c.xp.repeat(matrix(c), 2, axis=1),
    "reshape": lambda c: c.xp.reshape(matrix(c), (2, -1)),
    "roll": lambda c: c.xp.roll(matrix(c), 2, axis=1),
    "squeeze": lambda c: c.xp.squeeze(c([[1, 2]]), axis=0),
    "tile": lambda c: c.xp.tile(c([1, 2]), (2, 2)),
    "unstack": lambda c: c.xp.unstack(matrix(c))[1],
    **{
        f"sum of {d} as {w}": lambda c, d=d, w=w: c.xp.sum(
            c([100, 27, 1, 0], d), dtype=w and getattr(c.xp, w)
        )
        for d in ("bool", "int8", "int32", "uint8")
        for w in (None, "int32", "float32")
    },
}
NUMBERS = {"e", "inf", "nan", "newaxis", "pi", "finfo", "iinfo", "isdtype", "result_type"}


def bits(case, backend):
    """Return what a case makes on NumPy's side."""
    with numpy.errstate(all="ignore"):
        return numpy.asarray(backend.to_numpy(CASES[case](Case(backend))))


@pytest.mark.parametrize("case", CASES)
def test_the_same_values_as_numpy(backend, case):
    assert same_bits(bits(case, backend), bits(case, get_backend("numpy")))


def test_no_name_is_left_out():
    class Asked:
        def __init__(self):
            self.names = set()

        def __getattr__(self, name):
            self.names.add(name)
            return getattr(exact(np), name)

    case = Case(get_backend("numpy"))
    case.xp = Asked()
    with numpy.errstate(all="ignore"):
        for make in CASES.values():
            make(case)
    dtypes = {name for name in SAME_BITS if name.startswith(("bool", "int", "uint", "float"))}
    assert SAME_BITS | set(PINNED) | OF_ONE_KIND | FLUSHED <= case.xp.names | dtypes | NUMBERS


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("sign float64", [-1, -1, -1, 0, 0, 1, 1, 1, 1, 1, 1, -1, nan, 1]),
        (
            "astype to int32",
            [
                0,
                2**31 - 1,
                -(2**31),
                300,
                -300,
                0,
                2**31 - 1,
                -(2**31),
                2**31 - 1,
                -(2**31),
                2**31 - 1,
                2**31 - 1,
                255,
                2**31 - 1,
            ],
        ),
        ("astype to uint8", [0, 255, 0, 255, 0, 0, 255, 0, 255, 0, 255, 255, 255, 255]),
        (
            "astype to int64",
            [
                0,
                2**63 - 1,
                -(2**63),
                300,
                -300,
                0,
                10**10,
                -(10**10),
                2**63 - 1,
                -(2**63),
                2**63 - 1,
                2**31,
                255,
                2**63 - 1,
            ],
        ),
        ("astype of subnormals", [False, True]),
        ("arange (1.0, 2.0, 0.1)", [1.0 + i * 0.1 for i in range(10)]),
        ("round float64", [-2.0, -2.0, -0.0, -0.0, 0, 0, 0, 2, 2, 3, inf, -inf, nan, 1e300]),
        ("asarray [1, 0.1]", [1, 0.1]),
        ("searchsorted float64 {'side': 'right'}", [3, 3, 5, 5, 8, 6, 0, 5]),
        ("searchsorted float64 {}", [1, 1, 3, 5, 6, 5, 0, 5]),
        ("sum of uint8 as None", 128),
        ("default of empty", [[0, 0], [0, 0]]),
    ],
)
def test_as_is_stated(case, expected):
    found = bits(case, get_backend("numpy"))
    assert same_bits(found, numpy.asarray(expected, dtype=found.dtype))


def test_numbers_and_dtypes(xp):
    xp = exact(xp)
    assert (xp.e, xp.pi, xp.inf, xp.newaxis) == (math.e, math.pi, inf, None)
    assert math.isnan(xp.nan)
    for dtype, info in ((xp.float32, numpy.finfo("float32")), (xp.float64, numpy.finfo("float64"))):
        found = xp.finfo(dtype)
        for name in ("bits", "eps", "max", "min", "smallest_normal"):
            assert float(getattr(found, name)) == float(getattr(info, name))
    assert (xp.iinfo(xp.int8).bits, xp.iinfo(xp.int8).max, xp.iinfo(xp.int8).min) == (8, 127, -128)
    for name, kinds in {
        "float32": ("real floating", "numeric"),
        "uint8": ("unsigned integer", "integral", "numeric"),
        "int64": ("signed integer", "integral", "numeric"),
        "bool": ("bool",),
    }.items():
        every = ("bool", "signed integer", "unsigned integer", "integral", "real floating", "numeric")
        assert tuple(kind for kind in every if xp.isdtype(getattr(xp, name), kind)) == kinds
    assert xp.result_type(xp.float32, xp.float64) == xp.float64
    assert xp.result_type(xp.asarray([1], dtype=xp.int8), xp.int16) == xp.int16
    assert xp.result_type(xp.asarray([1.0], dtype=xp.float32), 1) == xp.float32


MIXED = {
    "add": lambda c: c.xp.add(c([1], "int32"), c([1], "float32")),
    "multiply": lambda c: c.xp.multiply(c([1], "uint8"), 0.5),
    "equal": lambda c: c.xp.equal(c([1], "bool"), c([1], "int32")),
    "where": lambda c: c.xp.where(c([1], "bool"), c([1], "int32"), 0.5),
    "maximum": lambda c: c.xp.maximum(c([1], "int32"), 0.5),
    "minimum": lambda c: c.xp.minimum(0.5, c([1], "int32")),
    "concat": lambda c: c.xp.concat([c([1], "int32"), c([1], "float32")]),
    "stack": lambda c: c.xp.stack([c([1], "int32"), c([1], "float32")]),
    "result_type": lambda c: c.xp.result_type(c.xp.int32, c.xp.float32),
}


@pytest.mark.parametrize("name", MIXED)
def test_kinds_are_not_mixed(backend, name):
    with pytest.raises(InvalidInputError, match=f"{name} of .* convert with astype"):
        MIXED[name](Case(backend))


def test_a_fractional_range_is_not_of_integers(xp):
    xp = exact(xp)
    with pytest.raises(InvalidInputError, match="by fractions"):
        xp.arange(0, 1, 0.1, dtype=xp.int32)
    with pytest.raises(InvalidInputError, match="other than 0"):
        xp.arange(0, 1, 0)


def test_what_is_cast_safely_is_not_told(xp):
    with pytest.raises(XpnetError, match="no 'can_cast'"):
        exact(xp).can_cast(xp.int8, xp.float32)
