"""Tables and their Markdown: numbers as a reader wants them, with their spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table as RichTable

from bench.results import Measurement, Result
from bench.statistics import Summary, summarize

_TIME_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))
_SIZE_UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


@dataclass(frozen=True)
class Table:
    """A title, a head, and rows of cells; the first column is to the left, the others to the right."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def to_markdown(self) -> str:
        """Return it as Markdown."""
        lines = [self.head, ["---"] + ["---:"] * (len(self.head) - 1), *self.rows]
        return f"### {self.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"

    def to_rich(self) -> RichTable:
        """Return it for the terminal."""
        table = RichTable(title=self.title, title_justify="left")
        for i, name in enumerate(self.head):
            table.add_column(name, justify="left" if i == 0 else "right")
        for row in self.rows:
            table.add_row(*row)
        return table


def time_cell(summary: Summary) -> str:
    """Return a time with its interval.

    Examples
    --------
    >>> time_cell(summarize([2e-4, 3e-4, 4e-4]))
    '300 µs (250 to 350)'
    """
    return _with_interval(summary, _TIME_UNITS)


def size_cell(size: float) -> str:
    """Return a number of bytes.

    Examples
    --------
    >>> size_cell(55_000_000)
    '55.0 MB'
    """
    factor, unit = _unit(size, _SIZE_UNITS)
    return f"{_digits(size / factor)} {unit}"


def ratio_cell(values: Sequence[float]) -> str:
    """Return a ratio with its interval.

    Examples
    --------
    >>> ratio_cell([1.5, 2.0, 2.5])
    '2.00 (1.75 to 2.25)'
    """
    summary = summarize(values)
    return f"{summary.median:.2f} ({summary.low:.2f} to {summary.high:.2f})"


def percent_cell(values: Sequence[float]) -> str:
    """Return a share with its interval.

    Examples
    --------
    >>> percent_cell([0.5, 0.5])
    '50 % (50 to 50)'
    """
    summary = summarize(values)
    low, middle, high = (100 * value for value in (summary.low, summary.median, summary.high))
    return f"{middle:.0f} % ({low:.0f} to {high:.0f})"


def quantity_cell(measurement: Measurement) -> str:
    """Return a measurement in a unit that fits it."""
    if measurement.unit == "s":
        return time_cell(measurement.summary)
    if measurement.unit == "B":
        return size_cell(measurement.summary.median)
    return ratio_cell(measurement.values)


def machine_table(result: Result) -> Table:
    """Return the circumstances as a table."""
    machine = result.machine
    libraries = ", ".join(f"{name} {version}" for name, version in machine.libraries.items())
    rows = [
        ("CPU", f"{machine.cpu}, {machine.cores} cores, {size_cell(machine.memory)}"),
        ("GPU", machine.gpu or "none answered"),
        ("threads", f"{machine.threads}, every contestant pinned to as many cores"),
        ("system", f"{machine.system}, Python {machine.python}"),
        ("libraries", libraries),
        ("NumPy's BLAS", machine.blas),
        ("xpnet", f"{machine.xpnet}, commit {machine.commit}"),
        ("data", machine.pixels),
        ("date", machine.date),
    ]
    return Table("Measured on", ("", "value"), rows)


def check_table(result: Result) -> Table:
    """Return the comparison of the loss curves."""
    rows = [
        (
            check.id,
            "the same" if check.batches == "same" else "its own, same law",
            str(check.iterations),
            f"{check.difference:.1e}",
            f"{check.tolerance:g}",
            "agrees" if check.agrees else "DIFFERS",
        )
        for check in result.checks
    ]
    head = ("contestant", "mini-batches", "iterations", "difference", "tolerance", "losses")
    return Table("Do all train the same thing?", head, rows)


def to_markdown(result: Result, tables: Sequence[Table]) -> str:
    """Return a whole result as Markdown."""
    parts = [f"## {result.command}\n"]
    if result.quick:
        parts.append("**A quick trial of the harness: these numbers mean nothing.**\n")
    parts += [table.to_markdown() for table in (*tables, machine_table(result))]
    if result.checks:
        parts.append(check_table(result).to_markdown())
    if result.left_out:
        lines = [f"- {left['id']}: {left['reason']}" for left in result.left_out]
        parts.append("### Left out\n\n" + "\n".join(lines) + "\n")
    parts += [f"{note}\n" for note in result.notes]
    return "\n".join(parts)


def _with_interval(summary: Summary, units: Sequence[tuple[float, str]]) -> str:
    factor, unit = _unit(summary.median, units)
    middle, low, high = (_digits(v / factor) for v in (summary.median, summary.low, summary.high))
    return f"{middle} {unit} ({low} to {high})"


def _unit(value: float, units: Sequence[tuple[float, str]]) -> tuple[float, str]:
    return next((unit for unit in units if value >= unit[0]), units[-1])


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
