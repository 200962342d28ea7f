"""Train a network: the public functions `train` and `resume`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from xpnet.backends import Backend
from xpnet.describe import describe
from xpnet.errors import InvalidInputError
from xpnet.models.model import Model
from xpnet.optim import SGD, Optimizer
from xpnet.programs.step import Data
from xpnet.training.batches import make_sampler
from xpnet.training.callbacks import Callback
from xpnet.training.checkpoint import Checkpoint, Saved, read_checkpoint
from xpnet.training.history import History
from xpnet.training.memory import advice_on_batch, advice_on_data, memory_guard
from xpnet.training.run import Run
from xpnet.training.settings import Settings
from xpnet.validation import check_count, check_number

_DEFAULT_EPOCHS = 10


def train(
    net: Model,
    x: Any,
    t: Any,
    optimizer: Optimizer | None = None,
    batch_size: int = 100,
    iterations: int | None = None,
    epochs: float | None = None,
    sampling: str = "with_replacement",
    drop_last: bool = False,
    sample_weight: Any = None,
    validation: tuple[Any, Any] | None = None,
    eval_every: int | None = None,
    gradient_norm: bool = False,
    seed: int = 0,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    progress: bool = True,
) -> History:
    """Train a network in place.

    The data goes to the device once, as it is stored. Ctrl-C ends training after the iterations under
    way, a second one at once.

    Parameters
    ----------
    net : Model
        The network; its parameters are replaced.
    x : array, shape (samples, *inputs)
        The training samples, of any library.
    t : array, shape (samples,) or (samples, outputs)
        Their labels, as integers or one-hot rows; of a regression, values.
    optimizer : Optimizer, default SGD(0.1)
        The rule of the update.
    batch_size : int, default 100
        Samples of a mini-batch.
    iterations, epochs : optional
        How long to train, as updates or as passes over the data; 10 epochs where both are omitted.
    sampling : {"with_replacement", "shuffle", "full", "fixed"}, default "with_replacement"
        Draw each mini-batch from all samples; take each sample once an epoch; take all samples in every
        iteration; or one mini-batch, drawn once, in every iteration.
    drop_last : bool, default False
        Whether ``"shuffle"`` leaves out an epoch's last batch where it is short.
    sample_weight : array, shape (samples,), optional
        How much each sample counts: a batch's mean is the weighted one.
    validation : tuple of arrays, optional
        Test samples and their targets.
    eval_every : int, optional
        Iterations between evaluations on the whole training and test set; an epoch where omitted, 0 for
        none at all.
    gradient_norm : bool, default False
        Whether evaluations measure the norm of each parameter's gradient.
    seed : int, default 0
        Of the mini-batches.
    callbacks : sequence of callables, optional
        Called with an `Evaluation` after each; one that returns True ends training.
    checkpoint : Checkpoint, optional
        Where and how often to save what `resume` needs.
    progress : bool, default True
        Whether to show a progress bar, where the standard error stream is a terminal.

    Returns
    -------
    History
        Losses and accuracies; ``stopped`` tells why training ended.

    Raises
    ------
    InvalidInputError
        If an argument or the data is unfit; told before training begins.
    TrainingError
        If the loss becomes infinite or NaN; the network keeps the parameters of the last evaluation.
    DataError
        If a checkpoint cannot be written.
    OutOfMemoryError
        If memory does not hold the data or an iteration; the message names a batch size that fits.

    Examples
    --------
    >>> import xpnet
    >>> data = xpnet.datasets.load("digits")
    >>> net = xpnet.MLP([64, 30, 10], backend="numpy")
    >>> history = xpnet.train(net, data.x_train, data.t_train, iterations=300)
    >>> history.train_accuracy[-1] > 0.9
    True
    """
    optimizer = SGD(0.1) if optimizer is None else optimizer
    _check_kinds(net, optimizer, callbacks, checkpoint)
    if not net.blueprint.parameters:
        raise InvalidInputError(f"{net!r} has no parameters: there is nothing to train")
    data, tested = _on_device(net, x, t, sample_weight, validation)
    samples = data["x"].shape[0]
    batch_size = samples if sampling == "full" else check_count("batch_size", batch_size)
    per_epoch = make_sampler(sampling, samples, batch_size, seed, drop_last).iterations_per_epoch
    settings = Settings(
        iterations=_iterations(iterations, epochs, per_epoch),
        batch_size=batch_size,
        sampling=sampling,
        drop_last=drop_last,
        eval_every=per_epoch if eval_every is None else eval_every,
        seed=seed,
        gradient_norm=gradient_norm,
    )
    net.settle_scale(data["x"])
    with memory_guard(net.backend, partial(advice_on_batch, net, batch_size)):
        return Run(net, optimizer, settings, data, tested, callbacks, checkpoint).execute(progress)


def resume(
    path: str | Path,
    x: Any,
    t: Any,
    validation: tuple[Any, Any] | None = None,
    iterations: int | None = None,
    backend: str | Backend = "auto",
    device: str | None = None,
    callbacks: Sequence[Callback] = (),
    checkpoint: Checkpoint | None = None,
    progress: bool = True,
    sample_weight: Any = None,
) -> tuple[Model, History]:
    """Go on with a run from its checkpoint, on any backend, as if it had never stopped.

    Parameters
    ----------
    path : path-like
        The checkpoint's file.
    x, t, validation : arrays
        The data that the run began with.
    iterations : int, optional
        In all, those done already among them; as the run was asked for where omitted.
    backend, device : optional
        Where to go on.
    callbacks, checkpoint, progress, sample_weight
        As for `train`.

    Returns
    -------
    net : Model
    history : History
        Of the whole run, from its first iteration.

    Raises
    ------
    DataError
        If the file is no checkpoint.
    InvalidInputError
        If the data has another shape.
    OutOfMemoryError
        As for `train`.
    """
    saved = read_checkpoint(path, backend, device)
    net, settings, position = saved.net, saved.settings, saved.position
    _check_kinds(net, saved.optimizer, callbacks, checkpoint)
    if iterations is not None:
        settings = replace(settings, iterations=check_count("iterations", iterations))
    if settings.iterations < position.iteration:
        raise InvalidInputError(
            f"the run has done {position.iteration} iterations already: ask for more than that, not for"
            f" {settings.iterations}"
        )
    data, tested = _on_device(net, x, t, sample_weight, validation)
    _check_data(saved, data, tested)
    with memory_guard(net.backend, partial(advice_on_batch, net, settings.batch_size)):
        run = Run(net, saved.optimizer, settings, data, tested, callbacks, checkpoint, position)
        return net, run.execute(progress)


def _check_kinds(net: Any, optimizer: Any, callbacks: Any, checkpoint: Any) -> None:
    """Raise `InvalidInputError` unless each argument is of the kind that its name says."""
    if not isinstance(net, Model):
        raise InvalidInputError(f"net must be a network such as xpnet.MLP([784, 50, 10]), not {net!r}")
    if not isinstance(optimizer, Optimizer):
        raise InvalidInputError(f"optimizer must be an optimiser such as xpnet.SGD(0.1), not {optimizer!r}")
    if not isinstance(callbacks, Sequence) or not all(map(callable, callbacks)):
        raise InvalidInputError(
            f"callbacks must be a list of functions, each of one Evaluation, not {callbacks!r}"
        )
    if checkpoint is None:
        return
    if not isinstance(checkpoint, Checkpoint):
        raise InvalidInputError(f"checkpoint must be xpnet.Checkpoint(path, every), not {checkpoint!r}")
    describe((net.blueprint, optimizer))  # a checkpoint cannot hold what is not registered: tell it now


def _on_device(
    net: Model, x: Any, t: Any, sample_weight: Any, validation: tuple[Any, Any] | None
) -> tuple[Data, Data | None]:
    if validation is not None and not (isinstance(validation, tuple | list) and len(validation) == 2):
        raise InvalidInputError("validation must be a pair of test samples and their labels, (x, t)")
    with memory_guard(net.backend, advice_on_data):
        data = net.prepare(x, t, sample_weight)
        with net.backend.scope():
            data = {name: net.backend.contiguous(array) for name, array in data.items()}
        return data, None if validation is None else net.prepare(*validation)


def _check_data(saved: Saved, data: Data, tested: Data | None) -> None:
    """Raise `InvalidInputError` unless the data is of the kind and shape that the run began with."""
    for name, argument, here in (
        ("weight", "sample_weight", "weight" in data),
        ("validation", "validation", tested is not None),
    ):
        if (name in saved.given) != here:
            began = "with" if name in saved.given else "without"
            raise InvalidInputError(f"the run began {began} {argument}: give it the same to go on")
    shape = tuple(data["x"].shape)
    if shape != saved.data_shape:
        raise InvalidInputError(
            f"the run began with training data of the shape {saved.data_shape}, not {shape}:"
            " give it the same data to go on"
        )


def _iterations(iterations: int | None, epochs: float | None, per_epoch: int) -> int:
    if iterations is not None and epochs is not None:
        raise InvalidInputError("give either iterations or epochs, not both")
    if iterations is not None:
        return check_count("iterations", iterations)
    return iterations_of_epochs("epochs", _DEFAULT_EPOCHS if epochs is None else epochs, per_epoch)


def iterations_of_epochs(name: str, epochs: float, per_epoch: int) -> int:
    """Return how many updates so many epochs are, at least one, or raise `InvalidInputError`.

    Examples
    --------
    >>> iterations_of_epochs("epochs", 2.5, per_epoch=600)
    1500
    """
    if check_number(name, epochs, 0.0) == 0:
        raise InvalidInputError(f"{name} must be above 0: with none there is nothing to train")
    return max(1, round(epochs * per_epoch))
