"""``readme``: put a result's table into a Markdown file, so that no number is written by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

from bench.results import Measurement, read_measurements, read_plain
from bench.tables import Table, ratio_cell, time_cell
from xpnet.errors import DataError
from xpnet.io import write_atomically


def readme(
    result: Annotated[Path, typer.Argument(metavar="RESULT.json")],
    section: Annotated[
        str, typer.Option(help="Written between <!-- bench:NAME --> and <!-- /bench:NAME -->.")
    ],
    file: Annotated[Path, typer.Option(help="The Markdown file to change.")] = Path("README.md"),
) -> None:
    """Write a result's times per iteration into a section of the README."""
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    begin, end = f"<!-- bench:{section} -->", f"<!-- /bench:{section} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise DataError(f"{file} has no section {begin} … {end}: add these two lines where it should be")
    written = pattern.sub(lambda _: f"{begin}\n{excerpt(result)}\n{end}", text)
    write_atomically(file, written.encode())


def excerpt(result: Path) -> str:
    """Return the table of a result and a line that says where it was measured."""
    plain, measurements = read_plain(result), read_measurements(result)
    times = [m for m in measurements if m.quantity == "time per iteration"]
    ratios = {m.id.partition(" / ")[0]: m for m in measurements if m.quantity == "ratio of times"}
    head = ["contestant", "network", "batch", "time per iteration"] + ["ratio"] * bool(ratios)
    rows = [_row(m, ratios) for m in sorted(times, key=_order)]
    machine = plain["machine"]
    devices = " and ".join(name for name in (machine["cpu"], machine["gpu"]) if name)
    lines = Table("", head, rows).to_markdown().splitlines()[2:]
    told = f"`python -m bench {plain['command']}` on {devices}, {machine['threads']} thread(s)"
    return "\n".join([*lines, "", f"{told}, commit {machine['commit']}, {machine['date'][:10]}."])


def _order(measurement: Measurement) -> tuple[str, int, float]:
    labels = measurement.labels
    return labels["network"], labels["batch"], measurement.summary.median


def _row(measurement: Measurement, ratios: dict[str, Measurement]) -> list[str]:
    labels = measurement.labels
    cells = [labels["label"], labels["network"], str(labels["batch"]), time_cell(measurement.summary)]
    if not ratios:
        return cells
    ratio = ratios.get(measurement.id)
    return [*cells, "" if ratio is None else ratio_cell(ratio.values)]
