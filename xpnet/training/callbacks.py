"""Callbacks: functions that training calls after every evaluation, and that may end it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from xpnet.models.model import Model
from xpnet.training.history import History
from xpnet.validation import check_count, check_number, settle


@dataclass(frozen=True)
class Evaluation:
    """What a callback is told.

    Attributes
    ----------
    net : Model
        The network, its parameters as they are now.
    history : History
        All that was measured until now; ``history.iteration[-1]`` is the iteration.
    """

    net: Model
    history: History


Callback = Callable[[Evaluation], bool | None]
"""Returns True to end training, anything else to go on."""


@dataclass
class _Waiting:
    """How far a history was read, and what was seen there."""

    history: History | None = None
    read: int = 0
    best: float = -math.inf
    waited: int = 0


@dataclass(frozen=True)
class EarlyStopping:
    """End training when the score has not improved for a while.

    It goes by the history alone, so that a resumed run ends where the whole one would.

    Parameters
    ----------
    patience : int, default 5
        Evaluations to wait for a better score, on the test set where there is one.
    improvement : float, default 0.0
        By how much it must be better: of an accuracy, 0 to 1.

    Examples
    --------
    >>> EarlyStopping(patience=3).patience
    3
    """

    patience: int = 5
    improvement: float = 0.0
    _waiting: _Waiting = field(default_factory=_Waiting, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        settle(self, patience=check_count("patience", self.patience))
        settle(self, improvement=check_number("improvement", self.improvement, 0.0, 1.0))

    def __call__(self, evaluation: Evaluation) -> bool:
        """Return whether the patience is used up."""
        waiting, scores = self._waiting, evaluation.history.score
        if waiting.history is not evaluation.history or waiting.read > len(scores):
            waiting.history, waiting.read = evaluation.history, 0
            waiting.best, waiting.waited = -math.inf, 0
        for score in scores[waiting.read :]:
            if score > waiting.best + self.improvement:
                waiting.best, waiting.waited = score, 0
            else:
                waiting.waited += 1
        waiting.read = len(scores)
        return waiting.waited >= self.patience
