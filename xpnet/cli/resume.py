"""``xpnet resume``."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import Annotated

import typer

import xpnet
from xpnet import datasets
from xpnet.backends import get_backend
from xpnet.cli import options
from xpnet.cli.runs import CHECKPOINT, RunConfig, versions
from xpnet.cli.session import execute
from xpnet.errors import DataError, InvalidInputError
from xpnet.training.checkpoint import read_checkpoint

EXAMPLES = options.examples(
    "xpnet resume runs/digits-20260101-120000",
    "xpnet resume runs/digits-20260101-120000 --backend cupy",
    "xpnet resume runs/digits-20260101-120000 --iterations 20000",
)


def command(
    folder: options.RunFolder,
    iterations: options.AllIterations = None,
    backend: Annotated[
        str | None, typer.Option(help="Where to go on; what the run began on where omitted.")
    ] = None,
    device: options.Device = None,
    data_dir: options.DataDir = None,
    quiet: options.Quiet = False,
) -> None:
    """Go on with an interrupted run as if it had never stopped, on any backend."""
    config = RunConfig.read(folder)
    checkpoint = folder / CHECKPOINT
    if not checkpoint.exists():
        raise DataError(
            f"{folder} holds no {CHECKPOINT}, the run ended suddenly before the first one:"
            " train anew, with --checkpoint-every to be safe from that"
        )
    place = get_backend(backend or config.backend, device or (None if backend else config.device))
    saved = read_checkpoint(checkpoint, place)
    total = saved.settings.iterations if iterations is None else iterations
    if total <= saved.position.iteration:
        raise InvalidInputError(
            f"the run in {folder} has done {saved.position.iteration:,} iterations, all that it was asked"
            " for: ask for more in all with --iterations"
        )
    config = replace(
        config,
        data_dir=config.data_dir if data_dir is None else str(data_dir),
        settings=asdict(replace(saved.settings, iterations=total)),
        backend=place.name,
        device=device or (None if backend else config.device),
        versions=versions(place),
    )
    data = datasets.load(config.dataset, config.data_dir)
    config.write(folder)
    training = partial(xpnet.resume, checkpoint, iterations=total, backend=place)
    execute(training, folder, config, data, quiet, begun=saved.position.iteration)
