"""Small training runs, the same on every library, that several tests look at."""

import numpy as np

import xpnet
from xpnet.optim import Cosine

SIZES = [12, 9, 7, 3]
PIXELS = np.random.default_rng(0).integers(0, 256, (120, 12)).astype(np.uint8)
LABELS = (PIXELS @ np.random.default_rng(1).normal(size=(12, 3))).argmax(axis=1)
TEST = (PIXELS[:40], LABELS[:40])

OPTIMIZERS = {
    "sgd": xpnet.SGD(0.5, schedule=Cosine(100), clip_norm=1.0),
    "momentum": xpnet.Momentum(0.02),
    "nesterov": xpnet.Nesterov(0.02),
    "adagrad": xpnet.AdaGrad(0.1),
    "rmsprop": xpnet.RMSProp(0.01),
    "adam": xpnet.Adam(0.02),
    "adamw": xpnet.AdamW(0.02),
}
STEPS = 200


def network(backend, dtype="float64", **config):
    return xpnet.MLP(SIZES, **{"activation": "tanh", "backend": backend, "dtype": dtype, **config})


def trained(backend, dtype="float64", **settings):
    """Train a fresh network and return it with its history."""
    net = network(backend, dtype)
    defaults = {"batch_size": 10, "iterations": STEPS, "eval_every": 100, "optimizer": OPTIMIZERS["sgd"]}
    return net, xpnet.train(net, PIXELS, LABELS, **{**defaults, **settings})


def difference(net, reference):
    """Return the largest difference of two networks, relative to the largest weight of each array."""
    found = []
    for name, value in reference.params.items():
        got, expected = net.backend.to_numpy(net.params[name]), reference.backend.to_numpy(value)
        found.append(np.abs(got - expected).max() / np.abs(expected).max())
    return max(found)
