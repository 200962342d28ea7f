"""What the experiments share: their arguments, a table of results, and errors told in one line."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import xpnet
from xpnet.errors import DataError
from xpnet.plots.style import house_style


def run(experiment: Callable[[argparse.Namespace], None], description: str | None) -> None:
    """Read the arguments and run the experiment; errors of xpnet become one line.

    What is wrong with backend, folder or plotting library is told before anything is computed.
    """
    arguments = read_arguments(description)
    try:
        arguments.backend = xpnet.get_backend(arguments.backend)
        make_folder(arguments.out)
        with house_style():
            experiment(arguments)
    except xpnet.XpnetError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


def read_arguments(description: str | None) -> argparse.Namespace:
    """Return ``backend``, ``seed``, ``out`` and ``quick``."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--backend", default="auto", help="numpy, cupy, torch or jax (default: a GPU with cupy, else numpy)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: 0)")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("runs", "experiments"),
        metavar="FOLDER",
        help="where the figures go (default: %(default)s)",
    )
    parser.add_argument("--quick", action="store_true", help="a few seconds of it, to see that all works")
    return parser.parse_args()


def make_folder(folder: Path) -> None:
    """Make the output folder, or raise `DataError` where it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make the output folder {folder}: {error.strerror}") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(f"cannot write into the output folder {folder}: choose another with --out")


def print_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, its first column to the left and the others to the right."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        print("  ".join([line[0].ljust(widths[0]), *cells[1:]]))
