"""``scaling``: time and memory against batch, width, depth and data-set size."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from bench.contestants import Outcome
from bench.figures import curves
from bench.networks import Network
from bench.options import Backends, Json, Markdown, Options, Quick, Rounds, Threads
from bench.session import Session, identity, label, on_backends
from bench.statistics import Summary, summarize
from bench.tables import Table, size_cell, time_cell
from bench.task import Spec
from xpnet.errors import unknown_name

_WIDTH, _DEPTH, _BATCH, _SAMPLES = 256, 2, 100, 60_000
_AXES = {
    "batch": (1, 4, 16, 64, 256, 1024, 4096),
    "width": (16, 64, 256, 1024, 4096),
    "depth": (1, 2, 4, 8, 16),
    "samples": (1_000, 4_000, 16_000, 64_000, 256_000),
}


@dataclass(frozen=True)
class _Point:
    axis: str
    value: int
    outcomes: list[Outcome]


def scaling(
    axis: Annotated[list[str] | None, typer.Option(help="May be repeated.", show_default="all")] = None,
    backend: Backends = None,
    quick: Quick = False,
    threads: Threads = 1,
    rounds: Rounds = None,
    json: Json = None,
    markdown: Markdown = None,
    figure: Annotated[
        Path | None, typer.Option(metavar="FILE", help="One figure an axis: its name is added.")
    ] = None,
) -> None:
    """Measure time and peak memory from 784-256-256-10 at batch 100 on; each point in fresh processes."""
    options = Options(quick, threads, rounds or (2 if quick else 5), json, markdown, figure)
    axes = axis or list(_AXES)
    for name in axes:
        if name not in _AXES:
            raise unknown_name("axis", name, _AXES)
    session = Session("scaling", options, axes=axes, backends=backend)
    contestants = session.contestants(on_backends(backend))
    places = [(name, value) for name in axes for value in _AXES[name][: 2 if quick else None]]
    groups = [
        [_spec(name, value, peer, device, options) for peer, device in contestants] for name, value in places
    ]
    points = [
        _Point(name, value, outcomes)
        for (name, value), outcomes in zip(places, session.measure(groups), strict=True)
    ]
    tables = []
    for name in axes:
        chosen = [point for point in points if point.axis == name]
        tables.append(_table(session, name, chosen))
        session.result.notes.append(_overtaking(name, chosen, session))
    session.finish(tables)
    if figure:
        for name in axes:
            _draw(name, [point for point in points if point.axis == name], figure)


def _spec(axis: str, value: int, peer: str, device: str, options: Options) -> Spec:
    at = {"batch": _BATCH, "width": _WIDTH, "depth": _DEPTH, "samples": _SAMPLES, axis: value}
    net = Network((784, *[at["width"]] * at["depth"], 10), at["batch"], "synthetic", learning_rate=0.01)
    samples = max(at["batch"], at["samples"] if axis == "samples" else options.samples)
    return Spec.of(net, peer, samples, device=device, threads=options.threads)


def _peak(outcome: Outcome) -> int:
    return outcome.resident if outcome.device is None else outcome.device


def _table(session: Session, axis: str, points: list[_Point]) -> Table:
    rows = []
    for point in points:
        for outcome in point.outcomes:
            name = f"{axis}: {identity(outcome)}"
            if outcome.left_out:
                session.result.leave_out(name, outcome.left_out)
                continue
            told = {"axis": axis, "value": point.value, "label": label(outcome.spec)}
            session.result.add(name, "time per iteration", "s", outcome.seconds, **told)
            session.result.add(name, "peak memory", "B", [_peak(outcome)], **told)
            each = time_cell(summarize(outcome.seconds))
            rows.append((str(point.value), label(outcome.spec), each, size_cell(_peak(outcome))))
    return Table(f"Against {axis}", (axis, "backend", "time per iteration", "peak memory"), rows)


def _overtaking(axis: str, points: list[_Point], session: Session) -> str:
    """Say where the GPU overtakes the CPU."""
    if not session.result.machine.gpu_libraries:
        return f"{axis}: no GPU answered, so the CPU is alone."
    for point in points:
        best = {
            device: min(
                (
                    summarize(o.seconds).median
                    for o in point.outcomes
                    if o.seconds and o.spec.device == device
                ),
                default=float("inf"),
            )
            for device in ("cpu", "cuda")
        }
        if best["cuda"] < best["cpu"]:
            return f"{axis}: the GPU overtakes {session.options.threads} CPU thread(s) at {point.value}."
    return (
        f"{axis}: the GPU does not overtake {session.options.threads} CPU thread(s) up to {points[-1].value}."
    )


def _draw(axis: str, points: list[_Point], figure: Path) -> None:
    from xpnet.plots.style import house_style, save_figure

    times: dict[str, list[tuple[float, Summary]]] = {}
    peaks: dict[str, list[tuple[float, Summary]]] = {}
    for point in points:
        for outcome in point.outcomes:
            if outcome.seconds:
                name = label(outcome.spec)
                micro = [value * 1e6 for value in outcome.seconds]
                times.setdefault(name, []).append((point.value, summarize(micro)))
                peaks.setdefault(name, []).append((point.value, summarize([_peak(outcome) / 1e6])))
    with house_style():
        panels = {"Microseconds per iteration": times, "Peak memory, MB": peaks}
        save_figure(curves(panels, axis), figure.with_stem(f"{figure.stem}-{axis}"))
