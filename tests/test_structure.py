"""The rules of DESIGN: who imports whom, how large files are, what an import loads."""

import ast
import doctest
import importlib
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter

import pytest
from sources import (
    ARRAY_LIBRARIES,
    FILES,
    HEAVY,
    HOME,
    LONGEST_FILE,
    MATHEMATICS,
    ROOT,
    module_of,
    over,
    told,
    tree_of,
)

import xpnet
from xpnet.catalogue import LAYERS, LOSSES

# Floors: a file imports only from its own folder or from lower floors, wherever in the file it does.

FLOORS = """
errors operators random trees describe validation catalogue
backends arithmetic
nn optim programs
datasets io metrics
plots
models
training distributed
sklearn
__init__
cli
__main__
""".strip().splitlines()
"""From the ground up. Files of the ground may import each other; the command line uses public names."""
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
    return [*module.split("."), "__init__"][1]


def test_every_folder_and_file_of_the_root_has_a_floor():
    there = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES}
    unknown = sorted(there - FLOOR_OF.keys())
    assert not unknown, f"{unknown} on no floor: say in FLOORS and in DESIGN where they belong"


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


# Size, weight, examples


@over([*FILES, *(path for folder in ("bench", "scripts") for path in sorted((HOME / folder).rglob("*.py")))])
def test_no_file_is_long(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, xpnet; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    loaded = done.stdout.split()
    assert "numpy" in loaded
    assert not HEAVY & set(loaded)


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
