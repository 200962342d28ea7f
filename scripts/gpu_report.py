"""Assemble the report of ``scripts/gpu_box.sh``: ``python scripts/gpu_report.py FOLDER``.

Reads what the steps left in the folder (``steps.tsv``, logs, JSON, Markdown, figures) and writes
``report.md`` beside it. Needs the standard library alone: it tells of what failed, whatever failed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
BENCHMARKS = ("throughput", "peers", "scaling", "scaling-all-cores")
LINES_OF_A_FAILURE = 15
NOT_MEASURED = "Not measured: see the steps above.\n"


class Step(NamedTuple):
    """One line of ``steps.tsv``."""

    name: str
    status: int
    seconds: int
    command: str


def main(arguments: Sequence[str]) -> int:
    """Write the report; return the exit status."""
    if len(arguments) != 1 or not Path(arguments[0], "steps.tsv").is_file():
        print("usage: python scripts/gpu_report.py FOLDER, the folder that gpu_box.sh wrote", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    steps = read_steps(folder)
    parts = [heading(folder), status(steps, folder), failures(steps, folder), machine(folder), parity(folder)]
    parts += [cpu_against_gpu(folder), *(benchmark(folder, name) for name in BENCHMARKS)]
    path = folder / "report.md"
    path.write_text("\n".join(part for part in parts if part), encoding="utf-8")
    print(f"report: {path}")
    return 0


def read_steps(folder: Path) -> list[Step]:
    lines = (folder / "steps.tsv").read_text(encoding="utf-8").splitlines()
    fields = [line.split("\t", 3) for line in lines]
    return [Step(name, int(code), int(seconds), command) for name, code, seconds, command in fields]


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file, also among lines of a log; an empty one where there is none."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text[text.index("{") : text.rindex("}") + 1])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def heading(folder: Path) -> str:
    driver = nvidia_smi()
    told = driver.get("name") or "no GPU: the pipeline alone was tried"
    quick = any(read_json(folder / f"{name}.json").get("quick") for name in BENCHMARKS)
    warning = "\n**A quick trial: the times mean nothing.**\n" if quick else ""
    return f"# xpnet on {told}\n{warning}"


def status(steps: Iterable[Step], folder: Path) -> str:
    rows = [
        (
            step.name,
            "passed" if step.status == 0 else f"**FAILED** ({step.status})",
            f"{step.seconds} s",
            f"`{portable(step.command, folder)}`",
        )
        for step in steps
    ]
    return section("Steps", table(("step", "result", "time", "command"), rows))


def failures(steps: Iterable[Step], folder: Path) -> str:
    """Quote the end of each failed step's log."""
    told = []
    for step in steps:
        log = folder / "logs" / f"{step.name}.log"
        if step.status != 0 and log.is_file():
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
            end = portable("\n".join(lines[-LINES_OF_A_FAILURE:]), folder)
            told.append(f"The end of `logs/{step.name}.log`:\n\n```text\n{end}\n```\n")
    return section("What failed", "\n".join(told)) if told else ""


def machine(folder: Path) -> str:
    results = [read_json(folder / f"{name}.json") for name in BENCHMARKS]
    described: dict[str, Any] = next((found["machine"] for found in results if found), {})
    info, driver = read_json(folder / "logs" / "info.log"), nvidia_smi()
    libraries = [f"{name} {version}" for name, version in described.get("libraries", {}).items()]
    backends = [
        (name, found.get("version"), found.get("device"), found.get("blas"), switch(found.get("tf32")))
        for name, found in info.get("backends", {}).items()
        if found.get("available")
    ]
    rows = [
        ("GPU", driver.get("name", "none")),
        ("GPU memory", driver.get("memory.total", "")),
        ("driver, CUDA", ", ".join(filter(None, (driver.get("driver_version"), driver.get("cuda"))))),
        ("CPU", f"{described['cpu']}, {described['cores']} cores" if described else "unknown"),
        ("system", f"{info.get('platform', 'unknown')}, Python {info.get('python', 'unknown')}"),
        ("libraries", ", ".join(libraries)),
        ("xpnet", f"{info.get('xpnet', 'unknown')}, commit {described.get('commit', 'unknown')}"),
        ("date", described.get("date", "")),
    ]
    told = table(("", ""), [row for row in rows if row[1]])
    told += "\n" + table(("backend", "version", "device", "matrix products by", "TF32"), backends)
    return section("Machine", told)


