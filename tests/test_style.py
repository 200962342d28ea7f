"""How the mathematics is written: calls on the namespace, no assignment into arrays, the standard alone."""

import ast
import re

import numpy as np
import pytest
from sources import MATHEMATICS, over, told, tree_of


class Arrays:
    """Which expressions of one function are arrays: what follows from its parameters and its namespace.

    A parameter is an array unless its annotation names a type of the host. What is computed from an
    array, or by the namespace, is one, also as an attribute of ``self``, which all methods of a class share.
    Shapes are numbers, and so is what was brought to the host.
    """

    HOST_TYPES = re.compile(
        r"^(int|float|str|bool|type|Path|Decimal|None|[\s|\[\],.]|tuple|list|dict|Sequence|Callable)*$"
    )
    HOST_CALLS = (
        *("float", "int", "len", "bool", "range", "isinstance", "to_numpy", "getattr", "isdtype", "repr"),
        *("hasattr", "callable", "finfo", "iinfo"),
    )
    HOST_ATTRIBUTES = ("shape", "ndim", "dtype", "device", "size")
    OWN_TYPES = re.compile(
        r"^(Any|None|[\s|\[\],.]|tuple|list|type)*(Context|OverSamples|Parameter|Layer|Loss|Network|MLP|Model|Backend"
        r"|Stream|Optimizer|Schedule|Record|Arithmetic|Shape)\b"
    )
    DICTS = re.compile(r"^(dict|Mapping|MutableMapping|Tree|Slots|Coefficients)\b")

    def __init__(self, function, of_self=frozenset()):
        self.names, self.dicts = set(of_self), set()
        arguments = function.args
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if argument.arg in ("self", "cls", "xp") or not self._may_be_array(argument.annotation):
                continue
            self.names.add(argument.arg)
            if argument.annotation is not None and self.DICTS.match(ast.unparse(argument.annotation)):
                self.dicts.add(argument.arg)
        before = -1
        while before != len(self.names) + len(self.dicts):
            before = len(self.names) + len(self.dicts)
            for node in ast.walk(function):
                self._follow(node)

    def _may_be_array(self, annotation):
        text = "Any" if annotation is None else ast.unparse(annotation)
        return not (self.HOST_TYPES.match(text) or self.OWN_TYPES.match(text))

    def _follow(self, node):
        match node:
            case ast.Assign(targets=targets, value=value):
                self._learn(targets, value)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                if self.DICTS.match(ast.unparse(annotation)):
                    self.dicts.add(ast.unparse(target))
                if value is not None:
                    self._learn([target], value)
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                self._learn([target], value)
            case ast.For(target=target, iter=items) | ast.comprehension(target=target, iter=items):
                if self.has(items):
                    self._add([target])

    def _learn(self, targets, value):
        if isinstance(value, ast.Dict | ast.DictComp):
            self.dicts |= {ast.unparse(target) for target in targets}
        if self.has(value):
            self._add(targets)

    def _add(self, targets):
        for target in targets:
            for node in ast.walk(target):
                if isinstance(node, ast.Name) and node.id != "self":
                    self.names.add(node.id)
                elif isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self":
                    self.names.add(f"self.{node.attr}")

    def has(self, node):
        """Tell whether an expression is an array, or holds one."""
        match node:
            case ast.Name():
                return node.id in self.names
            case ast.Attribute(value=ast.Name(id="self"), attr=name):
                return f"self.{name}" in self.names
            case ast.Attribute(attr=name):
                return name not in self.HOST_ATTRIBUTES and self.has(node.value)
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in self.HOST_CALLS:
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name(id="math"))):
                return False
            case ast.Call(func=ast.Attribute(value=owner)) if is_namespace(owner):
                return True
            case ast.Lambda():
                return False
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
                return False
            case ast.expr() | ast.keyword() | ast.comprehension():
                return any(self.has(child) for child in ast.iter_child_nodes(node))
        return False

    def is_dict(self, node):
        """Tell whether an expression is known to be a mapping of names."""
        text = ast.unparse(node)
        return text in self.dicts or text.endswith(", {})")  # what a mapping's setdefault returns


def is_namespace(node):
    """Tell whether an expression is `xp`, `self.xp`, `backend.xp` …"""
    return ast.unparse(node).rpartition(".")[2] in ("xp", "_xp")


