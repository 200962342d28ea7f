"""What the benchmark asks of a contestant that trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from bench.task import Task

_ROWS_AT_ONCE = 128


class Peer(ABC):
    """A way to train the network of a task, set up and ready to go on from iteration to iteration.

    Parameters
    ----------
    task : Task
        What to train; the set-up, in ``__init__``, is not timed.
    """

    chunk = 1
    """Runs are timed over a multiple of so many iterations: the length of what is compiled as one."""

    most_compared = 128
    """Iterations from the first over which loss curves are compared, at most."""

    rows_at_once = _ROWS_AT_ONCE
    """Iterations whose mini-batches are drawn at once; xpnet draws its own as many."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.iteration = 0

    @abstractmethod
    def train(self, iterations: int) -> None:
        """Train on, the fastest way there is: what is timed."""

    @abstractmethod
    def losses(self) -> list[float]:
        """Return the losses of the iterations of the last `train`: each one's, or means of stretches."""

    def synchronize(self) -> None:  # noqa: B027 - most compute at once
        """Wait for everything that is queued."""

    def device_peak(self) -> int | None:
        """Return the peak memory of the GPU in bytes; None on the CPU."""
        return None

    def accuracy(self) -> float:
        """Return the accuracy on the test set, 0 to 1; untimed, and not every contestant is asked."""
        raise NotImplementedError

    def next_rows(self, iterations: int) -> Iterator[tuple[int, np.ndarray | None]]:
        """Draw the mini-batches of the next iterations, a chunk at a time."""
        stop = self.iteration + iterations
        while self.iteration < stop:
            count = min(self.rows_at_once, stop - self.iteration)
            rows = self.task.rows(self.iteration, self.iteration + count)
            self.iteration += count
            yield count, rows
