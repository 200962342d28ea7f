"""The textbook's training loop, as it is written there: the peer that xpnet must not be slower than.

A network of two layers with sigmoid or ReLU, float64, one-hot rows, mini-batches by
``np.random.choice``, in-place SGD. Written anew after the style of the book *Deep Learning from
Scratch*, without the gradient of the inputs that its layer classes compute and nobody uses.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Params = dict[str, np.ndarray]


def softmax(x: np.ndarray) -> np.ndarray:
    x = x - np.max(x, axis=-1, keepdims=True)
    return np.exp(x) / np.sum(np.exp(x), axis=-1, keepdims=True)


def gradient(params: Params, x: np.ndarray, t: np.ndarray) -> tuple[float, Params]:
    """Return loss and gradient of a two-layer ReLU network, layer objects left out."""
    batch = x.shape[0]
    a1 = np.dot(x, params["W1"]) + params["b1"]
    mask = a1 <= 0
    z1 = a1.copy()
    z1[mask] = 0
    a2 = np.dot(z1, params["W2"]) + params["b2"]
    y = softmax(a2)
    loss = -np.sum(np.log(y[np.arange(batch), t.argmax(axis=1)] + 1e-7)) / batch
    dy = (y - t) / batch
    grads = {"W2": np.dot(z1.T, dy), "b2": np.sum(dy, axis=0)}
    dz = np.dot(dy, params["W2"].T)
    dz[mask] = 0
    grads["W1"], grads["b1"] = np.dot(x.T, dz), np.sum(dz, axis=0)
    return float(loss), grads


def make_loop(
    x: np.ndarray, t: np.ndarray, hidden: int, batch_size: int, learning_rate: float, dtype: str = "float64"
) -> Callable[[int], list[float]]:
    """Return a function that trains for a number of iterations and returns their losses.

    Parameters
    ----------
    x : array, shape (samples, features), uint8
        Scaled and converted once, as the textbook's loader does.
    t : array, shape (samples,)
        Labels, made one-hot once.
    hidden, batch_size : int
        Sizes.
    learning_rate : float
        Of SGD.
    dtype : {"float64", "float32"}
        As written, or made leaner.
    """
    pixels = x.astype(dtype) / np.asarray(255, dtype=dtype)
    rows = np.eye(10, dtype=dtype)[t]
    rng = np.random.default_rng(0)
    params: Params = {
        "W1": 0.01 * rng.standard_normal((x.shape[1], hidden)).astype(dtype),
        "b1": np.zeros(hidden, dtype=dtype),
        "W2": 0.01 * rng.standard_normal((hidden, 10)).astype(dtype),
        "b2": np.zeros(10, dtype=dtype),
    }

    def run(iterations: int) -> list[float]:
        losses = []
        for _ in range(iterations):
            choice = np.random.choice(len(pixels), batch_size)  # noqa: NPY002 - the textbook's own call
            loss, grads = gradient(params, pixels[choice], rows[choice])
            for name in params:
                params[name] -= learning_rate * grads[name]
            losses.append(loss)
        return losses

    return run
