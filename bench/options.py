"""What every command takes, and where it goes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.environment import core_count
from xpnet.errors import DataError, InvalidInputError

Quick = Annotated[bool, typer.Option("--quick", help="Seconds instead of minutes: tries the harness only.")]
Threads = Annotated[int, typer.Option(min=1, help="Cores and threads of each contestant.")]
Rounds = Annotated[int | None, typer.Option(min=1, help="Interleaved rounds.", show_default="15, quick: 3")]
Json = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the result as JSON.")]
Markdown = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown.")]
Figure = Annotated[Path | None, typer.Option(metavar="FILE", help="Draw the figure: .png, .svg, .pdf.")]
NetworkNames = Annotated[
    list[str] | None, typer.Option("--network", help="As 784-50-10; may be repeated.", show_default="all")
]
Backends = Annotated[
    list[str] | None,
    typer.Option("--backend", help="Of xpnet; may be repeated.", show_default="numpy, torch, jax, cupy"),
]
Large = Annotated[bool, typer.Option("--large", help="The large networks also on the CPU.")]


@dataclass(frozen=True)
class Options:
    """The options that all commands share.

    Raises
    ------
    InvalidInputError
        If there are fewer cores than threads.
    DataError
        If an output folder is missing: told before anything is measured.
    """

    quick: bool
    threads: int
    rounds: int | None
    json: Path | None
    markdown: Path | None
    figure: Path | None = None

    def __post_init__(self) -> None:
        if self.threads > core_count():
            raise InvalidInputError(f"--threads {self.threads}: there are only {core_count()} cores here")
        for path in (self.json, self.markdown, self.figure):
            if path is not None and not path.absolute().parent.is_dir():
                raise DataError(f"cannot write {path}: there is no folder {path.absolute().parent}")

    @property
    def count(self) -> int:
        """How many rounds there are."""
        return self.rounds or (3 if self.quick else 15)

    @property
    def seconds_a_round(self) -> float:
        """How long a contestant is timed in a round."""
        return 0.01 if self.quick else 0.5

    @property
    def samples(self) -> int:
        """How large the training set of the image networks is."""
        return 1_000 if self.quick else 60_000
