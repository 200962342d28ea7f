"""The registry: every class of the package that a network or a training is described by, and its module.

What stands here is found as ``xpnet.Name``, and can be named by model files, checkpoints and run folders.
"""

from __future__ import annotations

from xpnet.describe import announce

LAYERS = {
    "AvgPool2D": "xpnet.nn.pooling",
    "BatchNorm": "xpnet.nn.normalisation",
    "Conv2D": "xpnet.nn.convolution",
    "Dense": "xpnet.nn.affine",
    "Dropout": "xpnet.nn.dropout",
    "Embedding": "xpnet.nn.embedding",
    "Flatten": "xpnet.nn.reshaping",
    "GELU": "xpnet.nn.activations",
    "GlobalAvgPool2D": "xpnet.nn.pooling",
    "Identity": "xpnet.nn.activations",
    "LayerNorm": "xpnet.nn.normalisation",
    "LeakyReLU": "xpnet.nn.activations",
    "MaxPool2D": "xpnet.nn.pooling",
    "ReLU": "xpnet.nn.activations",
    "Reshape": "xpnet.nn.reshaping",
    "Residual": "xpnet.nn.residual",
    "Sequential": "xpnet.nn.sequential",
    "Sigmoid": "xpnet.nn.activations",
    "SiLU": "xpnet.nn.activations",
    "Softmax": "xpnet.nn.activations",
    "Softplus": "xpnet.nn.activations",
    "Step": "xpnet.nn.activations",
    "Tanh": "xpnet.nn.activations",
}
LOSSES = {
    "BinaryCrossEntropy": "xpnet.nn.losses.binary_cross_entropy",
    "Huber": "xpnet.nn.losses.huber",
    "MeanAbsoluteError": "xpnet.nn.losses.absolute_error",
    "MeanSquaredError": "xpnet.nn.losses.squared_error",
    "Poisson": "xpnet.nn.losses.poisson",
    "Quantile": "xpnet.nn.losses.quantile",
    "SoftmaxCrossEntropy": "xpnet.nn.losses.cross_entropy",
}
OPTIMIZERS = {
    "AdaGrad": "xpnet.optim.optimizers",
    "Adam": "xpnet.optim.optimizers",
    "AdamW": "xpnet.optim.optimizers",
    "Momentum": "xpnet.optim.optimizers",
    "Nesterov": "xpnet.optim.optimizers",
    "RMSProp": "xpnet.optim.optimizers",
    "SGD": "xpnet.optim.optimizers",
}
SCHEDULES = {
    "Constant": "xpnet.optim.schedules",
    "Cosine": "xpnet.optim.schedules",
    "Exponential": "xpnet.optim.schedules",
    "InverseScaling": "xpnet.optim.schedules",
    "StepDecay": "xpnet.optim.schedules",
}
OF_A_FILE = {"Blueprint": "xpnet.models.blueprint", "Network": "xpnet.nn.network"}

PUBLIC = {**LAYERS, **LOSSES, **OPTIMIZERS, **SCHEDULES}

announce({**PUBLIC, **OF_A_FILE})
