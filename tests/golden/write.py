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


def layered() -> dict[str, list[xpnet.Layer]]:
    """Return networks that have every kind of layer among them, of inputs (64,)."""
    return {
        "convolutions": [
            xpnet.Reshape((1, 8, 8)),
            xpnet.Conv2D(4, 3, padding="same"),
            xpnet.BatchNorm(),
            xpnet.ReLU(),
            xpnet.MaxPool2D(2),
            xpnet.Residual([xpnet.Conv2D(4, 3, padding=1, groups=2), xpnet.SiLU()]),
            xpnet.AvgPool2D(2),
            xpnet.Flatten(),
            xpnet.Dropout(0.2),
            xpnet.Dense(10),
        ],
        "tokens": [
            xpnet.Embedding(17, 4),
            xpnet.Reshape((8, 32)),
            xpnet.LayerNorm(),
            xpnet.GELU(),
            xpnet.Dropout(0.3),
            xpnet.Reshape((32, 2, 4)),
            xpnet.GlobalAvgPool2D(),
            xpnet.Sequential([xpnet.Dense(12), xpnet.BatchNorm(), xpnet.Softplus(), xpnet.Dense(10)]),
        ],
    }


def train_layered(
    case: dict[str, Any], data: xpnet.datasets.Dataset, backend: Any = "numpy", **settings: Any
) -> xpnet.Model:
    """Train a network of `layered` in exact arithmetic: bytes are its grey values, or its tokens."""
    net = xpnet.Model(
        layered()[case["network"]],
        inputs=(64,),
        loss=xpnet.SoftmaxCrossEntropy(label_smoothing=0.1),
        dtype=case["dtype"],
        l2=0.001,
        seed=1,
        backend=backend,
        arithmetic="exact",
    )
    defaults = {"batch_size": 20, "iterations": 100, "seed": 1, "eval_every": 0, "progress": False}
    x = (16 * data.x_train).astype("uint8")
    xpnet.train(net, x, data.t_train, xpnet.Adam(0.01), **(defaults | settings))
    return net


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


def layered_cases() -> list[dict[str, Any]]:
    """Return what `train_layered` takes."""
    return [{"network": name, "dtype": dtype} for name in layered() for dtype in ("float32", "float64")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder of MNIST; XPNET_DATA where omitted")
    folder = parser.parse_args().data
    digits = xpnet.datasets.load("digits")
    golden = [{**case, "sha256": train_layered(case, digits).fingerprint()} for case in layered_cases()]
    (FOLDER / "layers.json").write_text(json.dumps(golden, indent=1) + "\n")
    for name, listed in cases().items():
        data = xpnet.datasets.load(name, folder)
        golden = [{**case, "sha256": train(case, data).fingerprint()} for case in listed]
        (FOLDER / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")


if __name__ == "__main__":
    main()
