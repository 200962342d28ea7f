"""Mini-batches: which samples each iteration takes, drawn on the host and the same on every library."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from xpnet.errors import InvalidInputError
from xpnet.random import Stream
from xpnet.validation import check_name

SAMPLINGS = ("fixed", "full", "shuffle", "with_replacement")

_MOST_SAMPLES = 2**31 - 1

_INDICES_AT_ONCE = 2**17
"""Indices drawn in one stretch of the stream with replacement."""


class Sampler(ABC):
    """Which samples each iteration takes.

    Parameters
    ----------
    samples : int
        In the data set.
    batch_size : int
        In a mini-batch.
    seed : int
        Of the draws.

    Attributes
    ----------
    iterations_per_epoch : int
        Iterations until as many samples were taken as there are.
    """

    def __init__(self, samples: int, batch_size: int, seed: int) -> None:
        self.samples, self.batch_size, self.seed = samples, batch_size, seed
        self.iterations_per_epoch = max(1, samples // batch_size)

    def subset(self) -> np.ndarray | None:
        """Return the rows of the data that are used at all, int32; None for all of them."""
        return None

    @abstractmethod
    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray | None]]:
        """Draw the iterations ``start <= i < stop``.

        Yields
        ------
        iterations : int
            How many of them the block covers, in order.
        indices : array, shape (iterations, batch), int32, or None
            The rows that each takes; None for all of the data, or of the `subset`.
        """


class WithReplacement(Sampler):
    """Each sample of each mini-batch drawn from all, whatever was drawn before."""

    def __init__(self, samples: int, batch_size: int, seed: int) -> None:
        super().__init__(samples, batch_size, seed)
        self._length = max(1, _INDICES_AT_ONCE // batch_size)
        self._stretch = (-1, np.empty(0, dtype=np.int32))

    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray | None]]:
        """Draw the iterations by stretches of the stream, each addressed by its number.

        They make one block, whatever the stretches: compilers work anew for each length of a block.
        """
        pieces = []
        at = start
        while at < stop:
            number, first = divmod(at, self._length)
            pieces.append(self._draw(number)[first : first + stop - at])
            at += len(pieces[-1])
        if pieces:
            yield stop - start, np.concatenate(pieces)

    def _draw(self, number: int) -> np.ndarray:
        if self._stretch[0] != number:
            stream = Stream(self.seed, "batches", number)
            rows = stream.integers(self.samples, (self._length, self.batch_size)).astype(np.int32)
            self._stretch = number, rows
        return self._stretch[1]


class Shuffle(Sampler):
    """Each sample once an epoch, in an order drawn anew; the last batch of an epoch may be short."""

    def __init__(self, samples: int, batch_size: int, seed: int, drop_last: bool = False) -> None:
        super().__init__(samples, batch_size, seed)
        self._full = samples // batch_size
        has_short = samples % batch_size > 0 and not drop_last
        self.iterations_per_epoch = self._full + has_short
        self._order = (-1, np.empty(0, dtype=np.int32))

    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray | None]]:
        """Draw the iterations epoch by epoch; a short batch is a block of its own."""
        while start < stop:
            epoch, first = divmod(start, self.iterations_per_epoch)
            order = self._draw(epoch)
            if first == self._full:
                rows = order[None, self._full * self.batch_size :]
            else:
                last = min(self._full, first + stop - start)
                rows = order[first * self.batch_size : last * self.batch_size].reshape(-1, self.batch_size)
            yield len(rows), rows
            start += len(rows)

    def _draw(self, epoch: int) -> np.ndarray:
        if self._order[0] != epoch:
            self._order = (
                epoch,
                Stream(self.seed, "shuffle", epoch).permutation(self.samples).astype(np.int32),
            )
        return self._order[1]


class Full(Sampler):
    """All samples in every iteration."""

    def __init__(self, samples: int, batch_size: int, seed: int) -> None:
        super().__init__(samples, samples, seed)

    def blocks(self, start: int, stop: int) -> Iterator[tuple[int, np.ndarray | None]]:
        """Yield one block without indices."""
        yield stop - start, None


class Fixed(Full):
    """One mini-batch, drawn once, in every iteration: to learn it by heart."""

    def __init__(self, samples: int, batch_size: int, seed: int) -> None:
        super().__init__(samples, batch_size, seed)
        self.batch_size = batch_size

    def subset(self) -> np.ndarray | None:
        """Return the rows of that mini-batch, int32."""
        return Stream(self.seed, "fixed").permutation(self.samples)[: self.batch_size].astype(np.int32)


def make_sampler(sampling: str, samples: int, batch_size: int, seed: int, drop_last: bool = False) -> Sampler:
    """Return the sampler of that name.

    Parameters
    ----------
    sampling : {"with_replacement", "shuffle", "full", "fixed"}
        How mini-batches are drawn.
    samples, batch_size, seed : int
        As for `Sampler`.
    drop_last : bool, default False
        Whether ``"shuffle"`` leaves out an epoch's last batch where it is short.

    Returns
    -------
    Sampler

    Raises
    ------
    InvalidInputError
        If the name is unknown or the batch is larger than the set.

    Examples
    --------
    >>> count, rows = next(make_sampler("shuffle", 4, 2, seed=0).blocks(0, 2))
    >>> sorted(rows.ravel().tolist())
    [0, 1, 2, 3]
    """
    check_name("sampling", sampling, SAMPLINGS)
    if samples > _MOST_SAMPLES:
        raise InvalidInputError(
            f"there are {samples} samples, more than the {_MOST_SAMPLES} whose numbers are drawn in 32 bits:"
            " train on a part of them"
        )
    if sampling != "full" and batch_size > samples:
        raise InvalidInputError(
            f"batch_size is {batch_size}, but there are only {samples} samples:"
            f" give a batch_size of at most {samples}, or sampling='full'"
        )
    if sampling == "shuffle":
        return Shuffle(samples, batch_size, seed, drop_last)
    kinds: dict[str, type[WithReplacement | Full | Fixed]] = {
        "with_replacement": WithReplacement,
        "full": Full,
        "fixed": Fixed,
    }
    return kinds[sampling](samples, batch_size, seed)
