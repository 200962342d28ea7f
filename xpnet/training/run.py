"""A training run: chunks of iterations on the device, evaluations between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from xpnet.backends import Array, Batches, Data, Step
from xpnet.errors import InvalidInputError, TrainingError
from xpnet.nn.network import MLP
from xpnet.optim import global_norm
from xpnet.training.batches import make_sampler
from xpnet.training.callbacks import Callback, Evaluation
from xpnet.training.checkpoint import Checkpoint, Saved, write_checkpoint
from xpnet.training.history import History
from xpnet.training.interrupt import deferred_interrupt
from xpnet.training.progress import Progress, progress_bar
from xpnet.training.step import build_step

_MOST_ITERATIONS_AT_ONCE = 128
_OPERATIONS_AT_ONCE = 1e10
"""Arithmetic operations of a chunk: well under a second, so that Ctrl-C is heeded soon."""


class Run:
    """A training run, from where `saved` says to its last iteration.

    Parameters
    ----------
    saved : Saved
        Network, optimiser, settings and where they stand.
    data : tuple of arrays
        Samples and labels as `MLP.prepare` returns them.
    validation : tuple of arrays or None
        Likewise, of the test set.
    callbacks : sequence of callables
        Called after each evaluation.
    checkpoint : Checkpoint or None
        Where and how often to save.
    """

    def __init__(
        self,
        saved: Saved,
        data: Data,
        validation: Data | None,
        callbacks: Sequence[Callback] = (),
        checkpoint: Checkpoint | None = None,
    ) -> None:
        self.net: MLP = saved.net
        self.optimizer, self.settings, self.history = saved.optimizer, saved.settings, saved.history
        self.iteration, self.state = saved.iteration, saved.state
        self.data, self.validation = data, validation
        self.callbacks, self.checkpoint = callbacks, checkpoint
        settings, backend = self.settings, self.net.backend
        self.sampler = make_sampler(
            settings.sampling, data[0].shape[0], settings.batch_size, settings.seed, settings.drop_last
        )
        rows = self.sampler.subset()
        self.batch_data = data if rows is None else self._rows(rows)
        self.loop = backend.loop(self._build_step, fuse=self.net.arithmetic.compilable)
        self._losses: list[Array] = []  # on the device, not yet fetched
        self._last_rows: Any = None
        self._chunk = _iterations_at_once(self.net, self.sampler.batch_size)

    def execute(self, progress: bool) -> History:
        """Train to the end, or until Ctrl-C or a callback ends it; see `xpnet.train`."""
        with (
            self.net.backend.scope(),
            np.errstate(over="ignore", invalid="ignore"),  # a loss that diverges ends in an error of its own
            deferred_interrupt() as interrupt,
            progress_bar(progress, self.iteration, self.settings.iterations) as bar,
        ):
            self.history.stopped = "finished"
            if self.iteration == 0 and not self.history.iteration:
                self._evaluate(bar)
            while self.iteration < self.settings.iterations and self.history.stopped == "finished":
                self._advance_to(self._next_stop(), bar)
                if interrupt.requested and self.iteration < self.settings.iterations:
                    self.history.stopped = "interrupted"
                if self._evaluation_is_due():
                    self._evaluate(bar)
                if self._checkpoint_is_due():
                    self._save()
            self._fetch_losses()
        return self.history

    def _build_step(self, xp: Any) -> Step:
        return build_step(xp, self.net.arithmetic, self.net.chain, self.optimizer)

    def _next_stop(self) -> int:
        """Return the next iteration at which something happens besides training."""
        periods = [self.settings.eval_every, self.checkpoint.every if self.checkpoint else 0]
        due = [(self.iteration // every + 1) * every for every in periods if every]
        return min(self.iteration + self._chunk, self.settings.iterations, *due)

    def _advance_to(self, stop: int, bar: Progress) -> None:
        for count, rows in self.sampler.blocks(self.iteration, stop):
            indices = None if rows is None else self.net.backend.asarray(rows)
            batches = Batches(indices, self.optimizer.coefficients_of(self.iteration, count))
            self.state, losses = self.loop(self.state, self.batch_data, batches)
            self._losses.append(losses)
            self._last_rows = None if rows is None else rows[-1]
            self.iteration += count
        bar.advance(self.iteration)

    def _evaluation_is_due(self) -> bool:
        # Not after Ctrl-C: a run that is resumed must have been evaluated as if it had never stopped.
        every, last = self.settings.eval_every, self.settings.iterations
        return every > 0 and (self.iteration == last or self.iteration % every == 0)

    def _evaluate(self, bar: Progress) -> None:
        if self.settings.eval_every == 0:
            return
        recent = self._fetch_losses()
        history, net = self.history, self.net
        history.iteration.append(self.iteration)
        history.train_accuracy.append(net.accuracy_of_prepared(*self.data))
        if self.validation is not None:
            history.test_accuracy.append(net.accuracy_of_prepared(*self.validation))
        if self.settings.gradient_norm:
            self._measure_gradient()
        if history.accuracy[-1] > max(history.accuracy[:-1], default=-1.0):
            history.best_iteration, history.best_params = self.iteration, dict(net.params)
        if recent:
            memory = net.backend.memory().used if net.backend.on_gpu else None
            bar.measured(sum(recent) / len(recent), history.accuracy[-1], memory)
        evaluation = Evaluation(net, history)
        # A list: every callback is told, also when an earlier one has already asked to stop.
        wishes = [callback(evaluation) for callback in self.callbacks]
        if any(wishes) and history.stopped == "finished":
            history.stopped = "callback"

    def _fetch_losses(self) -> list[float]:
        """Bring the losses since the last time to the host and the parameters to the network."""
        backend, history = self.net.backend, self.history
        recent: list[float] = []
        if self._losses:
            recent = backend.to_numpy(backend.xp.concat(self._losses)).tolist()
            self._losses = []
        for i, loss in enumerate(recent):
            if not math.isfinite(loss):
                history.loss += recent[:i]
                raise TrainingError(_divergence(loss, len(history.loss), self.optimizer.learning_rate))
        history.loss += recent
        self.net.params = self.state["params"]
        return recent

    def _measure_gradient(self) -> None:
        xp, chain, net = self.net.xp, self.net.chain, self.net
        rows = self._last_rows
        if rows is None and self.iteration == 0:  # the mini-batch that comes first
            _, block = next(self.sampler.blocks(0, 1))
            rows = None if block is None else block[0]
        x, t = self.batch_data if rows is None else self._rows(rows)
        _, gradients = chain.loss_and_gradients(xp, net.params, x, t)
        for name, gradient in gradients.items():
            norm = float(global_norm(xp, {name: gradient}))
            self.history.gradient_norm.setdefault(name, []).append(norm)

    def _rows(self, rows: Any) -> Data:
        backend = self.net.backend
        with backend.scope():
            x, t = (backend.xp.take(values, backend.asarray(rows), axis=0) for values in self.data)
        return x, t

    def _checkpoint_is_due(self) -> bool:
        if self.checkpoint is None:
            return False
        last = self.iteration == self.settings.iterations or self.history.stopped != "finished"
        return last or self.iteration % self.checkpoint.every == 0

    def _save(self) -> None:
        assert self.checkpoint is not None
        self._fetch_losses()
        shape = tuple(self.data[0].shape)
        slots = self.state["optimizer"]
        saved = Saved(self.net, self.optimizer, slots, self.settings, self.iteration, shape, self.history)
        write_checkpoint(self.checkpoint.path, saved)


def _iterations_at_once(net: MLP, batch_size: int) -> int:
    weights = sum(math.prod(layer.shapes[layer.weight]) for layer in net.chain.affine_layers)
    operations = 6 * weights * batch_size  # a product forward and two backward, of two operations a weight
    return max(1, min(_MOST_ITERATIONS_AT_ONCE, int(_OPERATIONS_AT_ONCE / operations)))


def _divergence(loss: float, iteration: int, learning_rate: float) -> str:
    return (
        f"the loss became {loss} at iteration {iteration}; the network keeps the parameters of the last"
        f" evaluation. Try a learning rate below {learning_rate:g}, clip_norm=1.0 in the optimiser,"
        " inputs scaled to about 0..1, or smaller initial weights"
    )


def check_data_shape(saved: Saved, data: Data) -> None:
    """Raise `InvalidInputError` unless the data has the shape of that which the run began with."""
    if tuple(data[0].shape) != saved.data_shape:
        raise InvalidInputError(
            f"the run began with training data of the shape {saved.data_shape}, not {tuple(data[0].shape)}:"
            " give it the same data to go on"
        )
