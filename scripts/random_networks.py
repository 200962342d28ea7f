"""Train random networks in exact arithmetic on several libraries, and see whether the bits ever part.

Everything is drawn from the seed: depth 0 to 4, widths 1 to 40, activations, losses, dtypes, initial weights
from 1e-30 to 30, optimisers with all their settings (tiny epsilons among them), clipping, penalties, dropout,
weights of samples, and features near the ends of the range. Network number i is the same in every run:
``--only i`` repeats it. Whatever a library refuses (a loss that is no finite number), all must refuse.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import Progress

import xpnet
from xpnet.errors import XpnetError

FEATURES, WIDTHS, OUTPUTS, BATCHES, SAMPLES = 12, (1, 7, 40), 4, (6, 20), 40
"""Few shapes: JAX compiles each operation anew for each."""
ACTIVATIONS = (xpnet.ReLU, xpnet.Sigmoid, xpnet.Tanh, xpnet.Identity)
INITS: tuple[str | float, ...] = ("he", "xavier", "uniform", 0.0, 1e-30, 1e-4, 1.0, 30.0)
BETAS = ((0.0, 0.5, 0.9), (0.5, 0.99, 0.999, 0.9999999))

Outcome = tuple[str, str]
"""What became of a network: trained, refused or crashed; and its fingerprint or the message."""


def main() -> None:
    arguments = parse()
    names = arguments.backends.split(",")
    backends = [xpnet.get_backend(name) for name in names]
    numbers = list(range(arguments.count)) if arguments.only is None else [arguments.only]
    # Features near the ends of the range are meant here.
    warnings.filterwarnings("ignore", message="x has numbers as large as")
    console = Console(stderr=True)
    found: dict[str, list[int]] = {"same": [], "refused": [], "parted": []}
    times = dict.fromkeys(names, 0.0)
    tried = dict.fromkeys(names, 0)
    parted = []
    started = time.monotonic()
    stopped = ""
    with Progress(console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("random networks", total=len(numbers))
        try:
            for number in numbers:
                if arguments.minutes and time.monotonic() - started > 60 * arguments.minutes:
                    stopped = f"after {arguments.minutes:g} minutes"
                    break
                outcomes: dict[str, Outcome] = {}
                for name, backend in zip(names, backends, strict=True):
                    if name == "jax" and arguments.only is None and number % arguments.jax_every:
                        continue
                    begun = time.monotonic()
                    outcomes[name] = outcome(arguments.seed, number, backend)
                    times[name] += time.monotonic() - begun
                    tried[name] += 1
                kind = judge(list(outcomes.values()))
                found[kind].append(number)
                if kind == "parted":
                    parted.append(specification(arguments.seed, number) | {"outcomes": outcomes})
                    progress.console.print(f"network {number} parts: {outcomes}", highlight=False)
                total = sum(map(len, found.values()))
                progress.update(task, advance=1, description=f"{len(parted)} of {total} part")
        except KeyboardInterrupt:
            stopped = "by hand"
    if arguments.only is not None:
        print(json.dumps(specification(arguments.seed, arguments.only), indent=1))
    counts = {kind: len(those) for kind, those in found.items()}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    print(f"{told} in {time.monotonic() - started:.0f} s{stopped and f'; stopped {stopped}'}")
    result = {
        "command": f"python scripts/random_networks.py --count {arguments.count} --seed {arguments.seed}"
        f" --backends {arguments.backends} --jax-every {arguments.jax_every}",
        "xpnet": xpnet.__version__,
        "date": time.strftime("%Y-%m-%d"),
        "machine": f"{platform.machine()}, Python {platform.python_version()}",
        "libraries": libraries(names, backends, tried, times),
        "stopped": stopped or None,
        **counts,
        "networks that parted": parted,
    }
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(result, indent=1) + "\n")
    sys.exit(1 if parted else 0)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = "numpy,torch,jax,array_api_strict"
    parser.add_argument("--count", type=positive, default=3000, help="networks (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (default: %(default)s)")
    parser.add_argument("--backends", default=every, help="default: %(default)s")
    parser.add_argument(
        "--jax-every", type=positive, default=1, metavar="K", help="JAX, which is slow, on each K-th alone"
    )
    parser.add_argument("--only", type=int, metavar="INDEX", help="this one alone, and what it is")
    parser.add_argument("--minutes", type=float, metavar="LIMIT", help="stop after so long")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a JSON file for the result")
    return parser.parse_args()


def positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def libraries(
    names: Sequence[str], backends: Sequence[xpnet.Backend], tried: dict[str, int], times: dict[str, float]
) -> dict[str, dict[str, Any]]:
    return {
        name: {
            "version": f"{backend.info().version} on {backend.device_name}, {backend.info().blas}",
            "networks": tried[name],
            "seconds a network": round(times[name] / max(1, tried[name]), 3),
        }
        for name, backend in zip(names, backends, strict=True)
    }


def judge(outcomes: Sequence[Outcome]) -> str:
    """Return whether all came out the same, and how; a crash is never as it should be."""
    kinds = {kind for kind, _ in outcomes}
    if len(set(outcomes)) > 1 or "crashed" in kinds:
        return "parted"
    return "same" if kinds == {"trained"} else "refused"


def outcome(seed: int, number: int, backend: xpnet.Backend) -> Outcome:
    """Train one network; an error of any kind is an outcome, that hours of others are not lost by it."""
    try:
        net, training = draw(seed, number, backend)
        xpnet.train(net, **training, eval_every=0, progress=False)
    except XpnetError as error:
        return "refused", f"{type(error).__name__}: {str(error).partition(';')[0]}"
    except Exception as error:  # noqa: BLE001  # whatever it is, it is reported with the network's number
        return "crashed", f"{type(error).__name__}: {error}"
    return "trained", net.fingerprint()


def specification(seed: int, number: int) -> dict[str, Any]:
    """Return all that a network is, but for the arrays, which `draw` makes from the same two numbers."""
    net, training = draw(seed, number, xpnet.get_backend("numpy"))
    arrays = {name: value for name, value in training.items() if isinstance(value, np.ndarray)}
    return {
        "repeat": f"python scripts/random_networks.py --seed {seed} --only {number}",
        "network": net.config,
        "training": {name: str(value) for name, value in training.items() if name not in arrays},
        "arrays": {
            name: f"{array.dtype} {array.shape}, sizes {np.abs(array).min():g} to {np.abs(array).max():g}"
            for name, array in arrays.items()
        },
    }


def draw(seed: int, number: int, backend: xpnet.Backend) -> tuple[xpnet.Model, dict[str, Any]]:
    """Return one network and its training, the same for all libraries."""
    rng = np.random.default_rng([seed, number])
    regression = rng.random() < 0.25
    dtype = str(rng.choice(["float32", "float64"]))
    init = INITS[rng.integers(len(INITS))]
    layers: list[xpnet.Layer] = []
    for _ in range(rng.integers(0, 5)):
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
    schedules = [
        xpnet.Constant(),
        xpnet.Cosine(12, 0.1),
        xpnet.Exponential(0.3),
        xpnet.InverseScaling(0.7),
        xpnet.StepDecay(4, 0.3),
    ]
    shared: dict[str, Any] = {
        "schedule": schedules[rng.integers(len(schedules))],
        "clip_norm": float(rng.choice([1e-6, 0.5])) if rng.random() < 0.3 else None,
    }
    epsilon = float(rng.choice([1e-30, 1e-15, 1e-8, 1e-3]))
    kept, beta1, beta2 = (float(rng.choice(those)) for those in ((0.0, 0.5, 0.9, 0.99), *BETAS))
    rules = [
        xpnet.SGD(rate, **shared),
        xpnet.Momentum(rate, kept, **shared),
        xpnet.Nesterov(rate, kept, **shared),
        xpnet.AdaGrad(rate, epsilon, **shared),
        xpnet.RMSProp(rate, kept, epsilon, **shared),
        xpnet.Adam(rate, beta1, beta2, epsilon, **shared),
        xpnet.AdamW(rate, beta1, beta2, epsilon, float(rng.choice([0.0, 0.01, 1.0])), **shared),
    ]
    return rules[rng.integers(len(rules))]


if __name__ == "__main__":
    main()
