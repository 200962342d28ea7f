"""Callbacks: functions that training calls after every evaluation, and that may end it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

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


@dataclass
class EarlyStopping:
    """End training when the accuracy has not improved for a while.

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
    _best: float = field(default=-1.0, init=False, repr=False)
    _waited: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        check_count("patience", self.patience)
        check_number("improvement", self.improvement, 0.0, 1.0)

    def __call__(self, evaluation: Evaluation) -> bool:
        """Return whether the patience is used up."""
        accuracy = evaluation.history.accuracy[-1]
        if accuracy > self._best + self.improvement:
            self._best, self._waited = accuracy, 0
        else:
            self._waited += 1
        return self._waited >= self.patience
