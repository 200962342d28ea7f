"""Optimisers, learning-rate schedules and gradient clipping."""

from xpnet.optim.base import Optimizer
from xpnet.optim.clipping import clip_by_norm, global_norm
from xpnet.optim.optimizers import OPTIMIZERS, SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from xpnet.optim.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    InverseScaling,
    Schedule,
    StepDecay,
)

__all__ = [
    "OPTIMIZERS",
    "SCHEDULES",
    "SGD",
    "AdaGrad",
    "Adam",
    "AdamW",
    "Constant",
    "Cosine",
    "Exponential",
    "InverseScaling",
    "Momentum",
    "Nesterov",
    "Optimizer",
    "RMSProp",
    "Schedule",
    "StepDecay",
    "clip_by_norm",
    "global_norm",
]
