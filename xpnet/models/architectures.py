"""Networks by name, for the command line: their layers, from the inputs to the outputs."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.models.mlp import MLP
from xpnet.models.model import Model
from xpnet.nn.activations import ACTIVATIONS, Activation
from xpnet.nn.affine import Dense
from xpnet.nn.convolution import Conv2D
from xpnet.nn.dropout import Dropout
from xpnet.nn.layer import Layer, Shape
from xpnet.nn.normalisation import BatchNorm
from xpnet.nn.pooling import MaxPool2D
from xpnet.nn.reshaping import Flatten
from xpnet.validation import check_name


class Style(NamedTuple):
    """What all networks can be asked for.

    Attributes
    ----------
    hidden : tuple of int
        Units of the fully connected layers before the last one.
    activation : str
        A name in `ACTIVATIONS`.
    init : str or float
        The initial weights.
    """

    hidden: tuple[int, ...] = (50,)
    activation: str = "relu"
    init: str | float = "he"

    def between(self) -> Activation:
        """Return the activation."""
        return ACTIVATIONS[check_name("activation", self.activation, ACTIVATIONS)]()


def batchnorm(inputs: Shape, outputs: int, style: Style) -> list[Layer]:
    """Return a perceptron with batch normalisation before each activation."""
    layers: list[Layer] = []
    for units in style.hidden:
        layers += [Dense(units, style.init), BatchNorm(), style.between()]
    return [*layers, Dense(outputs, style.init)]


def dropout(inputs: Shape, outputs: int, style: Style) -> list[Layer]:
    """Return a perceptron with dropout of one half after each activation."""
    layers: list[Layer] = []
    for units in style.hidden:
        layers += [Dense(units, style.init), style.between(), Dropout(0.5)]
    return [*layers, Dense(outputs, style.init)]


def conv(inputs: Shape, outputs: int, style: Style) -> list[Layer]:
    """Return one convolution of 30 filters, a pooling, and fully connected layers."""
    layers: list[Layer] = [Conv2D(30, 5, init=style.init), style.between(), MaxPool2D(2), Flatten()]
    for units in style.hidden:
        layers += [Dense(units, style.init), style.between()]
    return [*layers, Dense(outputs, style.init)]


def deep(inputs: Shape, outputs: int, style: Style) -> list[Layer]:
    """Return six convolutions in pairs of 16, 32 and 64 filters, poolings, and `dropout`'s layers."""
    body: list[Layer] = []
    for filters in (16, 32, 64):
        for _ in range(2):
            body += [Conv2D(filters, 3, padding="same", init=style.init), style.between()]
        body.append(MaxPool2D(2))
    return [*body, Flatten(), *dropout(inputs, outputs, style)]


_OF_VECTORS = {"batchnorm": batchnorm, "dropout": dropout}
_OF_IMAGES = {"conv": conv, "deep": deep}
ARCHITECTURES = ("mlp", *_OF_VECTORS, *_OF_IMAGES)
"""The names that `new_model` knows."""


def new_model(name: str, features: int, outputs: int, style: Style, **settings: Any) -> Model:
    """Return a new model of an architecture.

    Parameters
    ----------
    name : str
        One of `ARCHITECTURES`.
    features : int
        The numbers of one sample; of images, which are square and grey, the pixels.
    outputs : int
        How many outputs it has.
    style : Style
        Hidden units, activation and initial weights.
    **settings
        As for `Model`.

    Raises
    ------
    InvalidInputError
        If an argument is unknown or out of range, or the samples are no square images where such are wanted.

    Examples
    --------
    >>> new_model("batchnorm", 64, 10, Style((20,)), backend="numpy").title
    "Dense(units=20, init='he', scale=1.0) BatchNorm(momentum=0.9, epsilon=1e-05) ReLU() \
Dense(units=10, init='he', scale=1.0)"
    """
    check_name("network", name, ARCHITECTURES)
    if name == "mlp":
        sizes = [features, *style.hidden, outputs]
        return MLP(sizes, style.activation, style.init, **settings)
    inputs: Shape = (features,) if name in _OF_VECTORS else _image(name, features)
    layers = {**_OF_VECTORS, **_OF_IMAGES}[name](inputs, outputs, style)
    return Model(layers, inputs, **settings)


def _image(name: str, features: int) -> Shape:
    side = math.isqrt(features)
    if side * side != features:
        raise InvalidInputError(
            f"the network {name!r} takes square images, not samples of {features} numbers: take a data set"
            " of images, or another network"
        )
    return 1, side, side
