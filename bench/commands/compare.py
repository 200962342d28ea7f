"""``compare``: what moved between two results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bench.results import Measurement, read_measurements, read_plain
from bench.tables import Table, quantity_cell
from xpnet.io import write_atomically

_RULE = (
    "The rule: a measurement moved where the intervals of the two runs, each between its quartiles over the"
    " rounds, have no point in common; otherwise the difference is noise."
)


def compare(
    before: Annotated[Path, typer.Argument(metavar="A.json")],
    after: Annotated[Path, typer.Argument(metavar="B.json")],
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table as Markdown.")
    ] = None,
) -> None:
    """Show for each measurement of two results the ratio B / A, and whether it is more than noise."""
    old = {(m.id, m.quantity): m for m in read_measurements(before)}
    new = {(m.id, m.quantity): m for m in read_measurements(after)}
    rows = [
        (
            f"{key[0]}, {key[1]}",
            quantity_cell(old[key]),
            quantity_cell(new[key]),
            f"{ratio(old[key], new[key]):.3f}",
            verdict(old[key], new[key]),
        )
        for key in old
        if key in new
    ]
    table = Table(f"{before.name} and {after.name}", ("measurement", "A", "B", "B / A", ""), rows)
    console = Console()
    console.print(table.to_rich())
    lines = [_RULE, *differences(read_plain(before), read_plain(after))]
    lines += [f"only in {before.name}: {key[0]}, {key[1]}" for key in old if key not in new]
    lines += [f"only in {after.name}: {key[0]}, {key[1]}" for key in new if key not in old]
    for line in lines:
        console.print(line, markup=False)
    if markdown:
        write_atomically(markdown, "\n".join([table.to_markdown(), *lines, ""]).encode())


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Say in which circumstances the two runs differ, dates and loads aside."""
    old, new = ({**plain["arguments"], **plain["machine"]} for plain in (before, after))
    names = [name for name in old if name not in ("date", "load") and old[name] != new.get(name)]
    return [f"{name} differs: {old[name]} and {new.get(name)}" for name in names]


def ratio(old: Measurement, new: Measurement) -> float:
    """Return the ratio of the medians; 1 where both are zero."""
    before, after = old.summary.median, new.summary.median
    if before == 0:
        return 1.0 if after == 0 else float("inf")
    return after / before


def verdict(old: Measurement, new: Measurement) -> str:
    """Tell whether a measurement moved beyond the noise, and where to."""
    if old.summary.overlaps(new.summary):
        return "noise" if old.values != new.values else "the same"
    return "MOVED UP" if new.summary.median > old.summary.median else "MOVED DOWN"
