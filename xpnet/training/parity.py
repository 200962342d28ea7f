"""Parity: train one network on several backends and see how far apart they end.

In exact arithmetic every difference must be zero; in standard arithmetic each backend must stay within
a stated bound of the reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xpnet.backends import backend_info
from xpnet.models.mlp import MLP
from xpnet.optim import Optimizer
from xpnet.training.run import Run
from xpnet.training.settings import Settings

STANDARD_BOUNDS = {"float64": 1e-10, "float32": 1e-2}
"""Largest difference from the reference in standard arithmetic: of a weight, relative to the largest
weight, and of a loss.

After 2,000 iterations of 784-50-10 on MNIST, NumPy, PyTorch and JAX were measured to differ by up to 1.2e-15
in float64 and 1.4e-4 in float32 with ReLU (where one unit that fires on one library alone parts the ways),
4.8e-7 with tanh. The bounds leave room for longer training and other processors.
"""

_SNAPSHOTS = 50


@dataclass(frozen=True)
class Job:
    """What is trained on every backend.

    Parameters
    ----------
    x : array, shape (samples, features)
        The samples.
    t : array, shape (samples,)
        Their labels.
    config : dict
        The network's arguments, but for backend and arithmetic.
    optimizer : Optimizer
        The rule of the update.
    batch_size, iterations, seed : int
        Of the training.
    """

    x: np.ndarray
    t: np.ndarray
    config: dict[str, Any]
    optimizer: Optimizer
    batch_size: int
    iterations: int
    seed: int


@dataclass
class Course:
    """How training went on one backend in one arithmetic.

    Attributes
    ----------
    backend, arithmetic : str
        Their names.
    version, blas, device : str
        Of the backend.
    tf32 : bool or None
        Whether the library multiplies float32 matrices in TensorFloat-32 on a GPU; None on a CPU.
    fingerprint : str
        SHA-256 of the weights at the end.
    iterations_per_second : float
        Without the first chunk, in which programs are compiled.
    iteration : list of int
        When the weights were looked at.
    difference : list of float
        The largest absolute difference of any weight from the reference then.
    relative_difference : float
        The last of them, relative to the reference's largest weight.
    loss_difference : float
        The largest absolute difference of an iteration's loss.
    verdict : str
        ``"reference"``, ``"same bits"``, ``"within bound"``, or what is wrong.
    passed : bool
        Whether that is what was promised.
    """

    backend: str
    arithmetic: str
    version: str
    blas: str
    device: str
    tf32: bool | None
    fingerprint: str
    iterations_per_second: float
    iteration: list[int] = field(default_factory=list)
    difference: list[float] = field(default_factory=list)
    relative_difference: float = 0.0
    loss_difference: float = 0.0
    verdict: str = "reference"
    passed: bool = True


@dataclass
class _Trained:
    """The raw results of one training."""

    course: Course
    losses: np.ndarray
    snapshots: list[dict[str, np.ndarray]]


def compare_backends(
    job: Job,
    backends: Sequence[tuple[str, str | None]],
    arithmetics: Sequence[str],
    advance: Callable[[str], None] = lambda _: None,
) -> list[Course]:
    """Train on each backend in each arithmetic, and compare with the first backend in the same arithmetic.

    Parameters
    ----------
    job : Job
        What to train.
    backends : sequence of (name, device)
        The first one is the reference.
    arithmetics : sequence of str
        Of ``"standard"`` and ``"exact"``.
    advance : callable, optional
        Called with the name of each training before it begins.

    Returns
    -------
    list of Course
        In the order of arithmetics, then backends.

    Examples
    --------
    >>> import xpnet
    >>> data = xpnet.datasets.load("digits")
    >>> job = Job(data.x_train, data.t_train, {"sizes": [64, 10]}, xpnet.SGD(0.1), 50, 20, seed=0)
    >>> [course.verdict for course in compare_backends(job, [("numpy", None)] * 2, ["standard"])]
    ['reference', 'same bits']
    """
    courses = []
    for arithmetic in arithmetics:
        reference: _Trained | None = None
        for name, device in backends:
            advance(f"{name}, {arithmetic}")
            trained = _train(job, name, device, arithmetic)
            reference = reference or trained
            if trained is not reference:
                _judge(trained, reference, job.config.get("dtype", "float32"))
            courses.append(trained.course)
    return courses


def _train(job: Job, name: str, device: str | None, arithmetic: str) -> _Trained:
    net = MLP(**job.config, backend=name, device=device, arithmetic=arithmetic)
    data = net.prepare(job.x, job.t)
    net.settle_scale(data["x"])
    run = Run(net, job.optimizer, Settings(batch_size=job.batch_size, seed=job.seed), data)
    info = backend_info(name)
    snapshots, losses, marks = [_on_host(net)], [], [0]
    period = max(1, job.iterations // _SNAPSHOTS)
    seconds, timed = 0.0, 0
    for start in range(0, job.iterations, period):
        count = min(period, job.iterations - start)
        begun = time.perf_counter()
        losses.append(run.advance(count))
        if start > 0:
            seconds, timed = seconds + time.perf_counter() - begun, timed + count
        snapshots.append(_on_host(net))
        marks.append(start + count)
    course = Course(
        backend=name,
        arithmetic=arithmetic,
        version=info.version or "",
        blas=info.blas or "",
        device=str(net.backend.device),
        tf32=info.tf32,
        fingerprint=net.fingerprint(),
        iterations_per_second=timed / seconds if seconds else 0.0,
        iteration=marks,
        difference=[0.0] * len(marks),
    )
    return _Trained(course, np.concatenate(losses), snapshots)


def _on_host(net: MLP) -> dict[str, np.ndarray]:
    return {name: net.backend.to_numpy(value) for name, value in net.params.items()}


def _judge(trained: _Trained, reference: _Trained, dtype: str) -> None:
    """Compare a training with the reference, and write into its course what came of it."""
    course = trained.course
    for i, (mine, theirs) in enumerate(zip(trained.snapshots, reference.snapshots, strict=True)):
        course.difference[i] = max(float(np.max(np.abs(mine[name] - theirs[name]))) for name in mine)
    largest = max(float(np.max(np.abs(value))) for value in reference.snapshots[-1].values())
    course.relative_difference = course.difference[-1] / largest
    course.loss_difference = float(np.max(np.abs(trained.losses - reference.losses)))
    if course.fingerprint == reference.course.fingerprint and course.loss_difference == 0.0:
        course.verdict = "same bits"
    elif course.arithmetic == "exact":
        course.verdict, course.passed = "BITS DIFFER", False
    else:
        bound = STANDARD_BOUNDS[dtype]
        course.passed = max(course.relative_difference, course.loss_difference) <= bound
        course.verdict = f"within {bound:g}" if course.passed else f"BEYOND {bound:g}"
