"""Results as data, and their JSON file.

Schema ``xpnet-bench/1``, a JSON object:

``schema``
    ``"xpnet-bench/1"``.
``command``
    What was run: ``"throughput"``.
``quick``
    True where only the harness was tried: the numbers mean nothing.
``arguments``
    Of that command.
``machine``
    See `bench.machine.Machine`.
``measurements``
    A list of objects:

    ``id``: what makes two runs comparable, ``"784-50-10, batch 100, float32, xpnet-numpy, cpu"``;
    ``quantity``: ``"time per iteration"``; ``unit``: ``"s"``, ``"B"`` or ``"1"``;
    ``values``: one number a round; ``median``, ``low``, ``high`` (quartiles), ``least``, ``most``;
    ``labels``: what it belongs to, as strings and numbers by name;
    ``detail``: whatever else is known, as numbers and strings by name.
``checks``
    See `bench.checks.Check`, with ``agrees``.
``left_out``
    A list of ``{"id": …, "reason": …}``.
``notes``
    Sentences for the reader.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench.checks import Check
from bench.machine import Machine
from bench.statistics import Summary, summarize
from xpnet.errors import DataError
from xpnet.io import write_atomically

SCHEMA = "xpnet-bench/1"


@dataclass(frozen=True)
class Measurement:
    """One quantity of one contestant; the attributes are described above."""

    id: str
    quantity: str
    unit: str
    values: tuple[float, ...]
    labels: dict[str, Any] = field(default_factory=dict)
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def summary(self) -> Summary:
        """Median and spread over rounds."""
        return summarize(self.values)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**asdict(self), "values": list(self.values), **asdict(self.summary)}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Measurement:
        """Return it from plain data."""
        names = ("id", "quantity", "unit", "labels", "detail")
        return cls(values=tuple(plain["values"]), **{name: plain[name] for name in names})


@dataclass
class Result:
    """What a command measured; the attributes are described above."""

    command: str
    machine: Machine
    quick: bool = False
    arguments: dict[str, Any] = field(default_factory=dict)
    measurements: list[Measurement] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    left_out: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, identity: str, quantity: str, unit: str, values: Sequence[float], **labels: Any) -> None:
        """Add a measurement."""
        self.measurements.append(Measurement(identity, quantity, unit, tuple(values), labels))

    def leave_out(self, identity: str, reason: str) -> None:
        """Name what took no part."""
        self.left_out.append({"id": identity, "reason": reason})

    def of(self, quantity: str) -> list[Measurement]:
        """Return the measurements of one quantity."""
        return [m for m in self.measurements if m.quantity == quantity]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "schema": SCHEMA,
            "command": self.command,
            "quick": self.quick,
            "arguments": self.arguments,
            "machine": self.machine.to_json(),
            "measurements": [m.to_json() for m in self.measurements],
            "checks": [check.to_json() for check in self.checks],
            "left_out": self.left_out,
            "notes": self.notes,
        }

    def write(self, path: Path) -> None:
        """Write the JSON file."""
        write_atomically(path, (json.dumps(self.to_json(), indent=1) + "\n").encode())


def read_measurements(path: Path) -> list[Measurement]:
    """Return the measurements in a result's file, or raise `DataError` where it is none."""
    return [Measurement.from_json(m) for m in read_plain(path)["measurements"]]


def read_plain(path: Path) -> dict[str, Any]:
    """Return a result's file as plain data, or raise `DataError` where it is none."""
    try:
        plain = json.loads(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise DataError(f"{path} is no JSON file: {error}") from error
    if not isinstance(plain, dict) or plain.get("schema") != SCHEMA:
        raise DataError(f"{path} is no result of this benchmark: its schema is not {SCHEMA!r}")
    return plain
