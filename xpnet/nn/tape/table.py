"""The table of vector-Jacobian products: what the tape knows of each function of the standard.

A rule is called ``rule(xp, y, *args, **kwargs)``: the namespace, the result, and what the function was called
with. It returns the function from the gradient with respect to the result to the gradient of one argument:
what that does not mention is let go. It is written with functions that the exact namespace has wherever it
has the function itself.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from xpnet.nn.tape import elementwise, indexing, products, reductions, shaping


class Kind(Enum):
    """How the rules of a function are called.

    Attributes
    ----------
    ELEMENTWISE
        One rule for each argument; a gradient that is the same along an axis may have the length 1 there.
    STRUCTURAL
        One rule for each argument; the gradient has the shape of the result.
    JOINT
        One rule, which returns the gradients of all arrays as a list.
    """

    ELEMENTWISE = auto()
    STRUCTURAL = auto()
    JOINT = auto()


VJPS: dict[str, tuple[Kind, Any]] = {
    **{name: (Kind.ELEMENTWISE, rules) for name, rules in elementwise.RULES.items()},
    **{
        name: (Kind.STRUCTURAL, rules)
        for table in (reductions, shaping, indexing, products)
        for name, rules in table.RULES.items()
    },
}
"""By name, how rules are called, and one for each argument that has a gradient."""
OF_SEQUENCES = shaping.OF_SEQUENCES
"""Functions of any number of arrays: one rule for them all."""
COMPOSED = shaping.COMPOSED
"""Functions that the tape computes by others, which have gradients."""
CONSTANT = frozenset(
    {"ceil", "empty_like", "floor", "floor_divide", "full_like", "ones_like", "round", "sign", "trunc"}
    | {"zeros_like"}
)
"""Functions whose derivative is zero wherever it exists."""
KEYWORDS = {"clip": ("min", "max")}
"""Arrays that may come by name, in their order after the first."""