def parity(folder: Path) -> str:
    """Tell what `xpnet parity` found, and whether exact arithmetic ended on one SHA-256."""
    found = read_json(folder / "parity.json")
    if not found:
        return section("The same bits?", NOT_MEASURED)
    courses = found["courses"]
    rows = [
        (
            f"{course['backend']} {course['version']}",
            course["device"],
            course["arithmetic"],
            f"{course['iterations_per_second']:,.0f}",
            f"{course['relative_difference']:.1e}",
            f"`{course['fingerprint'][:16]}`",
            course["verdict"] if course["passed"] else f"**{course['verdict']}**",
        )
        for course in courses
    ]
    head = (
        "backend",
        "device",
        "arithmetic",
        "iterations/s",
        "relative difference",
        "SHA-256 begins",
        "verdict",
    )
    exact = {
        course["fingerprint"]: course["backend"] for course in courses if course["arithmetic"] == "exact"
    }
    names = ", ".join(course["backend"] for course in courses if course["arithmetic"] == "exact")
    same = f"one SHA-256: `{next(iter(exact))}`" if len(exact) == 1 else f"{len(exact)} different SHA-256"
    told = f"{found['title']}. In exact arithmetic {names} end on {same}.\n\n{table(head, rows)}"
    return section("The same bits?", told + figure(folder, "parity.png", "Difference of the weights"))


def cpu_against_gpu(folder: Path) -> str:
    """Set the times of xpnet on NumPy and on CuPy side by side."""
    found = read_json(folder / "throughput.json")
    medians: dict[tuple[str, ...], dict[str, float]] = {}
    for measured in found.get("measurements", []):
        labels = measured["labels"]
        key = tuple(str(labels[name]) for name in ("network", "batch", "dtype", "arithmetic"))
        medians.setdefault(key, {})[labels["peer"]] = measured["median"] * 1e6
    rows = [
        (*key, f"{times['xpnet-numpy']:,.0f}", f"{times['xpnet-cupy']:,.0f}", faster(times))
        for key, times in medians.items()
        if {"xpnet-numpy", "xpnet-cupy"} <= times.keys()
    ]
    if not rows:
        return section("CPU against GPU", "Not yet measured on a GPU.\n")
    head = ("network", "batch", "dtype", "arithmetic", "CPU, µs an iteration", "GPU", "the faster one")
    threads = found["machine"]["threads"]
    told = f"xpnet on NumPy with {threads} thread(s), and on CuPy; medians.\n\n{table(head, rows)}"
    crossings = [
        f"- {name}: {note}"
        for name in BENCHMARKS
        for note in read_json(folder / f"{name}.json").get("notes", [])
        if "overtake" in note
    ]
    return section("CPU against GPU", told + "\n" + "\n".join(crossings) + "\n")


def faster(times: dict[str, float]) -> str:
    ratio = times["xpnet-numpy"] / times["xpnet-cupy"]
    return f"GPU, {ratio:.1f} times" if ratio > 1 else f"CPU, {1 / ratio:.1f} times"


def benchmark(folder: Path, name: str) -> str:
    """Return a benchmark's own Markdown, less the machine that is described above, with its figures."""
    path = folder / f"{name}.md"
    if not path.is_file():
        return "" if name == "scaling-all-cores" else section(name, NOT_MEASURED)
    title, *chunks = path.read_text(encoding="utf-8").split("\n### ")
    kept = [title.partition("\n")[2].strip()]
    for chunk in chunks:
        if chunk.startswith("Measured on"):  # the notes that follow its table stay
            kept += [line for line in chunk.splitlines()[1:] if line and not line.startswith("|")]
        else:
            kept.append(f"### {chunk.strip()}")
    drawn = "".join(figure(folder, file, name) for file in figures(folder, name))
    return section(name, "\n\n".join(filter(None, kept)) + f"\n{drawn}")


def figures(folder: Path, name: str) -> list[str]:
    """Return the names of a benchmark's figures; scaling has one for each axis."""
    longer = tuple(other for other in BENCHMARKS if other.startswith(name) and other != name)
    found = sorted(path.name for path in folder.glob(f"{name}*.png"))
    return [file for file in found if not (longer and file.startswith(longer))]


def nvidia_smi() -> dict[str, str]:
    """Ask the driver; an empty answer where there is none."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") == "":
        return {}
    fields = ("name", "memory.total", "driver_version")
    query = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, check=True).stdout
        banner = subprocess.run(["nvidia-smi"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return {}
    found = dict(zip(fields, answer.splitlines()[0].split(", "), strict=False))
    version = banner.partition("CUDA")[2].partition("Version:")[2].split()
    return {**found, "cuda": f"CUDA {version[0]}" if version else ""}


def portable(text: str, folder: Path) -> str:
    """Return a command or a log without the folders of this machine."""
    for path, name in ((folder, "OUT"), (ROOT, "."), (Path(sys.prefix), "PYTHON"), (Path.home(), "~")):
        text = text.replace(str(path.absolute()), name)
    return text


def switch(tf32: bool | None) -> str:
    return {None: "", True: "on", False: "off"}[tf32]


def figure(folder: Path, name: str, title: str) -> str:
    return f"\n![{title}]({name})\n" if (folder / name).is_file() else ""


def section(title: str, text: str) -> str:
    return f"## {title}\n\n{text}"


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *([str(cell or "") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
