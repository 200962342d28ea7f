"""Everything that describes a model but its arrays and where they lie."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import Any

from xpnet.arithmetic import ARITHMETICS
from xpnet.errors import InvalidInputError
from xpnet.nn.losses.table import get_loss
from xpnet.nn.network import Network
from xpnet.nn.pixels import PIXEL_SCALE
from xpnet.random import check_seed
from xpnet.trees import leaves
from xpnet.validation import check_dtype, check_name, settle

SCALES = ("auto", "none", "pixels")
_MOST_NUMBERS = 2**36  # 256 GB in float32


@dataclass(frozen=True)
class Blueprint:
    """A model on paper; with its arrays it is what a model file holds.

    Parameters
    ----------
    network : Network
        The mathematics.
    seed : int, default 0
        Of the initial weights.
    dtype : {"float32", "float64"}, default "float32"
        Of the parameters and of all computing.
    arithmetic : {"standard", "exact"}, default "standard"
        The library's own, or the one that gives the same bits everywhere.
    scale : {"auto", "pixels", "none"}, default "auto"
        What becomes of inputs of dtype uint8: pixels are scaled to 0..1. ``"auto"`` is settled by the
        first training: pixels where some are above 127.

    Raises
    ------
    InvalidInputError
        If a setting is unknown, or no memory holds the parameters.
    """

    network: Network
    seed: int = 0
    dtype: str = "float32"
    arithmetic: str = "standard"
    scale: str = "auto"

    def __post_init__(self) -> None:
        settle(self, seed=check_seed(self.seed), dtype=check_dtype(self.dtype))
        check_name("arithmetic", self.arithmetic, ARITHMETICS)
        check_name("scale", self.scale, SCALES)
        count = self.parameters
        if count > _MOST_NUMBERS:
            raise InvalidInputError(f"the network has {count:.1e} parameters, more than any memory holds")

    @property
    def parameters(self) -> int:
        """How many numbers are trained."""
        return sum(math.prod(item.shape) for item in leaves(self.network.variables.params))

    @property
    def pixel_scale(self) -> float:
        """What inputs of dtype uint8 are multiplied by."""
        return 1.0 if self.scale == "none" else PIXEL_SCALE

    def changed(self, **changes: Any) -> Blueprint:
        """Return a blueprint with other settings, those of the network among them.

        Raises
        ------
        InvalidInputError
            If there is no setting of that name.
        """
        own = {item.name for item in fields(self)} - {"network"}
        of_network = {"l2", "loss", "reduction"}
        if unknown := changes.keys() - own - of_network:
            known = ", ".join(sorted(own | of_network))
            raise InvalidInputError(
                f"a network has no setting {', '.join(sorted(unknown))}; there are {known}"
            )
        if "loss" in changes:
            changes["loss"] = get_loss(changes["loss"])
        network = replace(self.network, **{name: changes[name] for name in changes if name in of_network})
        return replace(self, network=network, **{name: changes[name] for name in changes if name in own})
