"""Write the golden fingerprints anew: ``python tests/golden/write.py [--data FOLDER]``.

They are the SHA-256 of weights trained in exact arithmetic, here on NumPy. A change of them is a change of
the arithmetic itself, and must be told in the release notes.
"""

import argparse
import itertools
import json
from pathlib import Path
from typing import Any

import xpnet
from xpnet.optim import OPTIMIZERS as RULES

FOLDER = Path(__file__).parent
OPTIMIZERS = [
    {"name": "sgd", "learning_rate": 0.1},
    {"name": "momentum", "learning_rate": 0.05},
    {"name": "adam", "learning_rate": 0.01},
]
HIDDEN = [[16], [16, 16], [16, 16, 16, 16]]  # of one width: XLA compiles each shape anew


def cases() -> dict[str, list[dict[str, Any]]]:
    """Return what is trained, by file: each activation with each depth in both dtypes, and more."""
    digits = [
        {
            "net": {"sizes": [64, *hidden, 10], "activation": activation, "dtype": dtype, "init": init},
            # The three optimisers take turns, so that each meets every activation, depth and dtype.
            "optimizer": OPTIMIZERS[(row + column + (dtype == "float64")) % 3],
            "batch_size": 50,
            "iterations": 15,
        }
        for (row, (activation, init)), (column, hidden), dtype in itertools.product(
            enumerate([("relu", "he"), ("tanh", "xavier"), ("sigmoid", "xavier")]),
            enumerate(HIDDEN),
            ["float32", "float64"],
        )
    ]
    penalised = {"sizes": [64, 16, 10], "activation": "relu", "l2": 0.01}
    digits += [
        {"net": penalised, "optimizer": {"name": name, "learning_rate": 0.02, "clip_norm": 0.5}}
        | {"batch_size": 50, "iterations": 15}
        for name in ("nesterov", "adagrad", "rmsprop", "adamw")
    ]
    digits.append(
        {
            "net": {"sizes": [64, 16, 10], "activation": "sigmoid", "loss": "mean_squared_error"},
            "optimizer": OPTIMIZERS[1],
            "batch_size": 50,
            "iterations": 15,
        }
    )
    classic = {"net": {"sizes": [784, 50, 10], "activation": "relu"}, "optimizer": OPTIMIZERS[0]}
    classic |= {"batch_size": 100}
    double = {**classic, "net": {**classic["net"], "dtype": "float64"}}
    mnist = [{**case, "iterations": n} for case in (classic, double) for n in (100, 2000)]
    return {"digits": digits, "mnist": mnist}


def optimizer_of(case: dict[str, Any]) -> xpnet.Optimizer:
    """Return the rule of the update of one case."""
    settings = dict(case["optimizer"])
    return RULES[settings.pop("name")](**settings)


def train(case: dict[str, Any], data: xpnet.datasets.Dataset, backend: Any = "numpy") -> xpnet.MLP:
    """Train the network of one case in exact arithmetic."""
    net = xpnet.MLP(**case["net"], seed=1, backend=backend, arithmetic="exact")
    xpnet.train(
        net,
        data.x_train,
        data.t_train,
        optimizer=optimizer_of(case),
        batch_size=case["batch_size"],
        iterations=case["iterations"],
        seed=1,
        eval_every=0,
        progress=False,
    )
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of MNIST; XPNET_DATA where omitted")
    folder = parser.parse_args().data
    for name, listed in cases().items():
        data = xpnet.datasets.load(name, folder)
        golden = [{**case, "sha256": train(case, data).fingerprint()} for case in listed]
        (FOLDER / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
