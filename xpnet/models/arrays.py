"""Trees of variables: checked against what was declared, brought to a device and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xpnet.backends import Backend
from xpnet.errors import InvalidInputError
from xpnet.models.inputs import check_numeric
from xpnet.nn.layer import Tree, Variables
from xpnet.trees import flat, like, map_tree


def check_arrays(declared: Variables, found: Variables) -> None:
    """Raise `InvalidInputError` unless variables have the names and shapes that were declared."""
    for kind, wanted, given in zip(("parameters", "state"), declared, found, strict=True):
        check_tree(kind, wanted, given)


def check_tree(kind: str, declared: Tree, found: Tree) -> None:
    """Raise `InvalidInputError` unless arrays have the names and shapes that were declared."""
    wanted, given = flat(declared), dict(_named(found))
    if set(wanted) != set(given):
        raise InvalidInputError(
            f"this network has the {kind} {', '.join(wanted) or 'none'}; these are"
            f" {', '.join(sorted(given)) or 'none'}"
        )
    for name, item in wanted.items():
        shape = getattr(given[name], "shape", None)
        if shape is None or tuple(shape) != tuple(item.shape):
            raise InvalidInputError(
                f"{name} must have the shape {item.shape} in this network, not {tuple(shape or ())}"
            )


def _named(tree: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield arrays by name; unlike `flat` it takes lists for arrays, as users do."""
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _named(value, f"{prefix}{name}/")
        else:
            yield f"{prefix}{name}", value


def copies(
    backend: Backend, variables: Variables, declared: Variables, dtype: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return parameters and state as new arrays of a dtype on the device, in the declared order."""

    def placed(wanted: Tree, tree: Tree) -> Any:
        given = flat(tree)
        arrays = [copied(name, given[name]) for name in flat(wanted)]
        return like(wanted, arrays)

    def copied(name: str, array: Any) -> Any:
        xp = backend.xp
        own = check_numeric(xp, name, backend.asarray(array, name=name))
        return xp.astype(own, backend.dtype(dtype), copy=True)

    with backend.scope():
        params, state = (placed(wanted, tree) for wanted, tree in zip(declared, variables, strict=True))
        return params, state


def on_host(backend: Backend, tree: Any) -> Any:
    """Return a tree of arrays as NumPy's."""
    return map_tree(backend.to_numpy, tree)
