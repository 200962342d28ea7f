"""What all optimisers share.

An optimiser's class holds its settings. What it remembers of past gradients is the *state*, one array
of the parameter's shape for each of its ``slots``. What depends on the iteration's number alone
(learning rate, bias corrections) is computed on the host, as ``coefficients``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from xpnet.errors import InvalidInputError
from xpnet.optim.clipping import clip_by_norm
from xpnet.optim.schedules import SCHEDULES, Constant, Schedule
from xpnet.trees import Tree, like, map_tree
from xpnet.validation import check_number, settle

Array = Any
Slots = dict[str, Array]
Coefficients = Mapping[str, Any]

SMALLEST = 1e-30
"""Nothing is divided by less: a float32 still holds it."""


@dataclass(frozen=True)
class Optimizer:
    """What all optimisers share.

    Parameters
    ----------
    learning_rate : float
        The step size.
    schedule : Schedule, default Constant()
        How the learning rate changes with the iterations.
    clip_norm : float, optional
        Gradients of a larger Euclidean norm, over all parameters together, are scaled down to it.
    """

    slots: ClassVar[tuple[str, ...]] = ()

    learning_rate: float
    schedule: Schedule = field(default_factory=Constant, kw_only=True)
    clip_norm: float | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        settle(self, learning_rate=check_number("learning_rate", self.learning_rate, 0.0))
        if self.clip_norm is not None:
            settle(self, clip_norm=check_number("clip_norm", self.clip_norm, SMALLEST))
        if not callable(getattr(self.schedule, "factor", None)):
            kinds = ", ".join(kind.__name__ for kind in SCHEDULES.values())
            raise InvalidInputError(
                f"schedule must be a schedule of xpnet.optim, {kinds}; not {self.schedule!r}"
            )

    def init(self, xp: Any, params: Tree) -> dict[str, Tree]:
        """Return the state before the first iteration: zeros for each slot of each parameter."""
        return {slot: map_tree(xp.zeros_like, params) for slot in self.slots}

    def coefficients(self, iteration: int) -> dict[str, float]:
        """Return the host's scalars of an iteration, counted from 0."""
        factor = check_number("the factor of the schedule", self.schedule.factor(iteration), 0.0)
        return {"rate": self.learning_rate * factor}

    def coefficients_of(self, start: int, count: int) -> dict[str, list[float]]:
        """Return the scalars of ``count`` iterations from ``start`` on, a list for each name."""
        rows = [self.coefficients(i) for i in range(start, start + count)]
        return {name: [row[name] for row in rows] for name in rows[0]}

    def update(
        self,
        xp: Any,
        params: Tree,
        gradients: Tree,
        state: Mapping[str, Tree],
        coefficients: Coefficients,
        decayed: Tree | None = None,
    ) -> tuple[Tree, dict[str, Tree]]:
        """Return the parameters and the state after one iteration; the arguments stay as they are.

        Parameters
        ----------
        xp : namespace
            The Array API functions to compute with.
        params, gradients : trees of arrays
            Of equal structure and shapes.
        state : mapping
            What `init` or the last `update` returned.
        coefficients : mapping of arrays, shape (), or float
            What `coefficients` returns for this iteration.
        decayed : tree of bool, optional
            Which parameters a decay of weights touches; those of two axes or more where omitted.

        Returns
        -------
        params, state : trees

        Examples
        --------
        >>> import numpy as np
        >>> from xpnet.optim import SGD
        >>> sgd, params = SGD(0.5), {"W1": np.ones(2)}
        >>> params, _ = sgd.update(np, params, {"W1": np.ones(2)}, {}, sgd.coefficients(0))
        >>> params["W1"]
        array([0.5, 0.5])
        """
        if self.clip_norm is not None:
            gradients = clip_by_norm(xp, gradients, self.clip_norm)
        updated: list[tuple[Array, Slots]] = []

        def apply(parameter: Array, gradient: Array, *remembered: Array) -> None:
            slots = dict(zip(self.slots, remembered, strict=True))
            updated.append(self.apply(xp, parameter, gradient, slots, coefficients))

        map_tree(apply, params, gradients, *(state[slot] for slot in self.slots))
        after = {slot: like(params, [slots[slot] for _, slots in updated]) for slot in self.slots}
        return like(params, [parameter for parameter, _ in updated]), after

    def apply(self, xp: Any, p: Array, g: Array, slots: Slots, c: Coefficients) -> tuple[Array, Slots]:
        """Return one parameter and its slots after one iteration."""
        raise NotImplementedError
