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
from typing import TYPE_CHECKING, Any

from xpnet.backends import Backend, BackendInfo, available_backends, get_backend, register_backend
from xpnet.errors import XpnetError

if TYPE_CHECKING:
    from xpnet import datasets
    from xpnet.nn.gradcheck import gradcheck
    from xpnet.nn.network import MLP
    from xpnet.nn.saving import load
    from xpnet.optim import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, Optimizer, RMSProp
    from xpnet.training import Checkpoint, EarlyStopping, Evaluation, History, resume, train

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Backend",
    "BackendInfo",
    "Checkpoint",
    "EarlyStopping",
    "Evaluation",
    "History",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "XpnetError",
    "available_backends",
    "datasets",
    "get_backend",
    "gradcheck",
    "load",
    "register_backend",
    "resume",
    "train",
]

# What is loaded when it is first asked for: the whole of it would double the time of ``import numpy``.
_HOME = {
    "MLP": "xpnet.nn.network",
    "gradcheck": "xpnet.nn.gradcheck",
    "load": "xpnet.nn.saving",
    **dict.fromkeys(
        ("SGD", "AdaGrad", "Adam", "AdamW", "Momentum", "Nesterov", "Optimizer", "RMSProp"), "xpnet.optim"
    ),
    **dict.fromkeys(
        ("Checkpoint", "EarlyStopping", "Evaluation", "History", "resume", "train"), "xpnet.training"
    ),
}


def __getattr__(name: str) -> Any:
    if name == "datasets":
        return import_module("xpnet.datasets")
    if name not in _HOME:
        raise AttributeError(f"module 'xpnet' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
