"""What `train` and `resume` share: run, write the results whatever the end, and tell them."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import typer
from rich.text import Text

from xpnet.cli.console import err, out, tell
from xpnet.cli.runs import CHECKPOINT, FIGURE, RunConfig, write_results
from xpnet.datasets import Dataset
from xpnet.errors import TrainingError
from xpnet.models.model import Model
from xpnet.training import Checkpoint, EarlyStopping, Evaluation, History

Training = Callable[..., tuple[Model, History]]
"""`xpnet.train` or `xpnet.resume` with all but the arguments that they share."""


def execute(
    training: Training, folder: Path, config: RunConfig, data: Dataset, quiet: bool, begun: int = 0
) -> None:
    """Train in a run folder.

    Parameters
    ----------
    training : callable
        Takes the arguments that `xpnet.train` and `xpnet.resume` share; returns network and history.
    folder : Path
        The run folder; a checkpoint is left in it at the end too, so that the run can go on.
    config : RunConfig
        What the run was asked for.
    data : Dataset
        What it learns from.
    quiet : bool
        Whether to print nothing but errors.
    begun : int, default 0
        Iterations done before.

    Raises
    ------
    TrainingError
        If the loss is no longer finite; what was learned until then is written first.
    typer.Exit
        With status 130 after Ctrl-C.
    """
    latest = _Latest()
    stopping = [] if config.early_stopping is None else [EarlyStopping(config.early_stopping)]
    clock = time.perf_counter()
    try:
        net, history = training(
            x=data.x_train,
            t=data.t_train,
            validation=(data.x_test, data.t_test),
            callbacks=[latest, *stopping],
            checkpoint=Checkpoint(folder / CHECKPOINT, config.checkpoint_every or sys.maxsize),
            progress=not quiet,
        )
    except TrainingError:
        if latest.evaluation is not None:
            write_results(folder, latest.evaluation.net, latest.evaluation.history)
            err.print(Text(f"what was learned until then is in {folder}"), soft_wrap=True)
        raise
    seconds = time.perf_counter() - clock
    write_results(folder, net, history)
    if not quiet:
        _tell_run(config, data, net, history)
        _tell_speed(len(history.loss) - begun, seconds)
        _tell_files(folder)
    _tell_how_to_go_on(folder, history)


class _Latest:
    """A callback that keeps hold of network and history, for when training fails."""

    evaluation: Evaluation | None = None

    def __call__(self, evaluation: Evaluation) -> None:
        self.evaluation = evaluation


def _tell_run(config: RunConfig, data: Dataset, net: Model, history: History) -> None:
    tell(
        "data set", f"{config.dataset}: {len(data.x_train):,} samples to train, {len(data.x_test):,} to test"
    )
    tell("network", f"{net.title}, {net.dtype}, {net.blueprint.arithmetic} arithmetic")
    tell("backend", f"{net.backend.name} {config.versions[net.backend.name]} on {net.backend.device}")
    if history.iteration:
        tell(f"last {history.metric}", f"{_scores(history, -1)} at iteration {history.iteration[-1]:,}")
        best = history.iteration.index(history.best_iteration)
        tell(f"best {history.metric}", f"{_scores(history, best)} at iteration {history.best_iteration:,}")
    tell("fingerprint", net.fingerprint())


def _scores(history: History, row: int) -> str:
    return f"test {history.test_score[row]:.4f}, training {history.train_score[row]:.4f}"


def _tell_speed(iterations: int, seconds: float) -> None:
    rate = f"{iterations / seconds:,.0f} iterations/s, evaluations included"
    tell("speed", f"{iterations:,} iterations in {seconds:.1f} s: {rate}")


def _tell_files(folder: Path) -> None:
    tell("run folder", f"{folder}: {' '.join(sorted(file.name for file in folder.iterdir()))}")
    if not (folder / FIGURE).exists():
        out.print(Text("no figure was drawn: for one, pip install 'xpnet[plot]'"), soft_wrap=True)


def _tell_how_to_go_on(folder: Path, history: History) -> None:
    if history.stopped == "callback":
        out.print("stopped early: the accuracy did not improve any more")
    if history.stopped == "interrupted":
        err.print(
            Text(
                f"interrupted at iteration {len(history.loss):,}; all is kept in {folder}; go on with:"
                f" xpnet resume {shlex.quote(str(folder))}"
            ),
            soft_wrap=True,
        )
        raise typer.Exit(130)
