"""What the commands print: results on standard output, errors on the other; plain where no terminal is."""

from __future__ import annotations

from contextlib import suppress

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

out = Console(highlight=False)
err = Console(highlight=False, stderr=True)


def tell(label: str, value: str) -> None:
    """Print a labelled line of a result; it is never folded, so that it can be copied."""
    out.print(Text.assemble((f"{label:<17}", "bold"), value), soft_wrap=True)


def tell_error(message: str) -> None:
    """Print an error as one red line, if it can be printed: the exit status tells it, too."""
    with suppress(OSError):
        err.print(Text(f"error: {' '.join(message.splitlines())}", style="red"), soft_wrap=True)


def new_table(*columns: str) -> Table:
    """Return an empty table; a column whose heading begins with ``>`` is aligned to the right."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in columns:
        right = heading.startswith(">")
        name = heading.removeprefix(">")
        table.add_column(name, justify="right" if right else "left", no_wrap=heading == columns[0])
    return table
