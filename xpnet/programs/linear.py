"""A record as one Python function: the recorded calls in a row, and nothing between them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from xpnet.programs.lifetimes import last_reads, references
from xpnet.programs.step import Array
from xpnet.programs.tracing import Call, Record, Recording, Ref
from xpnet.trees import leaves


def linear(recording: Recording) -> Callable[..., list[Array]]:
    """Return the function that makes a record's calls, for libraries that compute call by call.

    What the layers' own code does besides, looking up names and walking trees, was done once while
    recording. A value is let go after its last reader.

    Parameters
    ----------
    recording : Recording
        What was recorded.

    Returns
    -------
    callable
        From the leaves of the inputs, those that are not None, to the leaves of the outputs.

    Examples
    --------
    >>> import array_api_compat.numpy as np
    >>> from xpnet.programs.tracing import record
    >>> recording, _ = record(lambda xp: lambda x: xp.sum(x * 2.0), np, np.ones(3))
    >>> linear(recording)(np.ones(5))
    [np.float64(10.0)]
    """
    made = recording.record
    names: dict[str, Any] = {f"v{number}": value for number, value in made.constants.items()}
    inputs = [f"v{number}" for number in leaves(recording.inputs) if number is not None]
    outputs = leaves(recording.outputs)
    kept = {*outputs, *made.constants}
    lines = [f"def step({', '.join(inputs)}):"]
    last = last_reads(made)
    for position, call in enumerate(made.calls):
        names[f"f{position}"] = call.function
        lines.append(f"    v{call.result} = f{position}({_arguments(call, names)})")
        dead = [n for n in _read_here(made, call, position, last) if n not in kept]
        if dead:
            lines.append("    " + " = ".join(f"v{n}" for n in dead) + " = None")
    lines.append(f"    return [{', '.join(f'v{number}' for number in outputs)}]")
    exec(compile("\n".join(lines), "<recorded step>", "exec"), names)  # made of names alone: v1, f2, k3
    return names["step"]


def _read_here(made: Record, call: Call, position: int, last: dict[int, int]) -> list[int]:
    """Return the values that nobody reads after this call."""
    numbers = sorted(set(references((call.args, call.kwargs))))
    return [number for number in numbers if last[number] == position]


def _arguments(call: Call, names: dict[str, Any]) -> str:
    plain = [_text(item, names) for item in call.args]
    return ", ".join([*plain, *(f"{name}={_text(item, names)}" for name, item in call.kwargs.items())])


def _text(item: Any, names: dict[str, Any]) -> str:
    """Return the source of an argument; whatever is no traced value goes by a name."""
    if isinstance(item, Ref):
        return f"v{item.number}"
    if type(item) in (list, tuple) and references(item):
        parts = ", ".join(_text(part, names) for part in item)
        return f"[{parts}]" if type(item) is list else f"({parts},)"
    name = f"k{len(names)}"
    names[name] = item
    return name
