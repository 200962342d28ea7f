"""What a user writes outside the package: layers, a loss, optimisers, a schedule and an array library."""

from dataclasses import dataclass, field

import xpnet
from xpnet.backends import register_backend
from xpnet.validation import check_number


@xpnet.register
@dataclass(frozen=True)
class Centred(xpnet.Layer):
    """Subtracts the mean of each feature, the running one outside of training; multiplies by a gain."""

    momentum: float = 0.9

    def variables(self, inputs):
        gain = xpnet.Parameter(inputs, "ones", decayed=True)
        return xpnet.Variables({"gain": gain}, {"mean": xpnet.Parameter(inputs)})

    def forward(self, c, v, x):
        mean, state = v.state["mean"], {"mean": v.state["mean"]}
        if c.training:
            mean = c.samples.sum(x) * (1.0 / c.samples.count(x.shape[0]))
            state = {"mean": self.momentum * v.state["mean"] + (1.0 - self.momentum) * mean}
        centred = x - mean
        return centred * v.params["gain"], centred, state

    def backward(self, c, v, dy, cache, need_dx):
        gradients = {"gain": c.samples.sum(dy * cache)}
        if not need_dx:
            return None, gradients
        dx = dy * v.params["gain"]
        return dx - c.samples.sum(dx) * (1.0 / c.samples.count(dx.shape[0])), gradients


@xpnet.register
@dataclass(frozen=True)
class Noisy(xpnet.Layer):
    """Adds noise while training: multiples of 2**-31 between -amount and amount."""

    amount: float = 0.01
    random = True

    def forward(self, c, v, x):
        if not c.training:
            return x, None, {}
        noise = c.xp.astype(c.bits(tuple(x.shape)), x.dtype) * 2.0**-31
        return x + noise * self.amount, None, {}

    def backward(self, c, v, dy, cache, need_dx):
        return dy, {}


@xpnet.register
@dataclass(frozen=True)
class Flat(xpnet.Layer):
    """Images as vectors."""

    def output_shape(self, inputs):
        size = 1
        for length in inputs:
            size *= length
        return (size,)

    def forward(self, c, v, x):
        return c.xp.reshape(x, (x.shape[0], *self.output_shape(tuple(x.shape[1:])))), tuple(x.shape), {}

    def backward(self, c, v, dy, cache, need_dx):
        return (c.xp.reshape(dy, cache) if need_dx else None), {}


@xpnet.register
@dataclass(frozen=True)
class Smooth(xpnet.Loss):
    """Pseudo-Huber: ``sqrt(1 + d**2) - 1``, added over the outputs."""

    def check(self, xp, t, outputs, dtype):
        return xp.reshape(xp.astype(t, dtype), outputs)

    def values(self, xp, y, t):
        d = y - t
        return xp.sum(xp.sqrt(d * d + 1.0) - 1.0, axis=-1)

    def gradient(self, xp, y, t):
        d = y - t
        return xp.divide(d, xp.sqrt(d * d + 1.0))


@xpnet.register
@dataclass(frozen=True)
class Counting(xpnet.Optimizer):
    """SGD that counts its steps, in integers that come first in its memory."""

    slots = ("velocity",)
    shrink: float = 0.1

    def init(self, xp, params):
        some = next(iter(params.values()))
        count = xp.zeros((1,), dtype=xp.int32, device=getattr(some, "device", None))
        return {"count": {"steps": count}, **super().init(xp, params)}

    def update(self, xp, params, gradients, state, coefficients, decayed=None):
        count = {"steps": state["count"]["steps"] + 1}
        params, slots = super().update(xp, params, gradients, state, coefficients, decayed)
        return params, {"count": count, **slots}

    def apply(self, xp, p, g, slots, c):
        velocity = 0.5 * slots["velocity"] + g
        # A product of scalars: rounded in the network's dtype, on every library alike.
        return p * (1.0 - c["rate"] * self.shrink) - c["rate"] * velocity, {"velocity": velocity}


@xpnet.register
@dataclass(frozen=True)
class Triangle:
    """A schedule: down and up again."""

    period: int = 10

    def factor(self, iteration):
        place = iteration % self.period
        return abs(2 * place - self.period) / self.period


@xpnet.register
@dataclass(frozen=True)
class Bounded(xpnet.Optimizer):
    """An optimiser with an optimiser's settings checked, to be refused."""

    bound: float = field(default=1.0)

    def __post_init__(self):
        super().__post_init__()
        check_number("bound", self.bound, 0.0, 1.0)

    def apply(self, xp, p, g, slots, c):
        return xp.minimum(xp.maximum(p - c["rate"] * g, -self.bound), self.bound), slots


def register_another_strict():
    """Make array-api-strict known under another name, as an array library of its own."""
    from xpnet.backends.array_api_strict import ArrayApiStrictBackend

    class Another(ArrayApiStrictBackend):
        name = "another"

    return register_backend(Another)
