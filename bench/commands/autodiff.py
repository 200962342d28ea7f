"""``autodiff``: gradients from the tape beside those written by hand, and beside others' automatic ones."""

from __future__ import annotations

from bench.checks import compare_losses
from bench.figures import bars
from bench.networks import CLASSIC, get_networks
from bench.options import Figure, Json, Large, Markdown, NetworkNames, Options, Quick, Rounds, Threads
from bench.session import Session, identity, label, record
from bench.statistics import Summary, ratios, summarize
from bench.tables import Table, ratio_cell, time_cell
from bench.task import Spec

_BY_HAND = "xpnet-numpy"
_CONTESTANTS = (_BY_HAND, "tape-replayed", "tape-eager", "autograd", "torch-eager", "jax-jit")


def autodiff(
    network: NetworkNames = None,
    large: Large = False,
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure a training step whose gradients come from the tape against one with hand-written ones.

    Without --network: the classic 784-50-10 at batch 100. Plain SGD, float32.
    """
    options = Options(quick, threads, rounds, json, markdown, figure)
    session = Session("autodiff", options)
    result = session.result
    networks = get_networks(network or [CLASSIC.name], large)
    groups = [
        [Spec.of(net, peer, options.samples, threads=threads) for peer in _CONTESTANTS] for net in networks
    ]
    rows: list[tuple[str, ...]] = []
    drawn: dict[str, dict[str, Summary]] = {}
    for net, outcomes in zip(networks, session.measure(groups), strict=True):
        taken = [outcome for outcome in outcomes if record(result, outcome)]
        by_hand = next(outcome for outcome in taken if outcome.spec.peer == _BY_HAND)
        for outcome in taken:
            times = ratios(outcome.seconds, by_hand.seconds)
            result.add(f"{identity(outcome)} / {_BY_HAND}", "ratio of times", "1", times)
            result.checks.append(compare_losses(identity(outcome), outcome, by_hand))
            drawn.setdefault(net.name, {})[label(outcome.spec)] = each = summarize(outcome.seconds)
            rows.append((net.name, label(outcome.spec), time_cell(each), ratio_cell(times)))
    head = ("network", "gradients", "time per iteration", "times xpnet's by hand")
    session.finish(
        [Table("Automatic gradients", head, rows)],
        lambda: bars(drawn, "microseconds per iteration, less is better", 1e6),
    )
