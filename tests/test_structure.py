"""The rules of DESIGN: who imports whom, how the mathematics is written, what an import loads."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import xpnet
from xpnet.catalogue import LAYERS, LOSSES

ROOT = Path(xpnet.__file__).parent
HOME = Path(__file__).parents[1]
FILES = sorted(ROOT.rglob("*.py"))
MATHEMATICS = [path for path in FILES if path.relative_to(ROOT).parts[0] in ("nn", "optim", "arithmetic")]
ARRAY_LIBRARIES = {"cupy", "torch", "jax", "jaxlib", "array_api_strict", "array_api_compat"}
HEAVY = {
    *("cupy", "torch", "jax", "matplotlib", "scipy", "sklearn", "pooch", "typer", "rich", "safetensors"),
    "array_api_strict",
}
LONGEST_FILE = 350


def name_of(path):
    return str(path.relative_to(ROOT if path.is_relative_to(ROOT) else HOME))


def tree_of(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def module_of(path):
    return ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")


def over(paths):
    return pytest.mark.parametrize("path", paths, ids=name_of)


def told(path, node):
    return f"{name_of(path)}:{node.lineno}: {ast.unparse(node)}"


# Floors: a file imports only from its own folder or from lower floors, wherever in the file it does.

FLOORS = """
errors random trees describe validation catalogue
backends arithmetic
nn optim programs
datasets io
plots
models
training distributed
sklearn
__init__
cli
__main__
""".strip().splitlines()
"""From the ground up. The files of the ground may import each other; the command line uses the public names."""
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names.split()}
BARRED = {("nn", "backends"), ("optim", "backends")}
"""The mathematics receives its namespace, though the shim stands below it."""
MODULES = {module_of(path): path for path in FILES}


def imported(tree):
    """Yield the modules that a file imports, by their full names, each with the node that does it."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, node) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                assert level == 0, "imports are absolute"
                inside = (f"{module}.{alias.name}" for alias in names)
                yield from ((name if name in MODULES else module, node) for name in inside)
            case ast.Call(
                func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=module)]
            ):
                if name in ("import_module", "__import__"):
                    yield module, node


def of_the_package(path):
    return [(name, node) for name, node in imported(tree_of(path)) if name.partition(".")[0] == "xpnet"]


def part(module):
    """Return the folder or root file that a module `xpnet.part.…` belongs to."""
    return (module.split(".") + ["__init__"])[1]


def test_every_folder_and_file_of_the_root_has_a_floor():
    there = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES}
    assert not there - FLOOR_OF.keys(), "on no floor; say in FLOORS and in DESIGN where these belong"


@over(FILES)
def test_a_file_imports_only_from_its_own_folder_or_lower_floors(path):
    own = part(module_of(path))
    for module, node in of_the_package(path):
        other = part(module)
        assert other in FLOOR_OF, f"{told(path, node)}: {other} is on no floor"
        ground = FLOOR_OF[own] == FLOOR_OF[other] == 0
        assert other == own or ground or FLOOR_OF[other] < FLOOR_OF[own], (
            f"{told(path, node)}: no arrow goes up"
        )
        assert (own, other) not in BARRED, f"{told(path, node)}: the mathematics knows no backend"


def folder_of(module):
    """Return the package that a module lies in; a file of the root stands for itself."""
    path = MODULES[module]
    return module if path.name == "__init__.py" or path.parent == ROOT else module.rpartition(".")[0]


@pytest.mark.parametrize("unit", [str, folder_of], ids=["modules", "folders"])
def test_there_is_no_circle(unit):
    graph = {}
    for module, path in MODULES.items():
        others = {unit(other) for other, _ in of_the_package(path) if other in MODULES}
        graph.setdefault(unit(module), set()).update(others - {unit(module)} if unit is folder_of else others)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(reversed(error.args[1])))


@over([path for path in FILES if part(module_of(path)) != "backends"])
def test_array_libraries_are_imported_by_the_shim_alone(path):
    barred = ARRAY_LIBRARIES | (set() if part(module_of(path)) == "sklearn" else {"sklearn"})
    for module, node in imported(tree_of(path)):
        assert module.partition(".")[0] not in barred, told(path, node)