def functions_of(tree):
    """Yield each function and lambda with what its arrays are."""
    inside = {}
    for owner in ast.walk(tree):
        if isinstance(owner, ast.ClassDef):
            methods = [node for node in owner.body if isinstance(node, ast.FunctionDef)]
            found = set().union(*(Arrays(method).names for method in methods))
            of_self = frozenset(name for name in found if name.startswith("self."))
            inside.update((node, of_self) for method in methods for node in ast.walk(method))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node, Arrays(node, inside.get(node, frozenset()))


def divisions(tree):
    """Yield the operations on arrays that must be calls of the namespace."""
    for function, arrays in functions_of(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.BinOp):
                operands = [node.left, node.right]
            elif isinstance(node, ast.AugAssign):
                operands = [node.target, node.value]
            else:
                continue
            barred = ast.Div | ast.FloorDiv | ast.Mod | ast.Pow
            if isinstance(node.op, ast.MatMult) or (
                isinstance(node.op, barred) and any(map(arrays.has, operands))
            ):
                yield node


def assignments(tree):
    """Yield what assigns into an array, or may do so."""
    for function, arrays in functions_of(tree):
        for node in ast.walk(function):
            if isinstance(node, ast.AugAssign):
                united = isinstance(node.op, ast.BitOr) and arrays.is_dict(node.target)
                listed = isinstance(node.value, ast.List | ast.ListComp)
                if arrays.has(node.target) and not united and not listed:
                    yield node
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            for target in targets:
                if isinstance(target, ast.Subscript) and not isinstance(node, ast.For | ast.comprehension):
                    named = isinstance(target.slice, ast.JoinedStr) or (
                        isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str)
                    )
                    if not named and not arrays.is_dict(target.value) and arrays.has(target.value):
                        yield node


@over(MATHEMATICS)
def test_products_divisions_and_powers_of_arrays_are_calls(path):
    assert [told(path, node) for node in divisions(tree_of(path))] == []


@over(MATHEMATICS)
def test_nothing_is_assigned_into_an_array(path):
    assert [told(path, node) for node in assignments(tree_of(path))] == []


@over(MATHEMATICS)
def test_arrays_have_no_methods(path):
    forbidden = set(dir(np.ndarray)) - set(Arrays.HOST_ATTRIBUTES)
    for function, arrays in functions_of(tree_of(path)):
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and node.attr in forbidden:
                assert not arrays.has(node.value), told(path, node)


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


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("def f(xp, x, n: int): return x / n", True),
        ("def f(xp, x): y = xp.exp(x); return 1.0 / y", True),
        ("def f(xp, x): return x.shape[0] / 2", False),
        ("def f(xp, x): return float(xp.sum(x)) / 2", False),
        ("def f(xp, params: Params):\n  for name, p in params.items():\n    q = p ** 2", True),
        ("def f(rate: float, n: int): return rate ** n", False),
        ("def f(c: Context, rate: float): return 1.0 / rate", False),
        ("halved = lambda p: p / 2", True),
        ("def f(xp, tree): return map_tree(lambda p: p % 2, tree)", True),
        ("def f(n: int): return 1 / n", False),
        ("class A:\n  def __init__(self, xp, x): self.x = xp.exp(x)\n  def f(self): return self.x / 2", True),
        ("class A:\n  def __init__(self, n: int): self.n = n\n  def f(self): return self.n / 2", False),
        ("def f(xp, x: Array, t: Array | None): return x @ t", True),
        ("def f(xp, x):\n  x /= 2", True),
    ],
)
def test_the_rule_tells_arrays_from_numbers(code, caught):
    assert bool(list(divisions(ast.parse(code)))) == caught


@pytest.mark.parametrize(
    ("code", "caught"),
    [
        ("def f(xp, x, mask): x[mask] = 0", True),
        ("def f(xp, x, i: int): x[i] = 0", True),
        ("def f(xp, x): x[0, :] = 1.0", True),
        ("def f(xp, x): y = xp.exp(x); y[1:] = 0", True),
        ("def f(xp, x): x += 1", True),
        ("class A:\n  def __init__(self, x): self.x = x\n  def f(self, i: int): self.x[i] = 0", True),
        ("def f(xp, x): found = {}; found['W'] = x", False),
        ("def f(xp, x, n: int): found = {}; found[n] = x", False),
        ("def f(xp, gradients: dict[str, Array], name: str, x): gradients[name] = x", False),
        ("def f(xp, found, n: int, x): found[f'W{n}'] = x", False),
        ("def f(xp, a: dict[str, Array], b): a |= b", False),
        ("def f(n: int, table: list): table[n] = 0", False),
    ],
)
def test_the_rule_tells_arrays_from_mappings(code, caught):
    assert bool(list(assignments(ast.parse(code)))) == caught
