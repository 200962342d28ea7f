"""``throughput``: a whole training step of xpnet, on every backend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import typer

from bench.contestants import Outcome
from bench.figures import bars
from bench.networks import Network, get_networks
from bench.options import (
    Backends,
    Figure,
    Json,
    Large,
    Markdown,
    NetworkNames,
    Options,
    Quick,
    Rounds,
    Threads,
)
from bench.session import Session, label, on_backends, record
from bench.statistics import Summary, summarize
from bench.tables import Table, time_cell
from bench.task import Spec

Names = Annotated[list[str] | None, typer.Option(help="May be repeated.")]


def throughput(
    network: NetworkNames = None,
    backend: Backends = None,
    batch: Annotated[list[int] | None, typer.Option(min=1, help="Instead of the network's own.")] = None,
    dtype: Names = None,
    arithmetic: Names = None,
    large: Large = False,
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Figure = None,
) -> None:
    """Measure xpnet's whole step: gather, forward, backward, update.

    Without --dtype float32 and float64, without --arithmetic both (exact on --quick left out).
    """
    options = Options(quick, threads, rounds, json, markdown, figure)
    dtypes = dtype or ["float32", "float64"]
    arithmetics = arithmetic or (["standard"] if quick else ["standard", "exact"])
    session = Session("throughput", options, dtypes=dtypes, arithmetics=arithmetics, batches=batch)
    on_gpu = bool(session.result.machine.gpu_libraries)
    networks = _with_batches(get_networks(network, large or on_gpu), batch)
    contestants = session.contestants(on_backends(backend))
    groups = [
        [
            Spec.of(net, peer, options.samples, dtype=d, arithmetic=a, device=device, threads=threads)
            for peer, device in contestants
            for d in dtypes
            for a in arithmetics
            if device != "cpu" or large or not net.large
        ]
        for net in networks
    ]
    outcomes = [outcome for group in session.measure(groups) for outcome in group]
    taken = [outcome for outcome in outcomes if record(session.result, outcome)]
    head = ("network", "batch", "backend", "time per iteration", "iterations/s", "samples/s")
    session.finish(
        [Table("Training steps", head, [_row(outcome) for outcome in taken])],
        lambda: _draw(taken),
    )


def _row(outcome: Outcome) -> tuple[str, ...]:
    spec, each = outcome.spec, summarize(outcome.seconds)
    return (
        "-".join(map(str, spec.sizes)),
        str(spec.batch),
        label(spec),
        time_cell(each),
        f"{1 / each.median:,.0f}",
        f"{spec.batch / each.median:,.0f}",
    )


def _draw(taken: Sequence[Outcome]) -> Any:
    panels: dict[str, dict[str, Summary]] = {}
    for outcome in taken:
        spec = outcome.spec
        title = f"{'-'.join(map(str, spec.sizes))}, batch {spec.batch}"
        panels.setdefault(title, {})[label(spec)] = summarize(outcome.seconds)
    return bars(panels, "microseconds per iteration, less is better", 1e6)


def _with_batches(networks: list[Network], batches: list[int] | None) -> list[Network]:
    """Return the networks at the batch sizes asked for; moons are always taken whole."""
    if not batches:
        return networks
    return [
        replace(net, batch=batch)
        for net in networks
        for batch in (batches if net.data != "moons" else [net.batch])
    ]
