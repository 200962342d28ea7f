"""``exact``: what the same bits everywhere cost."""

from __future__ import annotations

from bench.figures import bars
from bench.networks import CLASSIC, get_networks
from bench.options import Figure, Json, Large, Markdown, NetworkNames, Options, Quick, Rounds, Threads
from bench.session import Session, identity, label, record
from bench.statistics import Summary, ratios, summarize
from bench.tables import Table, ratio_cell, size_cell, time_cell
from bench.task import Spec

_VARIANTS = [(a, d) for a in ("standard", "exact") for d in ("float64", "float32")]


def exact(
    network: NetworkNames = None,
    backend: str = "numpy",
    large: Large = False,
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure time and memory of exact arithmetic against the standard float64 step.

    Without --network: the classic 784-50-10 at batch 100.
    """
    options = Options(quick, threads, rounds, json, markdown, figure)
    session = Session("exact", options, backend=backend)
    result = session.result
    networks = get_networks(network or [CLASSIC.name], large)
    contestants = session.contestants([f"xpnet-{backend}"])
    groups = [
        [
            Spec.of(net, peer, options.samples, device=device, threads=threads, arithmetic=a, dtype=d)
            for peer, device in contestants
            for a, d in _VARIANTS
        ]
        for net in networks
    ]
    rows: list[tuple[str, ...]] = []
    drawn: dict[str, dict[str, Summary]] = {}
    for net, outcomes in zip(networks, session.measure(groups), strict=True):
        taken = [outcome for outcome in outcomes if record(result, outcome)]
        for outcome in taken:
            base = next(o for o in taken if o.spec.device == outcome.spec.device)  # standard float64
            times = ratios(outcome.seconds, base.seconds)
            result.add(f"{identity(outcome)} / standard float64", "ratio of times", "1", times)
            peak = outcome.resident if outcome.device is None else outcome.device
            result.add(identity(outcome), "peak memory", "B", [peak])
            name = f"{outcome.spec.arithmetic} {outcome.spec.dtype}"
            drawn.setdefault(net.name, {})[name] = each = summarize(outcome.seconds)
            rows.append(
                (net.name, label(outcome.spec), name, time_cell(each), ratio_cell(times), size_cell(peak))
            )
    head = ("network", "backend", "arithmetic", "time per iteration", "times standard float64", "peak memory")
    session.finish(
        [Table("The cost of exact arithmetic", head, rows)],
        lambda: bars(drawn, "microseconds per iteration, less is better", 1e6),
    )
