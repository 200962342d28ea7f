"""The progress bar of training: loss, accuracy, memory of the GPU, iterations per second, time left."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from xpnet.training.memory import size


class Progress(Protocol):
    """What training reports to."""

    def advance(self, iteration: int) -> None:
        """Tell how many iterations are done."""

    def measured(self, loss: float, accuracy: float | None, memory: int | None) -> None:
        """Tell the mean loss since the last time, the accuracy, 0 to 1, and the bytes held on a GPU."""


class Quiet:
    """A progress that shows nothing."""

    def advance(self, iteration: int) -> None:
        """Do nothing."""

    def measured(self, loss: float, accuracy: float | None, memory: int | None) -> None:
        """Do nothing."""


class Bar:
    """A progress bar on a terminal."""

    def __init__(self, bar: Any, task: Any) -> None:
        self._bar, self._task = bar, task

    def advance(self, iteration: int) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=iteration)

    def measured(self, loss: float, accuracy: float | None, memory: int | None) -> None:
        """Show the latest figures."""
        figures = [f"loss {loss:.4f}"]
        if accuracy is not None:
            figures.append(f"accuracy {accuracy:.4f}")
        if memory is not None:
            figures.append(f"memory {size(memory)}")
        self._bar.update(self._task, figures=" ".join(figures))


@contextmanager
def progress_bar(wanted: bool, start: int, total: int) -> Iterator[Progress]:
    """Show a bar on the standard error stream if it is a terminal; otherwise nothing.

    Parameters
    ----------
    wanted : bool
        Whether to show anything at all.
    start, total : int
        Iterations done already, and in all.

    Yields
    ------
    Progress
    """
    if not (wanted and _is_terminal(sys.stderr)):
        yield Quiet()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("training"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}"),
        _speed_column(),
        TimeRemainingColumn(),
    )
    with RichProgress(*columns, console=Console(stderr=True)) as bar:
        yield Bar(bar, bar.add_task("training", total=total, completed=start, figures=""))


def _is_terminal(stream: Any) -> bool:
    """Tell whether a stream is a terminal: daemons have none, others close it or put a poor thing there."""
    try:
        return stream.isatty()
    except (AttributeError, ValueError, OSError):
        return False


def _speed_column() -> Any:
    from rich.progress import ProgressColumn, Task
    from rich.text import Text

    class SpeedColumn(ProgressColumn):
        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:,.0f} it/s")

    return SpeedColumn()
