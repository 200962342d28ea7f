"""Perceptrons as pure functions, for tests of the mathematics without a model around it."""

from xpnet.models.mlp import perceptron
from xpnet.nn.context import context
from xpnet.nn.layer import Variables
from xpnet.nn.losses.table import get_loss
from xpnet.nn.network import Network


class Perceptron:
    """A perceptron over one library's functions, in float64."""

    def __init__(self, xp, sizes, activation, loss="softmax_cross_entropy", reduction="mean", l2=0.0):
        self.network = Network(perceptron(sizes, activation), (sizes[0],), get_loss(loss), reduction, l2)
        self.xp, self.context = xp, context(xp, xp.float64, training=True)

    def data(self, x, t):
        outputs = (x.shape[0], *self.network.outputs)
        return {"x": x, "t": self.network.loss.check(self.xp, t, outputs, self.context.dtype)}

    def loss(self, params, x, t):
        return self.network.loss_of(self.context, Variables(params, {}), self.data(x, t))

    def loss_and_gradients(self, params, x, t):
        found = self.network.loss_and_gradients(self.context, Variables(params, {}), self.data(x, t))
        return found[:2]
