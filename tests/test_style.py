"""How the mathematics is written: calls on the namespace, no assignment into arrays, the standard alone."""

import ast

import numpy as np
import pytest
from dataflow import Arrays, is_namespace
from sources import MATHEMATICS, over, told, tree_of


def divisions(tree):
    """Yield the operations on arrays that must be calls of the namespace."""
    arrays = Arrays(tree)
    for node, scope in arrays.nodes:
        match node:
            case ast.BinOp(left=one, op=op, right=other) | ast.AugAssign(target=one, op=op, value=other):
                barred = isinstance(op, ast.Div | ast.FloorDiv | ast.Mod | ast.Pow)
                if isinstance(op, ast.MatMult) or (
                    barred and any(arrays.has(x, scope) for x in (one, other))
                ):
                    yield node


def assignments(tree):
    """Yield what assigns into an array, or may do so."""
    arrays = Arrays(tree)
    for node, scope in arrays.nodes:
        match node:
            case ast.Subscript(value=table, slice=key, ctx=ast.Store() | ast.Del()):
                if not (arrays.kind(table, scope) or arrays.is_key(key, scope)):
                    yield node
            case ast.AugAssign(target=ast.Name() | ast.Attribute() as target):
                if arrays.has(target, scope) and not arrays.kind(target, scope):
                    yield node


@over(MATHEMATICS)
def test_products_divisions_and_powers_of_arrays_are_calls(path):
    assert [told(path, node) for node in divisions(tree_of(path))] == []


@over(MATHEMATICS)
def test_nothing_is_assigned_into_an_array(path):
    assert [told(path, node) for node in assignments(tree_of(path))] == []


@over(MATHEMATICS)
def test_arrays_have_no_methods(path):
    forbidden = set(dir(np.ndarray)) - {*Arrays.HOST_ATTRIBUTES}
    arrays = Arrays(tree_of(path))
    for node, scope in arrays.nodes:
        if isinstance(node, ast.Attribute) and node.attr in forbidden:
            assert arrays.kind(node.value, scope) or not arrays.has(node.value, scope), told(path, node)


@over(MATHEMATICS)
def test_only_standard_functions_are_called(path):
    standard = pytest.importorskip("array_api_strict")
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Attribute(value=owner, attr=name) if is_namespace(owner):
                assert name.startswith("__") or hasattr(standard, name), told(path, node)
            case ast.Call(func=ast.Attribute(value=owner), keywords=keywords) if is_namespace(owner):
                assert "out" not in [keyword.arg for keyword in keywords], told(path, node)


