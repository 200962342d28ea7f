"""The rules of DESIGN: who imports whom, how the mathematics is written, what an import loads."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import xpnet

ROOT = Path(xpnet.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
MATHEMATICS = [path for path in FILES if path.relative_to(ROOT).parts[0] in ("nn", "optim", "arithmetic")]
HEAVY = [
    "cupy",
    "torch",
    "jax",
    "matplotlib",
    "scipy",
    "sklearn",
    "pooch",
    "typer",
    "rich",
    "safetensors",
    "array_api_strict",
]
LONGEST_FILE = 400


def name_of(path):
    return str(path.relative_to(ROOT))


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def over(paths):
    return pytest.mark.parametrize("path", paths, ids=name_of)


# Floors: a file imports only from its own or from lower ones, inside functions too.

GROUND, ARITHMETIC, NN, OPTIM, TRAINING, TOP = range(6)
FLOORS = {
    **dict.fromkeys(["errors", "validation", "random", "io", "plots", "backends", "programs"], GROUND),
    "datasets": GROUND,
    "arithmetic": ARITHMETIC,
    "nn": NN,
    "optim": OPTIM,
    "training": TRAINING,
    **dict.fromkeys(["__init__", "__main__", "cli", "parity", "sklearn"], TOP),
}
LEAVES = ("datasets", "plots", "cli", "parity", "sklearn")
"""Nobody on their own floor but themselves imports these."""


def imported(tree):
    """Yield the modules that a file imports, by their full names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            if node.module == "xpnet":
                yield from (f"xpnet.{alias.name}" for alias in node.names)
            else:
                yield node.module


def part(module):
    """Return which part of the package a module `xpnet.part.…` belongs to; its root where it names none."""
    name = module.split(".")[1] if "." in module else "__init__"
    return name if name in FLOORS else "__init__"


@over(FILES)
def test_a_file_imports_only_from_its_own_floor_or_lower(path):
    own = path.relative_to(ROOT).parts[0].removesuffix(".py")
    for module in imported(tree_of(path)):
        if module.partition(".")[0] == "xpnet":
            other = part(module)
            assert FLOORS[other] <= FLOORS[own], f"{name_of(path)} imports {module}, of a higher floor"
            if other in LEAVES and FLOORS[own] != TOP and other != own:
                assert is_inside_a_function(path, module), f"{name_of(path)} imports {module} at once"


def is_inside_a_function(path, module):
    functions = (node for node in ast.walk(tree_of(path)) if isinstance(node, ast.FunctionDef))
    return any(module in imported(function) for function in functions)


@over(
    [path for path in FILES if path.relative_to(ROOT).parts[0] not in ("backends", "sklearn.py", "parity.py")]
)
def test_array_libraries_are_imported_by_the_shim_alone(path):
    libraries = {"cupy", "torch", "jax", "jaxlib", "array_api_strict", "array_api_compat"}
    assert not libraries & {module.partition(".")[0] for module in imported(tree_of(path))}


# How the mathematics is written


@over(MATHEMATICS)
def test_the_mathematics_imports_no_array_library(path):
    libraries = {"numpy", "cupy", "torch", "jax", "array_api_strict", "array_api_compat", "array_api_extra"}
    assert not libraries & {module.partition(".")[0] for module in imported(tree_of(path))}


class Arrays:
    """Which expressions of one function are arrays: what follows from its parameters and its namespace.

    A parameter is an array unless its annotation names a type of the host. What is computed from an
    array, or by the namespace, is one. Shapes are numbers, and so is what was brought to the host.
    """

    HOST_TYPES = re.compile(
        r"^(int|float|str|bool|type|Path|None|[\s|\[\],.]|tuple|list|dict|Sequence|Callable)*$"
    )
    HOST_CALLS = (
        "float",
        "int",
        "len",
        "bool",
        "range",
        "isinstance",
        "to_numpy",
        "getattr",
        "isdtype",
        "repr",
    )
    HOST_ATTRIBUTES = ("shape", "ndim", "dtype", "device", "size")
    OWN_TYPES = re.compile(r"Chain|MLP|Backend|Stream|Optimizer|Schedule|Affine|Activation|Record|Arithmetic")

    def __init__(self, function):
        arguments = function.args
        self.names = {
            argument.arg
            for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            if argument.arg not in ("self", "cls", "xp") and self._may_be_array(argument.annotation)
        }
        before = -1
        while before != len(self.names):
            before = len(self.names)
            for node in ast.walk(function):
                self._follow(node)

    def _may_be_array(self, annotation):
        text = "Any" if annotation is None else ast.unparse(annotation)
        return not (self.HOST_TYPES.match(text) or self.OWN_TYPES.search(text))

    def _follow(self, node):
        if isinstance(node, ast.Assign) and self.has(node.value):
            self._add(node.targets)
        elif (
            isinstance(node, ast.AugAssign | ast.AnnAssign)
            and node.value is not None
            and self.has(node.value)
        ) or (isinstance(node, ast.For | ast.comprehension) and self.has(node.iter)):
            self._add([node.target])

    def _add(self, targets):
        for target in targets:
            self.names |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)} - {"self"}

    def has(self, node):
        """Tell whether an expression is an array, or holds one."""
        match node:
            case ast.Name():
                return node.id in self.names
            case ast.Attribute(attr=name):
                return name not in self.HOST_ATTRIBUTES and self.has(node.value)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in self.HOST_CALLS:
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name(id="math"))):
                return False
            case ast.Call(func=ast.Attribute(value=owner)) if is_namespace(owner):
                return True
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
                return False
            case ast.expr() | ast.keyword() | ast.comprehension():
                return any(self.has(child) for child in ast.iter_child_nodes(node))
        return False


