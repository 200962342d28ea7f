"""What a training run was asked for, as plain data."""

from __future__ import annotations

from dataclasses import dataclass

from xpnet.random import check_seed
from xpnet.training.batches import SAMPLINGS
from xpnet.validation import check_count, check_flag, check_name, settle


@dataclass(frozen=True)
class Settings:
    """The settings of a run that, with network, optimiser and data, decide its every bit.

    Parameters
    ----------
    iterations : int, default 0
        Updates in all.
    batch_size : int, default 100
        Samples of a mini-batch.
    sampling : str
        A name in `SAMPLINGS`.
    drop_last : bool
        Whether ``"shuffle"`` leaves out an epoch's short last batch.
    eval_every : int
        Iterations between evaluations; 0 for none.
    seed : int
        Of the mini-batches.
    gradient_norm : bool
        Whether evaluations measure the norm of each parameter's gradient.

    Raises
    ------
    InvalidInputError
        If a setting is unknown or out of range.
    """

    iterations: int = 0
    batch_size: int = 100
    sampling: str = "with_replacement"
    drop_last: bool = False
    eval_every: int = 0
    seed: int = 0
    gradient_norm: bool = False

    def __post_init__(self) -> None:
        check_name("sampling", self.sampling, SAMPLINGS)
        settle(
            self,
            iterations=check_count("iterations", self.iterations, low=0),
            batch_size=check_count("batch_size", self.batch_size),
            eval_every=check_count("eval_every", self.eval_every, low=0),
            seed=check_seed(self.seed),
            drop_last=check_flag("drop_last", self.drop_last),
            gradient_norm=check_flag("gradient_norm", self.gradient_norm),
        )
