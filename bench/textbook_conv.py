"""The textbook's convolutional network, as it is written there: ``im2col``, layer objects, in-place SGD.

Written anew after the style of the book *Deep Learning from Scratch*; float64, mini-batches by
``np.random.choice``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from bench.textbook import Params, cross_entropy, softmax


def im2col(images: np.ndarray, height: int, width: int, stride: int, pad: int) -> np.ndarray:
    """Return the windows of images as rows."""
    n, channels, h, w = images.shape
    out_h, out_w = (h + 2 * pad - height) // stride + 1, (w + 2 * pad - width) // stride + 1
    padded = np.pad(images, [(0, 0), (0, 0), (pad, pad), (pad, pad)], "constant")
    col = np.zeros((n, channels, height, width, out_h, out_w), dtype=images.dtype)
    for y in range(height):
        for x in range(width):
            col[:, :, y, x] = padded[:, :, y : y + stride * out_h : stride, x : x + stride * out_w : stride]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(n * out_h * out_w, -1)


def col2im(
    col: np.ndarray, shape: tuple[int, ...], height: int, width: int, stride: int, pad: int
) -> np.ndarray:
    """Return the images of a shape to which the rows add up."""
    n, channels, h, w = shape
    out_h, out_w = (h + 2 * pad - height) // stride + 1, (w + 2 * pad - width) // stride + 1
    col = col.reshape(n, out_h, out_w, channels, height, width).transpose(0, 3, 4, 5, 1, 2)
    images = np.zeros((n, channels, h + 2 * pad + stride - 1, w + 2 * pad + stride - 1), dtype=col.dtype)
    for y in range(height):
        for x in range(width):
            images[:, :, y : y + stride * out_h : stride, x : x + stride * out_w : stride] += col[:, :, y, x]
    return images[:, :, pad : h + pad, pad : w + pad]


class Convolution:
    """Rows of windows times the filters."""

    def __init__(self, W: np.ndarray, b: np.ndarray, pad: int) -> None:
        self.W, self.b, self.pad = W, b, pad

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        filters, _, height, width = self.W.shape
        self.shape = x.shape
        out_h, out_w = x.shape[2] + 2 * self.pad - height + 1, x.shape[3] + 2 * self.pad - width + 1
        self.col = im2col(x, height, width, 1, self.pad)
        self.col_W = self.W.reshape(filters, -1).T
        out = np.dot(self.col, self.col_W) + self.b
        return out.reshape(len(x), out_h, out_w, -1).transpose(0, 3, 1, 2)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of the inputs."""
        filters, _, height, width = self.W.shape
        dout = dout.transpose(0, 2, 3, 1).reshape(-1, filters)
        self.db = np.sum(dout, axis=0)
        self.dW = np.dot(self.col.T, dout).transpose(1, 0).reshape(self.W.shape)
        return col2im(np.dot(dout, self.col_W.T), self.shape, height, width, 1, self.pad)


class Pooling:
    """The largest of each row of a window; the gradient goes where it was."""

    def __init__(self, size: int) -> None:
        self.size = size

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        n, channels, h, w = self.shape = x.shape
        out_h, out_w = h // self.size, w // self.size
        col = im2col(x, self.size, self.size, self.size, 0).reshape(-1, self.size**2)
        self.arg_max = np.argmax(col, axis=1)
        return np.max(col, axis=1).reshape(n, out_h, out_w, channels).transpose(0, 3, 1, 2)

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of the inputs."""
        dout = dout.transpose(0, 2, 3, 1)
        dmax = np.zeros((dout.size, self.size**2), dtype=dout.dtype)
        dmax[np.arange(self.arg_max.size), self.arg_max] = dout.flatten()
        col = dmax.reshape(dout.shape[0] * dout.shape[1] * dout.shape[2], -1)
        return col2im(col, self.shape, self.size, self.size, self.size, 0)


class Affine:
    """``x @ W + b``, of images too."""

    def __init__(self, W: np.ndarray, b: np.ndarray) -> None:
        self.W, self.b = W, b

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        self.shape = x.shape
        self.x = x.reshape(len(x), -1)
        return np.dot(self.x, self.W) + self.b

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of the inputs."""
        self.dW, self.db = np.dot(self.x.T, dout), np.sum(dout, axis=0)
        return np.dot(dout, self.W.T).reshape(self.shape)


class Relu:
    """Zero where it was not positive."""

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Return the outputs."""
        self.mask = x <= 0
        out = x.copy()
        out[self.mask] = 0
        return out

    def backward(self, dout: np.ndarray) -> np.ndarray:
        """Return the gradient of the inputs."""
        dout[self.mask] = 0
        return dout


def layers_of(layers: Sequence[Any], params: Params) -> list[Any]:
    """Return the textbook's layers over the arrays of ``W1 b1 W2 b2 …``, which change in place."""
    made: list[Any] = []
    numbers = iter(range(1, len(params) + 1))
    for layer in layers:
        match type(layer).__name__:
            case "Conv2D":
                number = next(numbers)
                pad = 0 if layer.padding == "valid" else layer.padding[0]
                made.append(Convolution(params[f"W{number}"], params[f"b{number}"], pad))
            case "Dense":
                number = next(numbers)
                made.append(Affine(params[f"W{number}"], params[f"b{number}"]))
            case "MaxPool2D":
                made.append(Pooling(layer.size[0]))
            case "ReLU":
                made.append(Relu())
    return made


def gradient(layers: list[Any], x: np.ndarray, t: np.ndarray) -> float:
    """Return the loss of a batch; the layers keep the gradients."""
    for layer in layers:
        x = layer.forward(x)
    y = softmax(x)
    dout = (y - t) / len(t)
    for layer in reversed(layers):
        dout = layer.backward(dout)
    return cross_entropy(y, t)


def make_loop(
    layers: list[Any], x: np.ndarray, t: np.ndarray, batch_size: int | None, learning_rate: float
) -> Callable[[int], list[float]]:
    """Return a function that trains for a number of iterations and returns their losses.

    Parameters
    ----------
    layers : list
        As `layers_of` returned them.
    x : array, shape (samples, channels, height, width)
        Scaled and converted once.
    t : array, shape (samples,)
        Labels, made one-hot once.
    batch_size : int or None
        None to take all samples in every iteration.
    learning_rate : float
        Of SGD.
    """
    rows = np.eye(layers[-1].b.size, dtype=x.dtype)[t]

    def run(iterations: int) -> list[float]:
        losses = []
        for _ in range(iterations):
            batch, labels = x, rows
            if batch_size is not None:
                choice = np.random.choice(len(x), batch_size)  # noqa: NPY002 - the textbook's own call
                batch, labels = x[choice], rows[choice]
            losses.append(gradient(layers, batch, labels))
            for layer in layers:
                if hasattr(layer, "W"):
                    layer.W -= learning_rate * layer.dW
                    layer.b -= learning_rate * layer.db
        return losses

    return run
