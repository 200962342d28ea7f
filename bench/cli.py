"""The commands of ``python -m bench``."""

from __future__ import annotations

import signal
import sys

import typer

import bench
from bench.commands.accuracy import accuracy
from bench.commands.autodiff import autodiff
from bench.commands.compare import compare
from bench.commands.exact import exact
from bench.commands.limit import limit
from bench.commands.memory import memory
from bench.commands.numerical_gradient import numerical_gradient
from bench.commands.peers import peers
from bench.commands.readme import readme
from bench.commands.scaling import scaling
from bench.commands.startup import startup
from bench.commands.throughput import throughput
from xpnet.errors import XpnetError

_app = typer.Typer(help=bench.__doc__, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
_COMMANDS = (
    throughput,
    limit,
    peers,
    scaling,
    numerical_gradient,
    exact,
    autodiff,
    startup,
    accuracy,
    memory,
    compare,
    readme,
)
for _command in _COMMANDS:
    _app.command()(_command)


def app(prog_name: str) -> None:
    """Run the command line; the errors that a user can cause become one line."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # the contestants end too
    try:
        _app(prog_name=prog_name)
    except XpnetError as error:
        sys.exit(f"error: {error}")
