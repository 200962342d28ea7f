"""What a loss is: one value for each sample, its gradient, and what the outputs mean."""

from __future__ import annotations

from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.nn.tape.transforms import pullback

Array = Any
Shape = tuple[int, ...]

REDUCTIONS = ("mean", "sum")


class Loss:
    """The base class of losses: a frozen dataclass of settings, decorated with `xpnet.register`.

    Weights of samples, the mean over the batch and the penalty are not its concern: `Network` applies them.

    Attributes
    ----------
    metric : str
        What `score` is called.
    """

    metric: ClassVar[str] = "score"

    def check_outputs(self, outputs: Shape) -> None:
        """Raise `InvalidInputError` unless it is one for outputs of that shape, of one sample."""

    def check(self, xp: Any, t: Array, outputs: Shape, dtype: Any) -> Array:
        """Return targets in the form that the other functions take, or raise `InvalidInputError`.

        Parameters
        ----------
        xp : namespace
            The library's own.
        t : array
            What the user gave, of any dtype of numbers.
        outputs : tuple of int
            The shape of the network's outputs for these samples, the batch first.
        dtype : dtype
            Of the parameters; integers that are returned are taken for labels.
        """
        raise NotImplementedError

    def elements(self, outputs: Shape) -> int:
        """Return how many numbers a sample's value adds up, which the reduction ``"mean"`` divides by."""
        return 1

    def weights(self, xp: Any, t: Array, dtype: Any) -> Array | None:
        """Return how much each sample counts by its target, shape (batch,); None where all count alike.

        `Network` multiplies by it, beside the weights that users give to samples, and the mean is over it.
        """
        return None

    def values(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the loss of each sample, shape (batch,).

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        y : array, shape (batch, *outputs)
            What the network says.
        t : array
            What `check` returned.
        """
        raise NotImplementedError

    def gradient(self, xp: Any, y: Array, t: Array) -> Array:
        """Return the gradient of the sum of `values` with respect to ``y``: without one, the tape's."""
        return self._from_tape(xp, y, t)[1]

    def values_and_gradient(self, xp: Any, y: Array, t: Array) -> tuple[Array, Array]:
        """Return both, for losses that compute them together for less."""
        if type(self).gradient is Loss.gradient:
            return self._from_tape(xp, y, t)
        return self.values(xp, y, t), self.gradient(xp, y, t)

    def _from_tape(self, xp: Any, y: Array, t: Array) -> tuple[Array, Array]:
        """Return the values of one run over the tape, and their gradient."""
        found = pullback(self.values, xp, (y, t), (0,))
        return found.values, found(xp.ones_like(found.values), 0)[0]

    def score(self, xp: Any, y: Array, t: Array) -> float:
        """Return how right all samples are, the more the better; without one, the mean loss with a minus."""
        return -float(xp.mean(self.values(xp, y, t)))

    def predict(self, xp: Any, y: Array) -> Array:
        """Return what the outputs say: the outputs themselves unless the loss knows better."""
        return y

    def probabilities(self, xp: Any, y: Array) -> Array:
        """Return the probabilities of classes, or raise `InvalidInputError` where outputs are none."""
        raise InvalidInputError(
            f"outputs trained with {type(self).__name__} are no probabilities: take predict(x), or train with"
            " loss='softmax_cross_entropy'"
        )