@over(MATHEMATICS)
def test_the_mathematics_imports_no_array_library(path):
    for module, node in imported(tree_of(path)):
        assert module.partition(".")[0] not in {*ARRAY_LIBRARIES, "numpy", "array_api_extra"}, told(
            path, node
        )


def names_in(*nodes):
    """Yield the names and the texts in expressions, of `a.b` the last."""
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Constant(value=str() as name):
                yield name


@over(FILES)
def test_nobody_asks_which_layer_or_loss_it_is(path):
    for node in ast.walk(tree_of(path)):
        match node:
            case ast.Call(func=ast.Name(id="isinstance" | "issubclass"), args=[_, kinds]):
                asked = set(names_in(kinds))
            case ast.Compare() if {"type", "__class__"} & set(names_in(node)):
                asked = set(names_in(node))
            case ast.MatchClass(cls=kind):
                asked = set(names_in(kind))
            case _:
                continue
        assert not asked & {*LAYERS, *LOSSES}, told(path, node)


# How the mathematics is written


class Scope:
    """A module, class, function or lambda: its names, and what each is bound to, `(how, value, scope)`.

    A name *is* a value, or *each* of a value's items or *keys* in turn, it *holds* a value among others, or
    an annotation *says* what it is.
    """

    def __init__(self, outer=None, owner=None):
        self.outer, self.owner, self.bound, self.elsewhere = outer, owner, {}, set()

    def find(self, node):
        """Return what a name or an attribute of `self` is bound to; None for other expressions."""
        match node:
            case ast.Name(id=name) if name in self.bound:
                return self.bound[name]
            case ast.Name() if self.outer:
                return self.outer.find(node)
            case ast.Attribute(value=ast.Name(id="self"), attr=name) if self.owner:
                return self.owner.bound.get(name)
        return None

    def bind(self, target, how, value, where=None):
        where = where or self
        match target, value:
            case ast.Name(id=name), _ if name in self.elsewhere and self.outer:
                self.outer.bind(target, how, value, where)
            case ast.Name(id=name), _:
                self.bound.setdefault(name, []).append((how, value, where))
            case ast.Attribute(value=ast.Name(id="self"), attr=name), _ if self.owner:
                self.owner.bind(ast.Name(id=name), how, value, where)
            case ast.Attribute(value=root) | ast.Subscript(value=root), _:
                if (found := self.find(root)) is None:
                    self.bind(root, "holds", value)
                else:
                    found.append(("holds", value, where))
            case ast.Starred(value=root), _:
                self.bind(root, "each", value)
            case ((ast.Tuple(elts=names) | ast.List(elts=names)), _):
                for name, (kind, item) in zip(names, self._items(how, value, len(names)), strict=True):
                    self.bind(name, kind, item)

    def _items(self, how, value, count):
        match how, value:
            case "is", ast.Tuple(elts=items) if len(items) == count:
                return [("is", item) for item in items]
            case "each", ast.Call(func=ast.Attribute(attr="items", value=table)):
                return [("keys", table), ("each", table)]
            case "each", ast.Call(func=ast.Name(id="enumerate"), args=[items, *_]):
                return [("is", ast.Constant(value=0)), ("each", items)]
            case "each", ast.Call(func=ast.Name(id="zip"), args=items) if len(items) == count:
                return [("each", item) for item in items]
        return [("each", value)] * count


