"""What training leaves behind: losses, scores and gradient norms."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass, field
from pathlib import Path

from xpnet.io import write_atomically
from xpnet.nn.layer import NOTHING, Tree, Variables


@dataclass
class History:
    """The course of a training run.

    Attributes
    ----------
    loss : list of float
        The loss of each iteration's mini-batch, before its update.
    iteration : list of int
        When the following were evaluated, in updates done.
    train_score, test_score : list of float
        On the whole of either set: the accuracy, 0 to 1, or R² of a regression; the second is empty
        without one.
    metric : str
        What the score is: ``"accuracy"`` or ``"R²"``.
    gradient_norm : dict of lists of float
        By parameter, the Euclidean norm of the gradient on the mini-batch; empty unless asked for.
    best_iteration : int
        When the score (on the test set where there is one) was best.
    best_score : float
        What it was then.
    best : Variables
        The parameters and the running state then.
    stopped : str
        Why training ended: ``"finished"``, ``"interrupted"`` or ``"callback"``.
    """

    loss: list[float] = field(default_factory=list)
    iteration: list[int] = field(default_factory=list)
    train_score: list[float] = field(default_factory=list)
    test_score: list[float] = field(default_factory=list)
    metric: str = "accuracy"
    gradient_norm: dict[str, list[float]] = field(default_factory=dict)
    best_iteration: int = 0
    best_score: float = -math.inf
    best: Variables = field(default=NOTHING, repr=False)
    stopped: str = "finished"

    @property
    def score(self) -> list[float]:
        """The score that decides what is best: on the test set where there is one."""
        return self.test_score or self.train_score

    @property
    def train_accuracy(self) -> list[float]:
        """The accuracy on the training set; empty where the network does not classify."""
        return self.train_score if self.metric == "accuracy" else []

    @property
    def test_accuracy(self) -> list[float]:
        """The accuracy on the test set; empty without one, or where the network does not classify."""
        return self.test_score if self.metric == "accuracy" else []

    @property
    def best_params(self) -> Tree:
        """The parameters at the best evaluation."""
        return self.best.params

    def note(self, iteration: int, train: float, test: float | None, variables: Variables) -> None:
        """Add an evaluation, and keep the variables where it is the best until now."""
        self.iteration.append(iteration)
        self.train_score.append(train)
        if test is not None:
            self.test_score.append(test)
        score = train if test is None else test
        if score > self.best_score:
            self.best_score, self.best_iteration, self.best = score, iteration, variables

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
        word = self.metric.replace("R²", "r2")
        columns = {f"train_{word}": self.train_score, f"test_{word}": self.test_score, **norms}
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
