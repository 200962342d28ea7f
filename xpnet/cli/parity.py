"""``xpnet parity``."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from xpnet import __version__, datasets
from xpnet.arithmetic.choose import ARITHMETICS
from xpnet.cli import options
from xpnet.cli.chosen import chosen_backends
from xpnet.cli.console import err, new_table, out, tell
from xpnet.io import check_folder, write_atomically
from xpnet.optim import OPTIMIZERS
from xpnet.training.parity import Course, Job, compare_backends
from xpnet.validation import check_name

EXAMPLES = options.examples(
    "xpnet parity",
    "xpnet parity --backends numpy,cupy --require cupy --dataset mnist --json parity.json",
    "xpnet parity --hidden 50,50 --activation tanh --iterations 2000 --figure parity.png",
)


def command(
    backends: Annotated[
        str | None,
        typer.Option(help="Names, the reference first, a device behind a colon: numpy,cupy:cuda:1."),
    ] = None,
    require: Annotated[
        str | None, typer.Option(help="Names of backends whose absence is a failure: cupy.")
    ] = None,
    arithmetic: Annotated[str, typer.Option(help=f"{', '.join(ARITHMETICS)}, or both.")] = "both",
    dataset: Annotated[str, typer.Option(help=f"Data set: {', '.join(datasets.names())}.")] = "digits",
    hidden: options.Hidden = "50",
    activation: options.Activation = "relu",
    dtype: options.Dtype = "float32",
    iterations: Annotated[int, typer.Option(min=1, help="Updates on each backend.")] = 500,
    batch_size: options.BatchSize = 100,
    optimizer: options.OptimizerName = "sgd",
    learning_rate: options.LearningRate = 0.1,
    seed: options.TrainSeed = 0,
    data_dir: options.DataDir = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File for the figures.")] = None,
    figure: Annotated[Path | None, typer.Option(help="PNG of the difference over the iterations.")] = None,
) -> None:
    """Train one network on every backend, in both arithmetics, and compare the bits."""
    _check_writable(json_file, figure)
    chosen = chosen_backends(backends, require)
    arithmetics = list(ARITHMETICS) if arithmetic == "both" else [arithmetic]
    classes = len(datasets.class_names(dataset))
    data = datasets.load(dataset, data_dir)
    config: dict[str, Any] = {
        "sizes": [data.x_train.shape[1], *options.hidden_sizes(hidden), classes],
        "activation": activation,
        "dtype": dtype,
        "seed": seed,
    }
    rule = OPTIMIZERS[check_name("optimizer", optimizer, OPTIMIZERS)](learning_rate)
    job = Job(data.x_train, data.t_train, config, rule, batch_size, iterations, seed)
    with err.status("…") as status:
        courses = compare_backends(
            job, chosen, arithmetics, lambda name: status.update(f"training on {name}")
        )
    sizes = "-".join(map(str, config["sizes"]))
    title = f"{sizes} {activation}, {dtype}, {dataset}, {iterations:,} iterations of {batch_size}"
    _tell(title, courses)
    if json_file is not None:
        _write_json(json_file, title, job, courses)
    if figure is not None:
        _draw(figure, title, courses)
    if not all(course.passed for course in courses):
        raise typer.Exit(1)


def _check_writable(*files: Path | None) -> None:
    """Raise `DataError` where a file cannot be written: told before training, not after it."""
    for file in files:
        if file is not None:
            check_folder(file)


def _tell(title: str, courses: list[Course]) -> None:
    tell("network", title)
    libraries = {c.backend: (f"{c.backend} {c.version}", c.blas, c.device) for c in courses}
    table = new_table("backend", "BLAS", "device")
    for row in libraries.values():
        table.add_row(*row)
    out.print(table)
    for arithmetic in dict.fromkeys(course.arithmetic for course in courses):
        _tell_arithmetic(arithmetic, [course for course in courses if course.arithmetic == arithmetic])


def _tell_arithmetic(arithmetic: str, courses: list[Course]) -> None:
    out.print(f"[bold]{arithmetic} arithmetic[/bold]: largest differences from {courses[0].backend}")
    table = new_table("backend", ">it/s", ">weights", ">relative", ">loss", "SHA-256", "verdict")
    for course in courses:
        differences = course.difference[-1], course.relative_difference, course.loss_difference
        reference = course.verdict == "reference"
        colour = "green" if course.passed else "bold red"
        table.add_row(
            course.backend,
            f"{course.iterations_per_second:,.0f}",
            *("" if reference else f"{difference:.1e}" for difference in differences),
            course.fingerprint[:8],
            f"[{colour}]{course.verdict}[/]",
        )
    out.print(table)
    fingerprints = {course.fingerprint for course in courses}
    if len(fingerprints) == 1:
        tell("same bits", fingerprints.pop())


def _write_json(path: Path, title: str, job: Job, courses: list[Course]) -> None:
    described = {
        "title": title,
        "xpnet": __version__,
        "network": job.config,
        "batch_size": job.batch_size,
        "iterations": job.iterations,
        "seed": job.seed,
        "courses": [asdict(course) for course in courses],
    }
    write_atomically(path, (json.dumps(described, indent=1) + "\n").encode())


def _draw(path: Path, title: str, courses: list[Course]) -> None:
    from xpnet.plots import difference_curves, save_figure

    curves = {
        f"{course.backend}, {course.arithmetic}": (course.iteration, course.difference)
        for course in courses
        if course.verdict != "reference"
    }
    save_figure(difference_curves(curves, title), path)
