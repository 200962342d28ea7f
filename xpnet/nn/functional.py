"""The functions that networks are made of, each on its own, as the textbook writes them.

Every ``*_forward`` returns its value and a cache, every ``*_backward`` takes the gradient of that
value and the cache. The first argument ``xp`` is the namespace that computes.
"""

from xpnet.nn.activations import (
    identity_backward,
    identity_forward,
    relu_backward,
    relu_forward,
    sigmoid_backward,
    sigmoid_forward,
    step_backward,
    step_forward,
    tanh_backward,
    tanh_forward,
)
from xpnet.nn.affine import affine_backward, affine_forward
from xpnet.nn.losses import (
    mean_squared_error_backward,
    mean_squared_error_forward,
    one_hot,
    softmax,
    softmax_cross_entropy_backward,
    softmax_cross_entropy_forward,
)

__all__ = [
    "affine_backward",
    "affine_forward",
    "identity_backward",
    "identity_forward",
    "mean_squared_error_backward",
    "mean_squared_error_forward",
    "one_hot",
    "relu_backward",
    "relu_forward",
    "sigmoid_backward",
    "sigmoid_forward",
    "softmax",
    "softmax_cross_entropy_backward",
    "softmax_cross_entropy_forward",
    "step_backward",
    "step_forward",
    "tanh_backward",
    "tanh_forward",
]
