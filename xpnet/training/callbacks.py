"""Callbacks: functions that training calls after every evaluation, and that may end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from xpnet.nn.network import MLP
from xpnet.training.history import History
from xpnet.validation import check_count, check_number


@dataclass(frozen=True)
class Evaluation:
    """What a callback is told.

    Attributes
    ----------
    net : MLP
        The network, its parameters as they are now.
    history : History
        All that was measured until now; ``history.iteration[-1]`` is the iteration.
    """

    net: MLP
    history: History


Callback = Callable[[Evaluation], bool | None]
"""Returns True to end training, anything else to go on."""


@dataclass(frozen=True)
class EarlyStopping:
    """End training when the accuracy has not improved for a while.

    It remembers nothing but reads the history, so that a resumed run ends where the whole one would.

    Parameters
    ----------
    patience : int, default 5
        Evaluations to wait for a better accuracy, on the test set where there is one.
    improvement : float, default 0.0
        By how much it must be better, 0 to 1.

    Examples
    --------
    >>> EarlyStopping(patience=3).patience
    3
    """

    patience: int = 5
    improvement: float = 0.0

    def __post_init__(self) -> None:
        check_count("patience", self.patience)
        check_number("improvement", self.improvement, 0.0, 1.0)

    def __call__(self, evaluation: Evaluation) -> bool:
        """Return whether the patience is used up."""
        best, waited = -1.0, 0
        for accuracy in evaluation.history.accuracy:
            if accuracy > best + self.improvement:
                best, waited = accuracy, 0
            else:
                waited += 1
        return waited >= self.patience
