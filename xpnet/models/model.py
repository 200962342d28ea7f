"""A model: a network with its variables, on a backend, and all that it can be asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import numpy as np

from xpnet.backends import Array, Backend
from xpnet.backends.room import check_fits
from xpnet.errors import InvalidInputError
from xpnet.models import inputs as given
from xpnet.models.blueprint import Blueprint
from xpnet.models.placed import PlacedNetwork
from xpnet.models.prediction import outputs_of, rows_at_once
from xpnet.nn.context import Context, OverSamples
from xpnet.nn.initializers import initial_tree
from xpnet.nn.layer import Layer, Shape, Tree, Variables
from xpnet.nn.losses.loss import Loss
from xpnet.nn.losses.table import get_loss
from xpnet.nn.network import Network
from xpnet.nn.numerical import numerical_gradient
from xpnet.nn.sequential import Sequential
from xpnet.programs.step import Data
from xpnet.random import random_words


class Model(PlacedNetwork):
    """A network of any layers, with its variables, on any array library.

    Parameters
    ----------
    layers : sequence of Layer, or Layer
        From the inputs to the outputs.
    inputs : tuple of int
        The shape of one sample: ``(784,)`` or ``(1, 28, 28)``.
    loss : str or Loss, default "softmax_cross_entropy"
        What is minimised, and with it the task: ``"softmax_cross_entropy"`` tells classes apart,
        ``"binary_cross_entropy"`` two classes or any labels; ``"mean_squared_error"``,
        ``"mean_absolute_error"``, ``"huber"`` and ``"quantile"`` predict values, ``"poisson"`` counts.
    reduction : {"mean", "sum"}, default "mean"
        How the loss of a batch comes from its samples.
    l2 : float, default 0.0
        Adds ``0.5 * l2 * sum(W**2)`` over the weights, never the biases, to the loss.
    seed : int, default 0
        Of the initial weights, which are the same bits on every library.
    dtype : {"float32", "float64"}, default "float32"
        Of the parameters and of all computing.
    backend : str or Backend, default "auto"
        See `get_backend`.
    device : str, optional
        The library's name of the device, ``"cuda:1"``.
    arithmetic : {"standard", "exact"}, default "standard"
        The library's own, or the one that gives the same bits on every library and device.
    scale : {"auto", "pixels", "none"}, default "auto"
        Whether inputs of dtype uint8 are pixels, to be scaled to 0..1. ``"auto"``: the first training data
        tell, by reaching above 127; until then they are.

    Attributes
    ----------
    params : dict of arrays
        What is trained: ``W1``, ``b1``, ``W2`` …, of the backend.
    state : dict of arrays
        What layers carry from iteration to iteration: running means.
    backend : Backend
        The library and device.
    blueprint : Blueprint
        All that describes the model but its arrays.
    xp : namespace
        The functions it computes with.

    Raises
    ------
    InvalidInputError
        If an argument is unknown or out of range, or layers do not fit each other.
    BackendError
        If the library or the device cannot be used, or lacks the dtype.

    Notes
    -----
    Inputs may be arrays of any library; results are arrays of the model's own.

    Examples
    --------
    >>> from xpnet import Dense, ReLU
    >>> net = Model([Dense(3), ReLU(), Dense(2)], inputs=(4,), backend="numpy")
    >>> net.predict([[0.0, 0.0, 0.0, 0.0]])
    array([0])
    """

    def __init__(
        self,
        layers: Sequence[Layer] | Layer,
        inputs: Shape,
        loss: str | Loss = "softmax_cross_entropy",
        reduction: str = "mean",
        l2: float = 0.0,
        seed: int = 0,
        dtype: str = "float32",
        backend: str | Backend = "auto",
        device: str | None = None,
        arithmetic: str = "standard",
        scale: str = "auto",
    ) -> None:
        whole = callable(getattr(layers, "forward", None)) and not isinstance(layers, type)
        layer: Any = layers if whole else Sequential(layers)  # type: ignore[arg-type]
        network = Network(layer, inputs, get_loss(loss), reduction, l2)
        self._begin(Blueprint(network, seed, dtype, arithmetic, scale), backend, device)

    @classmethod
    def drawn(cls, blueprint: Blueprint, backend: str | Backend = "auto", device: str | None = None) -> Self:
        """Return a model with new variables, as its blueprint says they begin."""
        model = cls.__new__(cls)
        model._begin(blueprint, backend, device)
        return model

    def _begin(self, blueprint: Blueprint, backend: str | Backend, device: str | None) -> None:
        self._settle_on(blueprint, backend, device)
        check_fits(
            blueprint.parameters * np.dtype(blueprint.dtype).itemsize,
            self.backend,
            f"{blueprint.parameters:,} parameters",
            "make the network smaller, or choose another device",
        )
        declared, seed = blueprint.network.variables, blueprint.seed
        self._take(Variables(initial_tree(declared.params, seed), initial_tree(declared.state, seed)))

    def prepare(self, x: Any, t: Any, sample_weight: Any = None) -> Data:
        """Return checked samples, targets and weights on the device, as the network takes them.

        Parameters
        ----------
        x : array, shape (batch, *inputs)
            The samples, of any library and any dtype of numbers; images of as many numbers are reshaped.
        t : array
            Labels ``(batch,)``, or rows of probabilities or values ``(batch, outputs)``.
        sample_weight : array, shape (batch,), optional
            How much each sample counts.

        Returns
        -------
        dict of arrays
            ``x``, uint8 or the network's dtype, int32 where it takes ids; ``t``, int32 labels or values;
            ``weight`` where given.

        Raises
        ------
        InvalidInputError
            If shapes do not fit, a target is out of range, or the data holds NaN.
        """
        x = self.prepare_inputs(x)
        outputs = (x.shape[0], *self.network.outputs)
        with self.backend.scope():
            data = {"x": x}
            data["t"] = given.prepare_targets(self.backend, t, self.network.loss, outputs, self.dtype)
            if sample_weight is not None:
                data["weight"] = given.prepare_weight(self.backend, sample_weight, x.shape[0], self.dtype)
        return data

    def prepare_inputs(self, x: Any) -> Array:
        """Return checked samples alone, as `prepare` does; inputs far from 0..1 are told of once."""
        ids = self.network.layer.ids
        with self.backend.scope():
            if ids is not None:
                return given.prepare_ids(self.backend, x, self.network.inputs, ids)
            x = given.prepare_inputs(self.backend, x, self.network.inputs, self.dtype)
            if x.dtype != self.backend.xp.uint8:
                largest = given.largest_magnitude(self.backend.xp, x)
                if largest > given.FAR and not self._told_of_scale:
                    self._told_of_scale = True
                    given.warn_of_scale(largest)
        return x

    def settle_scale(self, x: Array) -> None:
        """Let training data tell whether bytes are pixels, where the scale is ``"auto"``."""
        if self.blueprint.scale == "auto" and x.dtype == self.backend.xp.uint8:
            with self.backend.scope():
                scale = "pixels" if given.are_pixels(self.backend.xp, x) else "none"
            self.blueprint = self.blueprint.changed(scale=scale)

    def network_for(self, x: Array) -> Network:
        """Return the network that takes samples as they are stored: bytes, or numbers."""
        if x.dtype != self.backend.xp.uint8:
            return self.network
        scale = self.blueprint.pixel_scale
        if scale not in self._on_pixels:  # kept, for whoever calls the step operation by operation
            self._on_pixels[scale] = self.network.on_pixels(scale)
        return self._on_pixels[scale]

    def context(self, xp: Any, training: bool, random: Array | None = None) -> Context:
        """Return what layers compute with, over a namespace."""
        bytes_products = self.arithmetic.integer_products
        return Context(xp, self.backend.dtype(self.dtype), OverSamples(xp), training, bytes_products, random)

    def _outputs(self, x: Array) -> Array:
        """Return the outputs for samples as `prepare_inputs` returned them."""
        key = "outputs", self.blueprint.scale
        rows = rows_at_once(self.backend, self.network.layer, self.network.inputs)
        with self.backend.scope():
            return outputs_of(self.programs, key, self._build_outputs, self.variables, x, rows)

    def _build_outputs(self, library: Any) -> Callable[[Variables, Array], Array]:
        c = self.context(self.arithmetic.namespace(library), training=False)
        return lambda variables, x: self.network_for(x).forward(c, variables, x)

    def logits(self, x: Any) -> Array:
        """Return the outputs of the last layer, ``(batch, *outputs)``."""
        return self._outputs(self.prepare_inputs(x))

    def predict_proba(self, x: Any) -> Array:
        """Return the probabilities of the classes, ``(batch, classes)``, as the loss takes the outputs.

        With ``"softmax_cross_entropy"`` that is the softmax of the logits; with ``"binary_cross_entropy"``
        one output is of two classes, and several are of as many labels, each on its own.

        Raises
        ------
        InvalidInputError
            Where the loss is not one of classes.
        """
        logits = self.logits(x)
        with self.backend.scope():
            return self.network.loss.probabilities(self.xp, logits)

    def predict(self, x: Any) -> Array:
        """Return what the loss takes the outputs to say.

        Of classes the most probable, ``(batch,)``; of several labels 0 or 1 for each, ``(batch, labels)``; of
        values those, ``(batch, outputs)``.
        """
        logits = self.logits(x)
        with self.backend.scope():
            return self.network.loss.predict(self.xp, logits)

    def loss(self, x: Any, t: Any, sample_weight: Any = None) -> float:
        """Return the loss of the samples, with the penalty on the weights."""
        data = self.prepare(x, t, sample_weight)
        y = self._outputs(data["x"])
        with self.backend.scope():
            c = self.context(self.xp, training=False)
            return float(self.network.loss_of_outputs(c, self.variables, y, data))

    def gradient(self, x: Any, t: Any, sample_weight: Any = None) -> Tree:
        """Return the gradient of the loss by backward propagation, as in training, shaped like ``params``."""
        return self.gradient_of_prepared(self.prepare(x, t, sample_weight))

    def gradient_of_prepared(self, data: Data) -> Tree:
        """Return the gradient on what `prepare` returned."""
        with self.backend.scope():
            c = self.context(self.xp, training=True, random=self._first_random())
            return self.network_for(data["x"]).loss_and_gradients(c, self.variables, data)[1]

    def numerical_gradient(self, x: Any, t: Any, h: float = 1e-4) -> Tree:
        """Return the gradient of the loss by central differences of step ``h``, shaped like ``params``.

        Meaningful in float64: in float32 the loss has too few digits for a difference of 1e-4.
        """
        data = dict(self.prepare(x, t))
        with self.backend.scope():
            c = self.context(self.xp, training=True, random=self._first_random())
            if data["x"].dtype == self.xp.uint8:
                data["x"] = c.floating(data["x"]) * self.blueprint.pixel_scale
            return numerical_gradient(c, self.network, self.variables, data, h)

    def _first_random(self) -> Array | None:
        if not self.network.layer.random:
            return None
        return self.backend.from_numpy(random_words(self.blueprint.seed, np.zeros(1, np.int32))[0])

    def score(self, x: Any, t: Any) -> float:
        """Return how right the samples are, the more the better: the accuracy, or R² of a regression."""
        return self.score_of_prepared(self.prepare(x, t))

    def score_of_prepared(self, data: Data) -> float:
        """Return the score on what `prepare` returned."""
        y = self._outputs(data["x"])
        with self.backend.scope():
            return self.network.loss.score(self.backend.xp, y, data["t"])

    def accuracy(self, x: Any, t: Any) -> float:
        """Return the share of samples that are predicted right, 0 to 1; of several labels, right in each.

        Raises
        ------
        InvalidInputError
            If the network does not classify.
        """
        loss = self.network.loss
        if loss.metric != "accuracy":
            raise InvalidInputError(
                f"a network with the loss {type(loss).__name__} predicts values and has no accuracy: take"
                f" score(x, t), its {loss.metric}"
            )
        return self.score(x, t)
