"""``limit``: the training step as a share of its bare matrix products."""

from __future__ import annotations

from bench.figures import bars
from bench.networks import get_networks
from bench.options import Figure, Json, Large, Markdown, NetworkNames, Options, Quick, Rounds, Threads
from bench.session import Session, label, record
from bench.statistics import Summary, ratios, summarize
from bench.tables import Table, percent_cell, time_cell
from bench.task import Spec

_PAIRS = {
    "xpnet-numpy": "products-numpy",
    "xpnet-torch": "products-torch",
    "xpnet-cupy": "products-cupy",
}
_FLOORS = ["launches-torch", "launches-cupy"]


def limit(
    network: NetworkNames = None,
    large: Large = False,
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure which share of the step's time its bare, preallocated matrix products take.

    On a GPU also as many products of single numbers: the floor that launching them one by one sets.
    """
    options = Options(quick, threads, rounds, json, markdown, figure)
    session = Session("limit", options)
    result = session.result
    networks = get_networks(network, large or bool(result.machine.gpu_libraries))
    contestants = session.contestants([*_PAIRS, *_PAIRS.values(), *_FLOORS])
    groups = [
        [
            Spec.of(net, peer, options.samples, device=device, threads=threads)
            for peer, device in contestants
            if device != "cpu" or large or not net.large
        ]
        for net in networks
    ]
    rows: list[tuple[str, ...]] = []
    drawn: dict[str, dict[str, Summary]] = {}
    for net, outcomes in zip(networks, session.measure(groups), strict=True):
        taken = {(o.spec.peer, o.spec.device): o for o in outcomes if record(result, o)}
        for (peer, device), outcome in taken.items():
            share = ""
            products = taken.get((_PAIRS.get(peer, ""), device))
            if products is not None:
                shares = ratios(products.seconds, outcome.seconds)
                told = label(outcome.spec)
                identity = f"{net.name}, {peer}, {device}"
                result.add(identity, "share of the limit", "1", shares, network=net.name, label=told)
                drawn.setdefault(net.name, {})[told] = summarize(shares)
                share = percent_cell(shares)
            rows.append((net.name, label(outcome.spec), time_cell(summarize(outcome.seconds)), share))
    result.notes.append(
        "The share is the time of the bare products over the time of the step: 100 % would be a step in which"
        " nothing but matrix products takes time."
    )
    head = ("network", "what", "time per iteration", "share of the limit")
    session.finish(
        [Table("Steps and their matrix products", head, rows)],
        lambda: bars(
            drawn, "the bare products' share of the step in per cent, more is better", 100, most=100
        ),
    )
