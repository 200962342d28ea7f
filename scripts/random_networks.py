"""Train random networks in exact arithmetic on several libraries, and see whether the bits ever part.

Everything is drawn from the seed: layers, activations, losses, dtypes, initial weights from 1e-30 to 30,
optimisers with tiny epsilons, clipping, penalties, dropout, weights of samples, and features near the ends of
the range. Network number i is the same in every run: ``--only i`` repeats it. Whatever a library
refuses (a loss that is no finite number), all must refuse.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import track

import xpnet
from xpnet.errors import TrainingError

FEATURES, WIDTHS, OUTPUTS, BATCHES, SAMPLES = 12, (5, 16), 4, (6, 20), 40
"""Few shapes: JAX compiles each operation anew for each."""
ACTIVATIONS = (xpnet.ReLU, xpnet.Sigmoid, xpnet.Tanh, xpnet.Identity)
INITS: tuple[str | float, ...] = ("he", "xavier", "uniform", 0.0, 1e-30, 1e-4, 1.0, 30.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--count", type=int, default=3000, help="how many networks (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: %(default)s)")
    every = "numpy,torch,jax,array_api_strict"
    parser.add_argument("--backends", default=every, help="the first is the reference (%(default)s)")
    parser.add_argument("--only", type=int, help="this one alone, and what it is")
    parser.add_argument("--out", type=Path, help="a JSON file for the result")
    arguments = parser.parse_args()
    backends = [xpnet.get_backend(name) for name in arguments.backends.split(",")]
    numbers = range(arguments.count) if arguments.only is None else [arguments.only]
    started = time.monotonic()
    found: dict[str, list[int]] = {"same": [], "refused by all": [], "parted": []}
    for number in track(numbers, "random networks", disable=not sys.stderr.isatty()):
        results = [outcome(arguments.seed, number, backend) for backend in backends]
        if len(set(results)) > 1:
            found["parted"].append(number)
            print(f"network {number} parts: {dict(zip(arguments.backends.split(','), results, strict=True))}")
        else:
            found["same" if len(results[0]) == 64 else "refused by all"].append(number)
    if arguments.only is not None:
        print(describe(arguments.seed, arguments.only))
    report(arguments, backends, found, time.monotonic() - started)
    sys.exit(1 if found["parted"] else 0)


def report(
    arguments: argparse.Namespace,
    backends: Sequence[xpnet.Backend],
    found: dict[str, list[int]],
    seconds: float,
) -> None:
    counts = {name: len(numbers) for name, numbers in found.items()}
    print(", ".join(f"{count} {name}" for name, count in counts.items()), f"in {seconds:.0f} s")
    if arguments.out is None:
        return
    result = {
        "command": f"python scripts/random_networks.py --count {arguments.count} --seed {arguments.seed}",
        "xpnet": xpnet.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "libraries": {
            backend.name: f"{backend.info().version} on {backend.device_name}, {backend.info().blas}"
            for backend in backends
        },
        **counts,
        "numbers that parted": found["parted"],
    }
    arguments.out.write_text(json.dumps(result, indent=1) + "\n")


def outcome(seed: int, number: int, backend: xpnet.Backend) -> str:
    """Return the fingerprint of one network after training, or why it could not be trained."""
    net, training = draw(seed, number, backend)
    try:
        xpnet.train(net, **training, eval_every=0, progress=False)
    except TrainingError as error:
        return str(error).partition(";")[0]
    return net.fingerprint()


def describe(seed: int, number: int) -> str:
    net, training = draw(seed, number, xpnet.get_backend("numpy"))
    settings = {name: value for name, value in training.items() if name not in ("x", "t", "sample_weight")}
    return json.dumps(net.config, indent=1) + f"\n{settings}"


def draw(seed: int, number: int, backend: xpnet.Backend) -> tuple[xpnet.Model, dict[str, Any]]:
    """Return one network and its training, the same for all libraries."""
    rng = np.random.default_rng([seed, number])
    regression = rng.random() < 0.25
    dtype = str(rng.choice(["float32", "float64"]))
    init = INITS[rng.integers(len(INITS))]
    layers: list[xpnet.Layer] = []
    for _ in range(rng.integers(0, 4)):
        layers += [xpnet.Dense(int(rng.choice(WIDTHS)), init), ACTIVATIONS[rng.integers(4)]()]
        if rng.random() < 0.2:
            layers.append(xpnet.Dropout(float(rng.choice([0.1, 0.5, 0.99]))))
    net = xpnet.Model(
        [*layers, xpnet.Dense(OUTPUTS, init)],
        inputs=(FEATURES,),
        loss="mean_squared_error" if regression else "softmax_cross_entropy",
        reduction=str(rng.choice(["mean", "sum"])),
        l2=float(rng.choice([0.0, 0.01, 1e-20, 2.0])),
        seed=int(rng.integers(1000)),
        dtype=dtype,
        backend=backend,
        arithmetic="exact",
    )
    training = {
        "x": draw_inputs(rng, dtype),
        "t": rng.normal(size=(SAMPLES, OUTPUTS)) if regression else rng.integers(0, OUTPUTS, SAMPLES),
        "optimizer": draw_optimizer(rng),
        "sampling": str(rng.choice(["with_replacement", "shuffle", "full"])),
        "batch_size": int(rng.choice(BATCHES)),
        "iterations": int(rng.integers(3, 16)),
        "seed": int(rng.integers(1000)),
        "sample_weight": rng.random(SAMPLES) if rng.random() < 0.2 else None,
    }
    return net, training


def draw_inputs(rng: np.random.Generator, dtype: str) -> np.ndarray:
    if rng.random() < 0.3:
        return rng.integers(0, 256, (SAMPLES, FEATURES)).astype(np.uint8)
    x = rng.normal(size=(SAMPLES, FEATURES))
    if rng.random() < 0.3:  # columns near the ends of the range
        ends = (-36.0, 4.0) if dtype == "float32" else (-300.0, 100.0)
        x *= 10.0 ** np.where(rng.random(FEATURES) < 0.3, rng.uniform(*ends, FEATURES), 0.0)
    return x.astype(dtype)


def draw_optimizer(rng: np.random.Generator) -> xpnet.Optimizer:
    rate = float(10.0 ** rng.uniform(-4, 1))
    schedules = [xpnet.Constant(), xpnet.Cosine(12), xpnet.Exponential(0.3), xpnet.InverseScaling(0.7)]
    shared: dict[str, Any] = {
        "schedule": schedules[rng.integers(len(schedules))],
        "clip_norm": float(rng.choice([1e-6, 0.5])) if rng.random() < 0.3 else None,
    }
    epsilon = float(rng.choice([1e-30, 1e-15, 1e-8, 1e-3]))
    rules = [
        xpnet.SGD(rate, **shared),
        xpnet.Momentum(rate, **shared),
        xpnet.Nesterov(rate, **shared),
        xpnet.AdaGrad(rate, epsilon, **shared),
        xpnet.RMSProp(rate, 0.9, epsilon, **shared),
        xpnet.Adam(rate, 0.9, 0.999, epsilon, **shared),
        xpnet.AdamW(rate, 0.9, 0.999, epsilon, **shared),
    ]
    return rules[rng.integers(len(rules))]


if __name__ == "__main__":
    main()
