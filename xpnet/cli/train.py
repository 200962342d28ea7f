"""``xpnet train``."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from xpnet import datasets
from xpnet.cli import options
from xpnet.cli.runs import RunConfig, new_folder, versions
from xpnet.cli.session import execute
from xpnet.describe import describe
from xpnet.errors import InvalidInputError
from xpnet.models.architectures import Style, new_model
from xpnet.models.model import Model
from xpnet.optim import OPTIMIZERS, SCHEDULES, Optimizer, Schedule
from xpnet.training import History, train
from xpnet.training.batches import make_sampler
from xpnet.training.loop import iterations_of_epochs
from xpnet.training.settings import Settings
from xpnet.validation import check_count, check_name

EXAMPLES = options.examples(
    "xpnet train",
    "xpnet train mnist --hidden 50 --iterations 10000",
    "xpnet train fashion_mnist --epochs 5 --optimizer adam --lr 0.001",
    "xpnet train mnist --network conv --hidden 100 --epochs 2",
    "xpnet train moons --hidden 3 --activation tanh --backend torch",
)

_DEFAULT_ITERATIONS = 3000


def command(
    dataset: options.DatasetName = "digits",
    network: options.NetworkName = "mlp",
    hidden: options.Hidden = "50",
    activation: options.Activation = "relu",
    init: options.Init = "he",
    dtype: options.Dtype = "float32",
    arithmetic: options.Arithmetic = "standard",
    l2: options.L2 = 0.0,
    iterations: options.Iterations = None,
    epochs: options.Epochs = None,
    batch_size: options.BatchSize = 100,
    sampling: options.Sampling = "with_replacement",
    optimizer: options.OptimizerName = "sgd",
    lr: options.LearningRate = 0.1,
    schedule: options.ScheduleName = "constant",
    clip_norm: options.ClipNorm = None,
    eval_every: options.EvalEvery = None,
    early_stopping: options.Patience = None,
    seed: options.TrainSeed = 0,
    backend: options.BackendName = "auto",
    device: options.Device = None,
    data_dir: options.DataDir = None,
    checkpoint_every: options.CheckpointEvery = None,
    out: options.OutFolder = None,
    quiet: options.Quiet = False,
) -> None:
    """Train a network; leave model, history, configuration and figure in a run folder."""
    classes = len(datasets.class_names(dataset))
    data = datasets.load(dataset, data_dir)
    style = Style(tuple(options.hidden_sizes(hidden)), activation, options.initial_weights(init))
    net = new_model(
        network,
        data.x_train.shape[1],
        classes,
        style,
        seed=seed,
        dtype=dtype,
        backend=backend,
        device=device,
        arithmetic=arithmetic,
        l2=l2,
    )
    per_epoch = make_sampler(sampling, len(data.x_train), batch_size, seed).iterations_per_epoch
    settings = Settings(
        iterations=_iterations(iterations, epochs, per_epoch),
        batch_size=batch_size,
        sampling=sampling,
        drop_last=False,
        eval_every=per_epoch if eval_every is None else eval_every,
        seed=seed,
        gradient_norm=False,
    )
    rule = _optimizer(optimizer, lr, clip_norm, _schedule(schedule, settings.iterations))
    config = RunConfig(
        dataset=dataset,
        data_dir=None if data_dir is None else str(data_dir),
        network=net.config,
        optimizer=describe(rule),
        settings=asdict(settings),
        early_stopping=early_stopping,
        checkpoint_every=checkpoint_every,
        backend=net.backend.name,
        device=device,
        versions=versions(net.backend),
    )
    folder = new_folder(out, dataset)
    config.write(folder)

    def training(**shared: Any) -> tuple[Model, History]:
        return net, train(net, optimizer=rule, **config.settings, **shared)

    execute(training, folder, config, data, quiet)


def _iterations(iterations: int | None, epochs: float | None, per_epoch: int) -> int:
    if iterations is not None and epochs is not None:
        raise InvalidInputError("give either --iterations or --epochs, not both")
    if epochs is not None:
        return iterations_of_epochs("--epochs", epochs, per_epoch)
    return check_count("--iterations", _DEFAULT_ITERATIONS if iterations is None else iterations)


def _schedule(name: str, iterations: int) -> Schedule:
    """Return a schedule that suits a run of so many iterations."""
    settings: dict[str, dict[str, Any]] = {
        "step": {"every": max(1, iterations // 3), "decay": 0.1},
        "exponential": {"rate": math.log(100) / iterations},
        "cosine": {"iterations": iterations},
    }
    return SCHEDULES[check_name("schedule", name, SCHEDULES)](**settings.get(name, {}))


def _optimizer(name: str, learning_rate: float, clip_norm: float | None, schedule: Schedule) -> Optimizer:
    kind = OPTIMIZERS[check_name("optimizer", name, OPTIMIZERS)]
    return kind(learning_rate, clip_norm=clip_norm, schedule=schedule)
