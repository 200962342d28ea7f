"""The command line: one file per command, which holds its function and the examples of its help."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import xpnet
from xpnet.cli import evaluate, gradcheck, info, parity, predict, resume, selfcheck, train
from xpnet.cli.console import out, tell_error
from xpnet.cli.streams import whole_output
from xpnet.errors import XpnetError

_COMMANDS = {
    "train": train,
    "resume": resume,
    "evaluate": evaluate,
    "predict": predict,
    "gradcheck": gradcheck,
    "parity": parity,
    "info": info,
    "selfcheck": selfcheck,
}

BAD_INPUT, INTERRUPTED = 2, 130
"""Exit statuses: of an error that the user can mend, and of Ctrl-C."""


class _Commands(TyperGroup):
    """The commands, none of which ends in a traceback for what a user can cause."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except XpnetError as error:
            tell_error(str(error))
            raise typer.Exit(BAD_INPUT) from error
        except MemoryError as error:
            tell_error(f"out of memory: {error or 'an allocation failed'}; try a smaller network or batch")
            raise typer.Exit(BAD_INPUT) from error
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(INTERRUPTED) from interrupt


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _module in _COMMANDS.items():
    app.command(_name, epilog=_module.EXAMPLES)(_module.command)


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(f"xpnet {xpnet.__version__}")
        raise typer.Exit


@app.callback(epilog="Begin with: xpnet train")
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train neural networks on whatever array library you already have."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; those of this process where omitted.

    Raises
    ------
    SystemExit
        Always: status 0 when all went well, 1 where a check failed or the output could not be written,
        2 for bad input, 130 after Ctrl-C.
    """
    with whole_output():
        app(args=None if arguments is None else list(arguments), prog_name="xpnet")
