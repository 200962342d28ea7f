"""The tape: reverse-mode gradients of any function written with a namespace's functions.

`grad` and its kin are in `transforms`; `recording` runs a function over a namespace that notes its calls,
and walks them backwards; the other modules are the table of vector-Jacobian products, by topic.
"""
