"""What is the same for all layers of a network while a step is computed."""

from __future__ import annotations

from typing import Any, NamedTuple

from xpnet.errors import InvalidInputError
from xpnet.nn.randombits import random_bits, random_choice

Array = Any


class OverSamples:
    """The only contractions over the batch, here of one worker alone.

    Parameters
    ----------
    xp : namespace
        The Array API functions to compute with.
    """

    def __init__(self, xp: Any) -> None:
        self.xp = xp

    def sum(self, x: Array, axis: int | tuple[int, ...] = 0) -> Array:
        """Return the sum over the samples, and over other axes where named besides 0."""
        return self.xp.sum(x, axis=axis)

    def matmul(self, a: Array, b: Array) -> Array:
        """Return ``aᵀ b``, shape (m, n), of ``a`` of shape (batch, m) and ``b`` of shape (batch, n)."""
        return self.xp.matmul(self.xp.matrix_transpose(a), b)

    def count(self, samples: int) -> int:
        """Return how many samples the whole batch has, where so many are here."""
        return samples


class Context(NamedTuple):
    """Made once for each trace of a step.

    Attributes
    ----------
    xp : namespace
        The Array API functions to compute with.
    dtype : dtype
        Of the parameters and of all computing.
    samples : OverSamples
        Sums and products over the batch.
    training : bool
        Whether gradients follow: caches are kept, and layers that behave otherwise in training do.
    bytes_products : bool
        Whether the namespace multiplies matrices of bytes with matrices of floats as they are.
    random : array of int32, shape (2,), or None
        What random bits are addressed by, besides path and place: of seed and iteration.
    path : str
        Of the layer at hand, within the network.
    """

    xp: Any
    dtype: Any
    samples: OverSamples
    training: bool = False
    bytes_products: bool = False
    random: Array | None = None
    path: str = ""

    def at(self, name: str) -> Context:
        """Return the context of a layer within this one."""
        path = f"{self.path}/{name}" if self.path else name
        return Context(
            self.xp, self.dtype, self.samples, self.training, self.bytes_products, self.random, path
        )

    def operand(self, x: Array) -> Array:
        """Return bytes in a form that matrices can be multiplied with; other arrays as they are."""
        return x if self.bytes_products else self.floating(x)

    def floating(self, x: Array) -> Array:
        """Return bytes in the dtype of all computing; other arrays as they are."""
        return self.xp.astype(x, self.dtype) if x.dtype == self.xp.uint8 else x

    def bits(self, shape: tuple[int, ...], name: str = "") -> Array:
        """Return 32 random bits for each element of a batch, int32.

        They are addressed by the seed, the layer's path, the iteration, and the element's place: the same
        on every library and device.

        Parameters
        ----------
        shape : tuple of int
            ``(batch, *sample)``.
        name : str, optional
            Of what they are for, where a layer draws more than once.

        Raises
        ------
        InvalidInputError
            Outside of training, where no random numbers are at hand.
        """
        key, path = self._address(name)
        return random_bits(self.xp, key, path, shape)

    def choice(self, shape: tuple[int, ...], chance: float, name: str = "") -> Array:
        """Return for each element of a batch whether it is chosen, bool: addressed like `bits`, for less.

        Parameters
        ----------
        shape : tuple of int
            ``(batch, *sample)``.
        chance : float
            From 0 to 1; what counts is the nearest of its multiples of ``2**-16``.
        name : str, optional
            Of what they are for, where a layer draws more than once.

        Raises
        ------
        InvalidInputError
            Outside of training, where no random numbers are at hand.
        """
        key, path = self._address(name)
        return random_choice(self.xp, key, path, shape, chance)

    def _address(self, name: str) -> tuple[Array, str]:
        if self.random is None:
            raise InvalidInputError(
                f"the layer {self.path or 'at hand'} draws random bits without saying so: set random = True"
                " in its class, and draw only where c.training is true"
            )
        return self.random, f"{self.path}/{name}" if name else self.path


def context(xp: Any, dtype: Any = None, **settings: Any) -> Context:
    """Return a context of one worker over a namespace, in float32 unless another dtype is given.

    Examples
    --------
    >>> import numpy as np
    >>> context(np, training=True).training
    True
    """
    return Context(xp, xp.float32 if dtype is None else dtype, OverSamples(xp), **settings)