def is_namespace(node):
    """Tell whether an expression is `xp`, `self.xp`, `backend.xp` …"""
    return ast.unparse(node).rpartition(".")[2] in ("xp", "_xp")


def functions_of(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]


@over(MATHEMATICS)
def test_products_divisions_and_powers_of_arrays_are_calls(path):
    for function in functions_of(tree_of(path)):
        arrays = Arrays(function)
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp):
                operands = [node.left, node.right]
            elif isinstance(node, ast.AugAssign):
                operands = [node.target, node.value]
            else:
                continue
            assert not isinstance(node.op, ast.MatMult), told(path, node)
            if isinstance(node.op, ast.Div | ast.FloorDiv | ast.Mod | ast.Pow):
                assert not any(arrays.has(operand) for operand in operands), told(path, node)


@over(MATHEMATICS)
def test_arrays_have_no_methods(path):
    forbidden = set(dir(np.ndarray)) - set(Arrays.HOST_ATTRIBUTES)
    for function in functions_of(tree_of(path)):
        arrays = Arrays(function)
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and node.attr in forbidden:
                assert not arrays.has(node.value), told(path, node)


@over(MATHEMATICS)
def test_nothing_is_assigned_into_an_array(path):
    for function in functions_of(tree_of(path)):
        arrays = Arrays(function)
        for node in ast.walk(function):
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.AugAssign) and not isinstance(
                node.op, ast.BitOr
            ):  # dicts are united by |=
                assert not arrays.has(node.target), told(path, node)
            for target in targets:
                if isinstance(target, ast.Subscript) and not isinstance(node, ast.For):
                    key = target.slice
                    is_name = isinstance(key, ast.Attribute | ast.Name | ast.JoinedStr) or (
                        isinstance(key, ast.Constant) and isinstance(key.value, str)
                    )
                    assert is_name, told(path, node)


@over(MATHEMATICS)
def test_only_standard_functions_are_called(path):
    standard = pytest.importorskip("array_api_strict")
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Attribute) and is_namespace(node.value):
            assert node.attr.startswith("__") or hasattr(standard, node.attr), told(path, node)
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and is_namespace(node.func.value)
        ):
            assert "out" not in [keyword.arg for keyword in node.keywords], told(path, node)


def told(path, node):
    return f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("def f(xp, x, n: int): return x / n", True),
        ("def f(xp, x): y = xp.exp(x); return 1.0 / y", True),
        ("def f(xp, x): return x.shape[0] / 2", False),
        ("def f(xp, x): return float(xp.sum(x)) / 2", False),
        ("def f(xp, params: Params):\n  for name, p in params.items():\n    q = p ** 2", True),
        ("def f(rate: float, n: int): return rate ** n", False),
    ],
)
def test_the_rule_tells_arrays_from_numbers(code, caught):
    function = ast.parse(code).body[0]
    arrays = Arrays(function)
    operations = [node for node in ast.walk(function) if isinstance(node, ast.BinOp)]
    assert any(arrays.has(node.left) or arrays.has(node.right) for node in operations) == caught


# Size, weight, examples


@over(FILES)
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, xpnet; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stdout.split()
    assert "numpy" in loaded
    assert not set(HEAVY) & set(loaded)


def test_every_public_name_is_there():
    assert sorted(xpnet.__all__) == sorted(set(xpnet.__all__))
    for name in xpnet.__all__:
        assert getattr(xpnet, name).__doc__, name


@over([path for path in FILES if path.name != "__main__.py"])
def test_examples(path, monkeypatch, tmp_path):
    """Run the examples of a module, as far as what it imports is installed."""
    module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XPNET_BACKEND", raising=False)
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in HEAVY:
            raise
        pytest.skip(f"{error.name} is not installed")
    results = doctest.testmod(loaded, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert results.failed == 0
