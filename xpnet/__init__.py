"""xpnet: neural networks on whatever array library you already have.

The mathematics is written once against the Python Array API standard and runs unchanged on NumPy,
CuPy, PyTorch and JAX.

>>> import xpnet
>>> data = xpnet.datasets.load("digits")
>>> net = xpnet.MLP([64, 30, 10], backend="numpy")
>>> history = xpnet.train(net, data.x_train, data.t_train, epochs=20)
>>> net.accuracy(data.x_test, data.t_test) > 0.8
True
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from xpnet.backends import Backend, BackendInfo, available_backends, get_backend, register_backend
from xpnet.catalogue import PUBLIC
from xpnet.describe import describe, register, restore
from xpnet.errors import XpnetError

__version__ = "0.1.0"

# What is loaded when it is first asked for: the whole of it would double the time of ``import numpy``.
_HOME = {
    **PUBLIC,
    "Checkpoint": "xpnet.training",
    "EarlyStopping": "xpnet.training",
    "Evaluation": "xpnet.training",
    "History": "xpnet.training",
    "Layer": "xpnet.nn.layer",
    "Loss": "xpnet.nn.losses.loss",
    "MLP": "xpnet.models.mlp",
    "Model": "xpnet.models.model",
    "Optimizer": "xpnet.optim",
    "Parameter": "xpnet.nn.layer",
    "Run": "xpnet.training",
    "Variables": "xpnet.nn.layer",
    "custom_gradient": "xpnet.nn.tape.transforms",
    "grad": "xpnet.nn.tape.transforms",
    "gradcheck": "xpnet.models.gradcheck",
    "load": "xpnet.models.saving",
    "resume": "xpnet.training",
    "stop_gradient": "xpnet.nn.tape.transforms",
    "train": "xpnet.training",
    "value_and_grad": "xpnet.nn.tape.transforms",
}
_MODULES = ("datasets", "metrics", "optim", "training")

__all__ = [
    "Backend",
    "BackendInfo",
    "XpnetError",
    "available_backends",
    "describe",
    "get_backend",
    "register",
    "register_backend",
    "restore",
    *_MODULES,
    *_HOME,
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"xpnet.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'xpnet' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
