"""The options of the commands: what each is called and what its help says."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from xpnet.arithmetic.choose import ARITHMETICS
from xpnet.datasets import names
from xpnet.errors import InvalidInputError
from xpnet.models.architectures import ARCHITECTURES
from xpnet.nn.activations import ACTIVATIONS


def examples(*lines: str) -> str:
    """Return the last part of a command's help, a line for each example."""
    return "\n\n".join(["[bold]Examples[/bold]", *lines])


def _option(*names: str, text: str, panel: str | None = None, low: int | None = None) -> Any:
    return typer.Option(*names, help=text, rich_help_panel=panel, min=low)


_DATA_SETS, _ARITHMETICS = ", ".join(names()), " or ".join(ARITHMETICS)
_TRAINABLE = ", ".join(name for name in ACTIVATIONS if name != "step")
_NETWORK, _TRAINING, _RUNNING = "Network", "Training", "Running"

DatasetName = Annotated[str, typer.Argument(help=f"Data set: {_DATA_SETS}.")]
OptionalDatasetName = Annotated[
    str | None, typer.Argument(help=f"Data set: {_DATA_SETS}; that of the run where omitted.")
]
Model = Annotated[
    Path, typer.Argument(help="Run folder (its model.safetensors), or a file: safetensors, npz, pickle.")
]
RunFolder = Annotated[Path, typer.Argument(help="The run folder that xpnet train wrote.")]

NetworkName = Annotated[
    str, _option("--network", text=f"Layers: {', '.join(ARCHITECTURES)}.", panel=_NETWORK)
]
Hidden = Annotated[
    str, _option("--hidden", text="Units of the hidden layers, as in 50,100; or none.", panel=_NETWORK)
]
Activation = Annotated[str, _option("--activation", text=f"{_TRAINABLE}.", panel=_NETWORK)]
StoredActivation = Annotated[
    str | None, _option("--activation", text=f"{_TRAINABLE} or step, where the file does not tell it.")
]
Init = Annotated[
    str,
    _option("--init", text="he, xavier, uniform, or the standard deviation of normal ones.", panel=_NETWORK),
]
Dtype = Annotated[str, _option("--dtype", text="float32 or float64.", panel=_NETWORK)]
Arithmetic = Annotated[str, _option("--arithmetic", text=f"{_ARITHMETICS}.", panel=_NETWORK)]
L2 = Annotated[float, _option("--l2", text="Penalty on the squares of the weights.", panel=_NETWORK)]

Iterations = Annotated[
    int | None, _option("--iterations", text="Updates; 3000 unless --epochs is given.", panel=_TRAINING)
]
AllIterations = Annotated[
    int | None, _option("--iterations", text="Updates in all, to go on for longer than first asked.")
]
Epochs = Annotated[float | None, _option("--epochs", text="Passes over the data instead.", panel=_TRAINING)]
BatchSize = Annotated[int, _option("--batch-size", text="Samples of a mini-batch.", panel=_TRAINING, low=1)]
Sampling = Annotated[
    str, _option("--sampling", text="with_replacement, shuffle, full or fixed.", panel=_TRAINING)
]
OptimizerName = Annotated[
    str,
    _option("--optimizer", text="sgd, momentum, nesterov, adagrad, rmsprop, adam or adamw.", panel=_TRAINING),
]
LearningRate = Annotated[float, _option("--lr", text="Learning rate.", panel=_TRAINING)]
ScheduleName = Annotated[
    str,
    _option(
        "--schedule",
        text="Of the learning rate over the run: constant, step (a tenth after each third), exponential"
        " (down to a hundredth), cosine (down to 0) or inverse_scaling.",
        panel=_TRAINING,
    ),
]
ClipNorm = Annotated[
    float | None, _option("--clip-norm", text="Largest norm of all gradients together.", panel=_TRAINING)
]
EvalEvery = Annotated[
    int | None,
    _option("--eval-every", text="Iterations between evaluations; an epoch where omitted.", panel=_TRAINING),
]
Patience = Annotated[
    int | None,
    _option(
        "--early-stopping", text="End after so many evaluations without a better one.", panel=_TRAINING, low=1
    ),
]
TrainSeed = Annotated[
    int, _option("--seed", text="Of the initial weights and the mini-batches.", panel=_TRAINING)
]

BackendName = Annotated[
    str,
    _option("--backend", text="auto, numpy, cupy, torch, jax or array_api_strict.", panel=_RUNNING),
]
Device = Annotated[
    str | None, _option("--device", text="As the library names it: cpu, cuda:1.", panel=_RUNNING)
]
DataDir = Annotated[
    Path | None,
    _option("--data-dir", text="Folder of the data sets' files; else XPNET_DATA.", panel=_RUNNING),
]
CheckpointEvery = Annotated[
    int | None,
    _option(
        "--checkpoint-every",
        text="Iterations between checkpoints, against a sudden end.",
        panel=_RUNNING,
        low=1,
    ),
]
OutFolder = Annotated[
    Path | None,
    _option("--out", text="New folder of the run; one under runs/ where omitted.", panel=_RUNNING),
]
Quiet = Annotated[bool, _option("--quiet", "-q", text="Print nothing but errors.", panel=_RUNNING)]


def hidden_sizes(text: str) -> list[int]:
    """Return the sizes of the hidden layers that ``"50,100"`` stands for.

    Raises
    ------
    InvalidInputError
        If a size is no positive whole number.

    Examples
    --------
    >>> hidden_sizes("50,100"), hidden_sizes("none")
    ([50, 100], [])
    """
    if text.strip() in ("", "none"):
        return []
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise InvalidInputError(
            f"--hidden must be positive whole numbers between commas, as in 50,100, or none; not {text!r}"
        )
    return [int(size) for size in sizes]


def initial_weights(text: str) -> str | float:
    """Return the name of an initialiser, or the standard deviation where the text is a number.

    Examples
    --------
    >>> initial_weights("he"), initial_weights("0.01")
    ('he', 0.01)
    """
    try:
        return float(text)
    except ValueError:
        return text
