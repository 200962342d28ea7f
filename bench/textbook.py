"""The textbook's training loop, as it is written there: the peer that xpnet must not be slower than.

A ReLU network of any depth, float64, one-hot rows, mini-batches by ``np.random.choice``, in-place SGD.
Written anew after the style of the book *Deep Learning from Scratch*, without the gradient of the
inputs that its layer classes compute and nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

import xpnet

Params = dict[str, np.ndarray]


def softmax(x: np.ndarray) -> np.ndarray:
    x = x - np.max(x, axis=-1, keepdims=True)
    return np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)


def cross_entropy(y: np.ndarray, t: np.ndarray) -> float:
    return float(-np.sum(np.log(y[np.arange(len(y)), t.argmax(axis=1)] + 1e-7)) / len(y))


def forward(params: Params, x: np.ndarray) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray]]:
    """Return the probabilities, each layer's input, and the masks of ReLU."""
    depth = len(params) // 2
    inputs, masks = [x], []
    for i in range(1, depth):
        a = np.dot(inputs[-1], params[f"W{i}"]) + params[f"b{i}"]
        mask = a <= 0
        z = a.copy()
        z[mask] = 0
        masks.append(mask)
        inputs.append(z)
    return softmax(np.dot(inputs[-1], params[f"W{depth}"]) + params[f"b{depth}"]), inputs, masks


def gradient(params: Params, x: np.ndarray, t: np.ndarray) -> tuple[float, Params]:
    """Return loss and gradient of the batch."""
    y, inputs, masks = forward(params, x)
    dout = (y - t) / x.shape[0]
    grads = {}
    for i in range(len(inputs), 0, -1):
        grads[f"W{i}"] = np.dot(inputs[i - 1].T, dout)
        grads[f"b{i}"] = np.sum(dout, axis=0)
        if i > 1:
            dout = np.dot(dout, params[f"W{i}"].T)
            dout[masks[i - 2]] = 0
    return cross_entropy(y, t), grads


def numerical_gradient(params: Params, x: np.ndarray, t: np.ndarray, h: float = 1e-4) -> Params:
    """Return central differences: each parameter in turn is changed in place and put back."""
    grads = {}
    for name, value in params.items():
        grad = np.zeros_like(value)
        for index in np.ndindex(value.shape):
            kept = value[index]
            value[index] = kept + h
            above = cross_entropy(forward(params, x)[0], t)
            value[index] = kept - h
            below = cross_entropy(forward(params, x)[0], t)
            value[index] = kept
            grad[index] = (above - below) / (2 * h)
        grads[name] = grad
    return grads


def make_loop(
    params: Params, x: np.ndarray, t: np.ndarray, batch_size: int | None, learning_rate: float
) -> Callable[[int], list[float]]:
    """Return a function that trains for a number of iterations and returns their losses.

    Parameters
    ----------
    params : dict of arrays
        ``W1 b1 W2 b2 …``, changed in place.
    x : array, shape (samples, features)
        Scaled and converted once, as the textbook's loader does.
    t : array, shape (samples,)
        Labels, made one-hot once.
    batch_size : int or None
        None to take all samples in every iteration.
    learning_rate : float
        Of SGD.
    """
    rows = np.eye(params[f"b{len(params) // 2}"].size, dtype=x.dtype)[t]

    def run(iterations: int) -> list[float]:
        losses = []
        for _ in range(iterations):
            batch, labels = x, rows
            if batch_size is not None:
                choice = np.random.choice(len(x), batch_size)  # noqa: NPY002 - the textbook's own call
                batch, labels = x[choice], rows[choice]
            loss, grads = gradient(params, batch, labels)
            for name in params:
                params[name] -= learning_rate * grads[name]
            losses.append(loss)
        return losses

    return run


def program(dataset: str, hidden: int, iterations: int) -> None:
    """Train as a script of the book does, from loading the data on."""
    x, t, _, _ = xpnet.datasets.load(dataset)
    params: Params = {}
    for i, shape in enumerate([(x.shape[1], hidden), (hidden, 10)], start=1):
        params[f"W{i}"] = 0.01 * np.random.randn(*shape)  # noqa: NPY002 - as the textbook draws them
        params[f"b{i}"] = np.zeros(shape[1])
    pixels = x.astype(np.float64) / 255 if x.dtype == np.uint8 else x.astype(np.float64)
    make_loop(params, pixels, t, 100, 0.1)(iterations)
