"""The textbook in plain NumPy and float64, one formula a line: what the mathematics is tested against."""

import numpy as np

ACTIVATIONS = {
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), lambda y: y * (1 - y)),
    "relu": (lambda x: np.maximum(x, 0.0), lambda y: (y > 0) * 1.0),
    "tanh": (np.tanh, lambda y: 1 - y**2),
    "identity": (lambda x: x, np.ones_like),
}
"""Each function, and its derivative in terms of the function's value."""


def numbers(*shape, seed=0):
    """Draw normal numbers."""
    return np.random.default_rng(seed).normal(size=shape)


def parameters(sizes, seed=0):
    """Draw the parameters of a perceptron; no bias is zero."""
    params = {}
    for i in range(1, len(sizes)):
        params[f"W{i}"] = numbers(sizes[i - 1], sizes[i], seed=seed + i)
        params[f"b{i}"] = numbers(sizes[i], seed=seed + 100 + i)
    return params


def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def one_hot(t, classes):
    return t if t.ndim == 2 else np.eye(classes)[t]


def loss_and_derivative(z, t, loss, reduction):
    """Return the loss of the outputs, and its derivative with respect to them."""
    rows = one_hot(t, z.shape[1])
    if loss == "softmax_cross_entropy":
        value, dz, count = -np.sum(rows * np.log(softmax(z))), softmax(z) - rows, z.shape[0]
    else:
        value, dz, count = np.sum((z - rows) ** 2), 2 * (z - rows), z.size
    return (value / count, dz / count) if reduction == "mean" else (value, dz)


def loss_and_gradients(params, x, t, activation, loss="softmax_cross_entropy", reduction="mean", l2=0.0):
    """Return the loss of a perceptron and the gradient of each parameter."""
    function, derivative = ACTIVATIONS[activation]
    depth = len(params) // 2
    inputs = [x]
    for i in range(1, depth):
        inputs.append(function(inputs[-1] @ params[f"W{i}"] + params[f"b{i}"]))
    value, dy = loss_and_derivative(
        inputs[-1] @ params[f"W{depth}"] + params[f"b{depth}"], t, loss, reduction
    )
    gradients = {}
    for i in range(depth, 0, -1):
        W = params[f"W{i}"]
        value += 0.5 * l2 * np.sum(W**2)
        gradients[f"W{i}"] = inputs[i - 1].T @ dy + l2 * W
        gradients[f"b{i}"] = dy.sum(axis=0)
        dy = (dy @ W.T) * derivative(inputs[i - 1]) if i > 1 else None
    return value, gradients
