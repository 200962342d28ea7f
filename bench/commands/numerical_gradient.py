"""``numerical-gradient``: many weights at once, against one at a time."""

from __future__ import annotations

from bench.checks import SAME_BATCHES, Check, largest_difference
from bench.figures import bars
from bench.networks import Network
from bench.options import Figure, Json, Markdown, Options, Quick, Rounds, Threads
from bench.session import Session, identity, label, record
from bench.statistics import ratios, summarize
from bench.tables import Table, ratio_cell, time_cell
from bench.task import Spec

_FULL, _QUICK = Network((784, 50, 100, 10), 10), Network((784, 2, 10), 10)
_SLOW, _FAST = "gradient-one-at-a-time", "gradient-many-at-once"


def numerical_gradient(
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure the numerical gradient of 784-50-100-10 on 10 samples, float64, two ways."""
    options = Options(quick, threads, rounds or (3 if quick else 5), json, markdown, figure)
    session = Session("numerical-gradient", options)
    result = session.result
    net = _QUICK if quick else _FULL
    specs = [Spec.of(net, peer, 1_000, dtype="float64", threads=threads) for peer in (_SLOW, _FAST)]
    slow, fast = session.measure([specs])[0]
    rows = []
    for outcome in (slow, fast):
        record(result, outcome)
        times = ratios(slow.seconds, outcome.seconds)
        result.add(f"{_SLOW} / {identity(outcome)}", "ratio of times", "1", times)
        rows.append((label(outcome.spec), time_cell(summarize(outcome.seconds)), ratio_cell(times)))
    difference = largest_difference(fast.losses, slow.losses)
    result.checks.append(Check(identity(fast), "same", 1, difference, SAME_BATCHES))
    result.notes.append("Compared instead of losses: the Euclidean norm of each parameter's gradient.")
    title = f"The numerical gradient of {net.name}, {net.batch} samples"
    drawn = {title: {label(o.spec): summarize(o.seconds) for o in (slow, fast)}}
    session.finish(
        [Table(title, ("how", "time per gradient", "times as fast"), rows)],
        lambda: bars(drawn, "seconds per gradient, less is better"),
    )
