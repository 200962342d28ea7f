"""Layers on the tape: a `forward` whose calls are noted, and the way back through them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from xpnet.nn.context import Context
from xpnet.nn.tape.transforms import Pullback, pullback
from xpnet.trees import map_tree

Array = Any

_PARAMS, _X = 0, 1


class Noted(NamedTuple):
    """What `forward` leaves to `backward`, where the tape is asked for gradients.

    Attributes
    ----------
    found : Pullback
        Of outputs and new running state, with respect to the parameters and, if they are no integers, the
        inputs.
    """

    found: Pullback

    def gradients(self, dy: Array, need_dx: bool) -> tuple[Array | None, Any]:
        """Return the gradients of the inputs, or None where they are not asked for, and of the parameters."""
        state = map_tree(lambda _: None, self.found.results[1])  # nobody asks for its gradient
        asked = (_PARAMS, _X) if need_dx and len(self.found.args) == 2 else (_PARAMS,)
        params, *dx = self.found((dy, state), *asked)
        return (dx[0] if dx else None), params


def taped(forward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer's `forward` that, in training, returns `Noted` as its cache.

    Parameters
    ----------
    forward : callable
        ``(self, c, v, x) -> (y, cache, state)``; the cache is not looked at.
    """

    @wraps(forward)
    def noted(self: Any, c: Context, v: Any, x: Array) -> tuple[Array, Any, Any]:
        if not c.training:
            return forward(self, c, v, x)

        def outputs(xp: Any, params: Any, x: Array, state: Any, random: Array | None) -> tuple[Array, Any]:
            over = c._replace(xp=xp, samples=type(c.samples)(xp), random=random)
            y, _, new = forward(self, over, type(v)(params, state), x)
            return y, new

        floating = c.xp.isdtype(x.dtype, "real floating")
        args = (v.params, x, v.state, c.random)
        found = pullback(outputs, c.xp, args, (_PARAMS, _X) if floating else (_PARAMS,))
        y, state = found.values
        return y, Noted(found), state

    return noted
