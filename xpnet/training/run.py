"""A training run: chunks of iterations on the device, evaluations between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from xpnet.errors import TrainingError
from xpnet.models.model import Model
from xpnet.optim import Optimizer, global_norm
from xpnet.programs.step import Array, Batches, Data, State
from xpnet.random import random_words
from xpnet.training.batches import Sampler, make_sampler
from xpnet.training.callbacks import Callback, Evaluation
from xpnet.training.checkpoint import Checkpoint, Position, Saved, write_checkpoint
from xpnet.training.history import History
from xpnet.training.interrupt import deferred_interrupt
from xpnet.training.memory import operations
from xpnet.training.progress import Progress, progress_bar
from xpnet.training.settings import Settings
from xpnet.training.step import build_step
from xpnet.trees import flat

_MOST_ITERATIONS_AT_ONCE = 128
_OPERATIONS_AT_ONCE = 1e10
"""Arithmetic operations of a chunk: well under a second, so that Ctrl-C is heeded soon."""


class Run:
    """A training run, which goes on for as long as it is told to.

    Parameters
    ----------
    net : Model
        The network; its variables are replaced.
    optimizer : Optimizer
        The rule of the update.
    settings : Settings
        How mini-batches are drawn, and when `execute` evaluates and ends.
    data : dict of arrays
        Samples, targets and weights as `Model.prepare` returns them.
    validation : dict of arrays or None
        Likewise, of the test set.
    callbacks : sequence of callables
        Called after each evaluation.
    checkpoint : Checkpoint or None
        Where and how often to save.
    position : Position or None
        Where the run stands; at its beginning where None.

    Attributes
    ----------
    iteration : int
        Updates done.
    history : History
        All that was measured.

    Examples
    --------
    >>> import xpnet
    >>> digits = xpnet.datasets.load("digits")
    >>> net = xpnet.MLP([64, 30, 10], backend="numpy")
    >>> run = Run(net, xpnet.SGD(0.1), Settings(), net.prepare(digits.x_train, digits.t_train))
    >>> losses = run.advance(200)  # a loop of your own goes around this
    >>> bool(losses[0] > losses[-1])
    True
    """

    def __init__(
        self,
        net: Model,
        optimizer: Optimizer,
        settings: Settings,
        data: Data,
        validation: Data | None = None,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
        position: Position | None = None,
    ) -> None:
        self.net, self.optimizer, self.settings = net, optimizer, settings
        self.data, self.validation = data, validation
        self.callbacks, self.checkpoint = callbacks, checkpoint
        if position is None:
            with net.backend.scope():
                slots = optimizer.init(net.xp, net.params)
            position = Position(0, slots, History(metric=net.network.loss.metric))
        self.iteration, self.history = position.iteration, position.history
        self.state: State = {"params": net.params, "state": net.state, "optimizer": position.slots}
        samples = data["x"].shape[0]
        self.sampler = make_sampler(
            settings.sampling, samples, settings.batch_size, settings.seed, settings.drop_last
        )
        self.chunk = _iterations_at_once(net, self.sampler)
        """The most iterations that go to the device at once."""
        rows = self.sampler.subset()
        self._batch_data = data if rows is None else self._rows(rows)
        key = optimizer, net.blueprint.scale
        loop = net.programs.loop(key, build_step(net, optimizer), self.chunk)
        self._go_on = loop.over(self._batch_data)
        self._losses: list[Array] = []  # on the device, not yet fetched
        self._last_rows: Any = None

    def advance(self, iterations: int) -> np.ndarray:
        """Train for some iterations: no evaluation, no callback, no checkpoint.

        Returns
        -------
        array of float, shape (iterations,)
            The loss of each iteration's mini-batch, which `history` keeps too.

        Raises
        ------
        TrainingError
            If a loss is infinite or NaN.
        """
        with self.net.backend.scope(), _quiet():
            self._advance_to(self.iteration + iterations)
            return np.asarray(self._fetch_losses())

    def execute(self, progress: bool) -> History:
        """Train to the end, or until Ctrl-C or a callback ends it; see `xpnet.train`."""
        with (
            self.net.backend.scope(),
            _quiet(),
            deferred_interrupt() as interrupt,
            progress_bar(progress, self.iteration, self.settings.iterations) as bar,
        ):
            self.history.stopped = "finished"
            if self.iteration == 0 and not self.history.iteration:
                self._evaluate(bar)
            while self.iteration < self.settings.iterations and self.history.stopped == "finished":
                self._advance_to(self._next_stop())
                bar.advance(self.iteration)
                if interrupt.requested and self.iteration < self.settings.iterations:
                    self.history.stopped = "interrupted"
                if self._evaluation_is_due():
                    self._evaluate(bar)
                if self._checkpoint_is_due():
                    self._save()
            self._fetch_losses()
        return self.history

    def _next_stop(self) -> int:
        """Return the next iteration at which something happens besides training."""
        periods = [self.settings.eval_every, self.checkpoint.every if self.checkpoint else 0]
        due = [(self.iteration // every + 1) * every for every in periods if every]
        return min(self.iteration + self.chunk, self.settings.iterations, *due)

    def _advance_to(self, stop: int) -> None:
        while self.iteration < stop:
            until = min(stop, self.iteration + self.chunk)
            for count, rows in self.sampler.blocks(self.iteration, until):
                self.state, losses = self._go_on(self.state, self._batches(count, rows))
                self._losses.append(losses)
                self._last_rows = None if rows is None else rows[-1]
                self.iteration += count

    def _batches(self, count: int, rows: np.ndarray | None) -> Batches:
        """Return what the next iterations differ in, rounded once."""
        coefficients = {
            name: np.asarray(values, dtype=self.net.dtype)
            for name, values in self.optimizer.coefficients_of(self.iteration, count).items()
        }
        random = None
        if self.net.network.layer.random:
            random = random_words(self.settings.seed, np.arange(self.iteration, self.iteration + count))
        return Batches(rows, coefficients, random)

    def _evaluation_is_due(self) -> bool:
        # Not after Ctrl-C: a run that is resumed must have been evaluated as if it had never stopped.
        every, last = self.settings.eval_every, self.settings.iterations
        return every > 0 and (self.iteration == last or self.iteration % every == 0)

    def _evaluate(self, bar: Progress) -> None:
        if self.settings.eval_every == 0:
            return
        recent = self._fetch_losses()
        history, net = self.history, self.net
        train = net.score_of_prepared(self.data)
        test = None if self.validation is None else net.score_of_prepared(self.validation)
        history.note(self.iteration, train, test, net.variables)
        if self.settings.gradient_norm:
            self._measure_gradient()
        if recent:
            memory = net.backend.memory().used if net.backend.on_gpu else None
            bar.measured(sum(recent) / len(recent), history.score[-1], memory)
        evaluation = Evaluation(net, history)
        # A list: every callback is told, also when an earlier one has already asked to stop.
        wishes = [callback(evaluation) for callback in self.callbacks]
        if any(wishes) and history.stopped == "finished":
            history.stopped = "callback"

    def _fetch_losses(self) -> list[float]:
        """Bring the losses since the last time to the host and the variables to the network."""
        backend, recent = self.net.backend, []
        if self._losses:
            recent = backend.to_numpy(backend.xp.concat(self._losses)).tolist()
            self._losses = []
        for i, loss in enumerate(recent):
            if not math.isfinite(loss):
                self.history.loss += recent[:i]
                raise TrainingError(
                    _divergence(
                        f"the loss became {loss}", len(self.history.loss), self.optimizer.learning_rate
                    )
                )
        self.history.loss += recent
        if recent:
            self._check_parameters()
        self.net.params, self.net.state = self.state["params"], self.state["state"]
        return recent

    def _check_parameters(self) -> None:
        """Raise `TrainingError` where a parameter is no finite number, though the losses were."""
        xp, params = self.net.backend.xp, flat(self.state["params"])
        finite = xp.stack([xp.all(xp.isfinite(value)) for value in params.values()])
        broken = [
            name for name, fine in zip(params, self.net.backend.to_numpy(finite), strict=True) if not fine
        ]
        if broken:
            what = f"{' and '.join(broken)} became infinite or NaN"
            raise TrainingError(_divergence(what, self.iteration, self.optimizer.learning_rate))

    def _measure_gradient(self) -> None:
        rows = self._last_rows
        if rows is None and self.iteration == 0:  # the mini-batch that comes first
            _, block = next(self.sampler.blocks(0, 1))
            rows = None if block is None else block[0]
        gradients = self.net.gradient_of_prepared(self._batch_data if rows is None else self._rows(rows))
        for name, gradient in flat(gradients).items():
            norm = float(global_norm(self.net.xp, {name: gradient}))
            self.history.gradient_norm.setdefault(name, []).append(norm)

    def _rows(self, rows: Any) -> Data:
        backend = self.net.backend
        with backend.scope():
            indices = backend.asarray(rows)
            return {name: backend.xp.take(values, indices, axis=0) for name, values in self.data.items()}

    def _checkpoint_is_due(self) -> bool:
        if self.checkpoint is None:
            return False
        last = self.iteration == self.settings.iterations or self.history.stopped != "finished"
        return last or self.iteration % self.checkpoint.every == 0

    def _save(self) -> None:
        assert self.checkpoint is not None
        self._fetch_losses()
        position = Position(self.iteration, self.state["optimizer"], self.history)
        shape = tuple(self.data["x"].shape)
        given = tuple(["weight"] * ("weight" in self.data) + ["validation"] * (self.validation is not None))
        saved = Saved(self.net, self.optimizer, self.settings, position, shape, given)
        write_checkpoint(self.checkpoint.path, saved)


def _quiet() -> AbstractContextManager[Any]:
    """Let a loss that diverges end in an error of its own, not in NumPy's warnings."""
    return np.errstate(over="ignore", invalid="ignore")


def _iterations_at_once(net: Model, sampler: Sampler) -> int:
    fitting = int(_OPERATIONS_AT_ONCE / operations(net, sampler.batch_size))
    return max(1, min(_MOST_ITERATIONS_AT_ONCE, fitting))


def _divergence(what: str, iteration: int, learning_rate: float) -> str:
    return (
        f"{what} at iteration {iteration}; the network keeps the parameters of the last"
        f" evaluation. Try a learning rate below {learning_rate:g}, clip_norm=1.0 in the optimiser,"
        " inputs scaled to about 0..1, or smaller initial weights"
    )