class Arrays:
    """Which expressions of a file are arrays, or may be: what follows from parameters and the namespace.

    A parameter is an array unless its annotation names a type of the host. What is computed from an
    array, or by the namespace, is one. Shapes are numbers, and so is what was brought to the host.
    """

    HOST_TYPES = {"int", "float", "str", "bool", "bytes", "type", "Path", "Callable", "Literal"}
    OWN_TYPES = set(
        [
            "MLP",
            "Model",
            "Backend",
            "Context",
            "OverSamples",
            "Parameter",
            "Layer",
            "Loss",
            "Network",
            "Sequential",
            "Pixels",
            "Stream",
            "Optimizer",
            "Schedule",
            "Record",
            "Arithmetic",
            "Shape",
        ]
    )
    DICTS = {"dict", "Mapping", "MutableMapping", "defaultdict", "Tree", "Params", "Slots", "Coefficients"}
    CONTAINERS = {"tuple", "list", "set", "dict", "Sequence", "Iterable", "Iterator", "Mapping", "ClassVar"}
    HOST_CALLS = set(
        [
            "float",
            "int",
            "len",
            "bool",
            "str",
            "range",
            "isinstance",
            "to_numpy",
            "getattr",
            "hasattr",
            "callable",
            "isdtype",
            "finfo",
            "iinfo",
            "repr",
        ]
    )
    HOST_ATTRIBUTES = {"shape", "ndim", "dtype", "device", "size"}
    ARRAY_ATTRIBUTES = {"random", "params", "state"}
    """Of what is handed around: contexts and variables."""

    def __init__(self, tree):
        self.nodes = []
        self._read(tree, Scope())

    def _read(self, node, scope):
        self.nodes.append((node, scope))
        inner = scope
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda():
                if not isinstance(node, ast.Lambda):
                    scope.bind(ast.Name(id=node.name), "says", node.returns)
                in_class = scope.owner is scope
                inner = Scope(scope.outer if in_class else scope, scope.owner)
                for argument in ast.walk(node.args):
                    if isinstance(argument, ast.arg) and argument.arg not in ("self", "cls", "xp"):
                        inner.bind(ast.Name(id=argument.arg), "says", argument.annotation)
            case ast.ClassDef():
                inner = Scope(scope)
                inner.owner = inner
            case ast.Nonlocal(names=names) | ast.Global(names=names):
                scope.elsewhere |= {*names}
            case ast.Assign(targets=targets, value=value):
                for target in targets:
                    scope.bind(target, "is", value)
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                scope.bind(target, "says", annotation)
                if value:
                    scope.bind(target, "holds", value)
            case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
                scope.bind(target, "is", value)
            case ast.For(target=target, iter=items) | ast.comprehension(target=target, iter=items):
                scope.bind(target, "each", items)
            case ast.withitem(context_expr=value, optional_vars=ast.expr() as target):
                scope.bind(target, "is", value)
            case ast.Call(
                func=ast.Attribute(attr="append" | "extend" | "insert" | "update"), args=[*_, item]
            ):
                scope.bind(node.func, "holds", item)
        for child in ast.iter_child_nodes(node):
            self._read(child, inner)

    def _says_array(self, annotation):
        match annotation:
            case None:
                return True
            case ast.Constant(value=value):
                return isinstance(value, str) and self._says_array(ast.parse(value, mode="eval").body)
            case ast.Subscript(value=ast.Name(id=name), slice=inside):
                return name not in self.HOST_TYPES and self._says_array(inside)
            case ast.BinOp(left=left, right=right):
                return self._says_array(left) or self._says_array(right)
            case ast.Tuple(elts=items) | ast.List(elts=items):
                return any(map(self._says_array, items))
        return ast.unparse(annotation).rpartition(".")[2] not in self.HOST_TYPES | self.OWN_TYPES

    def has(self, node, scope, seen=None):
        """Tell whether an expression is an array, or holds one."""
        seen = set() if seen is None else seen
        found = scope.find(node)
        if found is not None:
            new, _ = id(found) not in seen, seen.add(id(found))
            return new and any(self._has(*binding, seen) for binding in found)
        match node:
            case ast.Attribute(attr=name):
                may = name not in self.HOST_ATTRIBUTES and not is_namespace(node)
                return may and (name in self.ARRAY_ATTRIBUTES or self.has(node.value, scope, seen))
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in self.HOST_CALLS:
                return False
            case ast.Call(func=ast.Attribute(value=ast.Name(id="math"))):
                return False
            case ast.Call(func=ast.Attribute(value=owner, attr=name)) if (
                is_namespace(owner) or name == "bits"
            ):
                return True
            case ast.Compare(ops=[ast.Is() | ast.IsNot() | ast.In() | ast.NotIn()]):
                return False
            case ast.expr() | ast.keyword() | ast.comprehension():
                return any(self.has(child, scope, seen) for child in ast.iter_child_nodes(node))
        return False

    def _has(self, how, value, where, seen):
        return self._says_array(value) if how == "says" else how != "keys" and self.has(value, where, seen)
