"""``peers``: xpnet beside the others, in one run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from bench.checks import compare_losses
from bench.contestants import Outcome
from bench.figures import bars
from bench.networks import CLASSIC, Network, get_networks
from bench.options import Figure, Json, Large, Markdown, NetworkNames, Options, Quick, Rounds, Threads
from bench.peers import PEERS, get_entry
from bench.session import Session, identity, label, labels, record
from bench.statistics import Summary, ratios, summarize
from bench.tables import Table, ratio_cell, size_cell, time_cell
from bench.task import Spec

_REFERENCE = "xpnet-numpy"
_ELSEWHERE = ("products-torch", "products-cupy", "launches", "gradient", "tape", "autograd")
_ALL = [name for name in PEERS if not name.startswith(_ELSEWHERE)]


def peers(
    network: NetworkNames = None,
    contestant: Annotated[
        list[str] | None,
        typer.Option(help="May be repeated; xpnet-numpy is always there.", show_default="all"),
    ] = None,
    large: Large = False,
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure xpnet beside everyone else: same network, weights, mini-batches, cores; plain SGD, float32.

    Without --network: the classic 784-50-10 at batch 100.
    """
    options = Options(quick, threads, rounds, json, markdown, figure)
    names = list(dict.fromkeys([_REFERENCE, *(contestant or _ALL)]))
    for name in names:
        get_entry(name)
    networks = get_networks(network or [CLASSIC.name], large)
    session = Session("peers", options, contestants=names)
    contestants = session.contestants(names)
    groups = [_specs(net, contestants, options, large) for net in networks]
    tables, drawn = [], {}
    for net, outcomes in zip(networks, session.measure(groups), strict=True):
        title = f"{net.name}, batch {net.batch}"
        rows, drawn[title] = _compare(session, outcomes)
        head = ("contestant", "time per iteration", "times xpnet on NumPy", "peak memory", "losses")
        tables.append(Table(title, head, rows))
    session.result.notes.append(
        "Ratios are taken round by round; intervals are those between the quartiles over the rounds."
    )
    session.finish(tables, lambda: bars(drawn, "microseconds per iteration, less is better", 1e6))


def _specs(net: Network, contestants: Sequence[tuple[str, str]], options: Options, large: bool) -> list[Spec]:
    specs = [
        Spec.of(net, peer, options.samples, device=device, threads=options.threads)
        for peer, device in contestants
        if device != "cpu" or peer == _REFERENCE or large or not net.large
    ]
    if any(spec.peer == "textbook" for spec in specs):  # as it is written, besides
        specs.append(Spec.of(net, "textbook", options.samples, dtype="float64", threads=options.threads))
    return specs


def _compare(session: Session, outcomes: Sequence[Outcome]) -> tuple[list[list[str]], dict[str, Summary]]:
    """Record the outcomes of one network; return the rows of its table and its bars."""
    result = session.result
    taken = [outcome for outcome in outcomes if record(result, outcome)]
    reference = next(outcome for outcome in taken if outcome.spec.peer == _REFERENCE)
    rows, drawn = [], {}
    for outcome in sorted(taken, key=lambda outcome: summarize(outcome.seconds).median):
        times = ratios(outcome.seconds, reference.seconds)
        result.add(f"{identity(outcome)} / {_REFERENCE}", "ratio of times", "1", times)
        verdict = "nothing trained"
        if outcome.losses:
            check = compare_losses(identity(outcome), outcome, reference)
            result.checks.append(check)
            verdict = "agrees" if check.agrees else "DIFFERS"
        drawn[label(outcome.spec)] = each = summarize(outcome.seconds)
        peak = outcome.resident if outcome.device is None else outcome.device
        result.add(identity(outcome), "peak memory", "B", [float(peak)], **labels(outcome))
        rows.append([label(outcome.spec), time_cell(each), ratio_cell(times), size_cell(peak), verdict])
    return rows, drawn
