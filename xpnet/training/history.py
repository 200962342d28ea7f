"""What training leaves behind: losses, accuracies and gradient norms."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from xpnet.io import write_atomically


@dataclass
class History:
    """The course of a training run.

    Attributes
    ----------
    loss : list of float
        The loss of each iteration's mini-batch, before its update.
    iteration : list of int
        When the following were evaluated, in updates done.
    train_accuracy, test_accuracy : list of float
        On the whole of either set, 0 to 1; the second is empty without one.
    gradient_norm : dict of lists of float
        By parameter, the Euclidean norm of the gradient on the mini-batch; empty unless asked for.
    best_iteration : int
        When the accuracy (on the test set where there is one) was best.
    best_params : dict of arrays
        The parameters then.
    stopped : str
        Why training ended: ``"finished"``, ``"interrupted"`` or ``"callback"``.
    """

    loss: list[float] = field(default_factory=list)
    iteration: list[int] = field(default_factory=list)
    train_accuracy: list[float] = field(default_factory=list)
    test_accuracy: list[float] = field(default_factory=list)
    gradient_norm: dict[str, list[float]] = field(default_factory=dict)
    best_iteration: int = 0
    best_params: dict[str, Any] = field(default_factory=dict, repr=False)
    stopped: str = "finished"

    @property
    def accuracy(self) -> list[float]:
        """The accuracy that decides what is best: on the test set where there is one."""
        return self.test_accuracy or self.train_accuracy

    def plot(self, path: str | Path) -> None:
        """Draw the curves into a PNG file; needs Matplotlib.

        Raises
        ------
        XpnetError
            If Matplotlib is not installed or the file cannot be written.
        """
        from xpnet.plots import save_figure, training_curves

        save_figure(training_curves(self), path)

    def to_csv(self, path: str | Path) -> None:
        """Write a table with a row for each iteration; where nothing was evaluated, cells stay empty.

        Raises
        ------
        DataError
            If the file cannot be written.
        """
        norms = {f"gradient_norm_{name}": values for name, values in self.gradient_norm.items()}
        columns = {"train_accuracy": self.train_accuracy, "test_accuracy": self.test_accuracy, **norms}
        evaluated = {when: row for row, when in enumerate(self.iteration)}
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["iteration", "loss", *columns])
        for i in range(len(self.loss) + 1):
            loss = [repr(self.loss[i])] if i < len(self.loss) else [""]
            row = evaluated.get(i)
            writer.writerow(
                [i, *loss, *("" if row is None or not v else repr(v[row]) for v in columns.values())]
            )
        write_atomically(path, text.getvalue().encode())
