"""The package's own source files, for tests that read them."""

import ast
from pathlib import Path

import pytest

import xpnet

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
