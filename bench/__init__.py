"""The benchmark: ``python -m bench --help``.

Every contestant runs in a process of its own, pinned to the same cores and threads, and only one of
them computes at a time. After a warm-up the rounds are interleaved (A B C, B C A, …), so that a
machine that grows hot or busy does so for all alike. Results are medians over rounds with their
quartiles, and carry the machine, the versions and the commit.
"""