CAUGHT_OPERATIONS = r"""
def f(xp, x, n: int): return x / n
def f(xp, x): y = xp.exp(x); return 1.0 / y
def f(xp, params: Params): return [p ** 2 for name, p in params.items()]
def f(xp, params: Tree): return map_tree(lambda p: p / 2, params)
HALF = lambda p: p / 2
def f(xp, c: Coefficients, p): return c["rate"] // 2
def f(c: Context, v: Variables): return v.params["W"] % 2
def f(c: Context): return c.bits((2, 3)) / 2
def f(c: Context): return c.random / 2
def f(c: Context, n: int): return c.xp.arange(n) / n
def f(c: Context, layer: Layer, v: Variables, x): return layer.forward(c, v, x)[0] / 2
def f(n: int): return g(n) / 2\ndef g(n: int) -> Array: return n
def f(x):\n  def g(): return x / 2\n  return g
def f(x):\n  return map_tree(lambda n: x / 2, 3)
def f(xp, x):\n  found = []\n  def g(): found.append(x)\n  return found[0] / 2
def f(xp, x):\n  found = []\n  found.append(x)\n  return found[0] / 2
def f(xp, x):\n  found = {}\n  found["W"] = x\n  return found["W"] / 2
def f(xp, x):\n  if (y := xp.abs(x)) is not None: return y / 2
def f(*arrays): return arrays[0] / 2
def f(a: tuple[Layer, Array]): return a[1] / 2
def f(a: Callable[[Tree], Array], p): return a(p) / 2
def f(a: int, b: int): return a @ b
def f(x, n: int):\n  n /= x
class A:\n  def __init__(self, x): self.x = x\n  def f(self): return self.x / 2
class A:\n  def __init__(self, xp, n: int): self.n, self.x = n, xp.ones(n)\n  def f(self): return 2 / self.x
class A:\n  def f(self): return lambda: self.x ** 2\n  def __init__(self, x): self.x = x
class A:\n  x: Array\n  def f(self): self.x /= 2
class A:\n  v: Variables\n  def f(self): return self.v.state["mean"] / 2
class A:\n  @property\n  def x(self) -> Array: ...\n  def f(self): return self.x / 2
class A:\n  def g(self) -> Array: ...\n  def f(self): return self.g() / 2
"""
PASSED_OPERATIONS = r"""
def f(xp, x): return x.shape[0] / 2
def f(xp, x): return float(xp.sum(x)) / 2
def f(rate: float, n: int): return rate ** n
def f(inputs: Shape, stream: Stream): return 1.0 / inputs[0]
def f(c: Context, x): return 1.0 / c.samples.count(x.shape[0])
def f(c: Context, loss: Loss, network: Network): return network.l2 / 2
def f(p: Parameter, o: Optimizer, s: Schedule, r: Record, a: Arithmetic): return p.fans[0] / 2 + s.rate / r.n
def f(x): return g(x) / 2\ndef g(x) -> float: ...
def f(xp, x): return [i % 2 for i, item in enumerate(x)]
def f(xp, params: Tree): return [i / 2 for i in range(len(params))]
def f(rows: tuple[tuple[int, int], ...]): return [a / b for a, b in rows]
def f(n: int, xp, x):\n  found = {}\n  found[n] = x\n  return n / 2
f = lambda x: x.ndim / 2
def f(layers: tuple[Layer, ...]): return len(layers) % 2
class A:\n  rate: float\n  def f(self, x): return x * (1.0 / self.rate)
class A:\n  def __init__(self, x, n: int): self.x, self.n = x, n\n  def f(self): return self.n / 2
class A:\n  def __init__(self, x): self.x = x\n  def f(self): return self.x.shape[0] // 2
class A:\n  @property\n  def outputs(self) -> Shape: ...\n  def f(self): return self.outputs[0] / 2
"""
CAUGHT_ASSIGNMENTS = r"""
def f(x, mask): x[mask] = 0
def f(x, i: int): x[i] = 0
def f(x): x[0] = x[1]
def f(x): x[:, 0] += 1
def f(x): x += 1
def f(x, y): x |= y
def f(x): x += [1, 2]
def f(x): del x[0]
def f(x):\n  for x[0] in range(3): pass
def f(x): x[0], y = 1, 2
def f(x): x[0]: int = 1
def f(x):\n  with g() as x[0]: pass
def f(xp, i: int):\n  y = xp.zeros(3)\n  y[i] = 1
def f(table, unknown): table[unknown] = 0
def f(params: Tree): params["W"][0] = 0
def f(v: Variables): v.params["W"][0] = 0
def f(params: Tree):\n  for name, p in params.items(): p[0] = 0
def f(x):\n  d = {}\n  d = x\n  d[0] = 1
def f(x):\n  def g(): x[0] = 1
f = [lambda x: [0 for x[0] in range(3)]]
class A:\n  def __init__(self, x): self.x = x\n  def f(self, i: int): self.x[i] = 0
class A:\n  x: Array\n  def f(self): self.x *= 2
class A:\n  x: Array\n  def f(self, i: int): self.x[i] = 2
class A:\n  def f(self, i): self.unknown[i] = 0
"""
PASSED_ASSIGNMENTS = r"""
def f(d, W): d["W"] = W
def f(d, i: int, W): d[f"W{i}"] = W
def f(d, name: str, W): d[name] = W
def f(d, params: Tree):\n  for name, p in params.items(): d[name] = p
def f(d, params: Tree):\n  for name in params: d[name + "1"] = 0
def f(d, x):\n  for name in ("W", "b"): d[name] = x
def f(d, x, names: tuple[str, ...]):\n  for name in sorted(names): d[name.upper()] = x
def f(x):\n  found = {}\n  found[0] = x
def f(x):\n  found: dict[int, Array] = {}\n  found[0] = x\n  del found[0]
def f(x, i: int):\n  rows = [None] * 3\n  rows[i] = x
def f(x, i: int):\n  rows = []\n  rows += [x]\n  rows[i] = x
def f(x):\n  found = {}\n  found.setdefault(1, {})[2] = x
def f(x, y: dict[str, Array]):\n  y |= {"x": x}
def f(n: int): n += 1
class A:\n  def __init__(self): self.kept = {}\n  def f(self, i: int, x): self.kept[i] = x
class A:\n  name: str\n  def f(self, d, x): d[self.name] = x
class A:\n  slots: ClassVar[tuple[str, ...]]\n  def f(self, d):\n    for slot in self.slots: d[slot] = 0
"""


def codes(caught, passed):
    """Parametrise a test by programs, one a line, and by whether a rule catches them."""
    lines = [(line, True) for line in caught.splitlines()] + [(line, False) for line in passed.splitlines()]
    programs = [(line.replace("\\n", "\n"), caught) for line, caught in lines if line]
    return pytest.mark.parametrize(("code", "caught"), programs)


@codes(CAUGHT_OPERATIONS, PASSED_OPERATIONS)
def test_the_rule_tells_arrays_from_numbers(code, caught):
    assert bool(list(divisions(ast.parse(code)))) == caught


@codes(CAUGHT_ASSIGNMENTS, PASSED_ASSIGNMENTS)
def test_the_rule_tells_arrays_from_mappings(code, caught):
    assert bool(list(assignments(ast.parse(code)))) == caught
