"""The parent's side: contestants in their own processes, timed in interleaved rounds."""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.environment import environment
from bench.peers import missing
from bench.task import Spec
from xpnet.errors import XpnetError

_ROOT = Path(__file__).parents[1]
_POSIX = os.name == "posix"
_WARM_SHARE = 0.1
_OPERATIONS_COMPARED = 2e11
"""Loss curves are compared over a few seconds of computing at most."""


class LeftOutError(XpnetError):
    """A contestant cannot take part here; the message says why."""


class WorkerError(LeftOutError):
    """A contestant's process died; the message holds the end of what it said."""


class Contestant:
    """A contestant's process. It is stopped by a signal whenever it is not asked something.

    Parameters
    ----------
    spec : Spec
        What it is to do.

    Raises
    ------
    LeftOutError
        If its library or device is missing, or does not take the spec.
    """

    def __init__(self, spec: Spec) -> None:
        lacking = missing(spec.peer)
        if lacking:
            raise LeftOutError(lacking)
        self.spec = spec
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.worker", json.dumps(spec.to_json())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=_ROOT,
            env=environment(spec.threads, spec.device),
            start_new_session=_POSIX,  # it may have processes of its own: a signal goes to all of them
        )
        try:
            hello = self._answer()
            if "left_out" in hello:
                raise LeftOutError(hello["left_out"])
        except XpnetError:
            self.close()
            raise
        self.chunk, self.most_compared = int(hello["chunk"]), int(hello["most_compared"])
        self._pause()

    def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command, wait for its answer."""
        assert self._process.stdin is not None
        if _POSIX:
            os.killpg(self._process.pid, signal.SIGCONT)
        with suppress(BrokenPipeError):  # it died: its missing answer tells
            print(json.dumps(command), file=self._process.stdin, flush=True)
        answer = self._answer()
        self._pause()
        return answer

    def seconds(self, iterations: int, warm: int = 0) -> float:
        """Return how long so many iterations take, after some untimed ones."""
        return float(self.ask(run=iterations, warm=warm)["seconds"])

    def close(self) -> None:
        """End the process, and those that it has started."""
        if _POSIX:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.communicate()
        self._errors.close()

    def _pause(self) -> None:
        if _POSIX:
            os.killpg(self._process.pid, signal.SIGSTOP)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._errors.seek(0)
            said = self._errors.read().strip().splitlines()[-5:]
            raise WorkerError(f"{self.spec.peer} ended with {self._process.returncode}: " + " / ".join(said))
        answer = json.loads(line)
        assert isinstance(answer, dict)
        return answer


@dataclass
class Outcome:
    """What was measured of one contestant.

    Attributes
    ----------
    spec : Spec
    seconds : list of float
        Seconds per iteration, one a round.
    iterations : int
        Iterations of a round.
    losses : list of float
        Of the first `compared` iterations, or their means over stretches.
    resident, device : int
        Peak memory in bytes of the process and of the GPU; ``device`` is None on the CPU.
    left_out : str
        The reason where it took no part.
    """

    spec: Spec
    seconds: list[float] = field(default_factory=list)
    iterations: int = 0
    losses: list[float] = field(default_factory=list)
    compared: int = 0
    resident: int = 0
    device: int | None = None
    left_out: str = ""


def measure(
    specs: Sequence[Spec],
    rounds: int,
    seconds_a_round: float,
    advance: Callable[[str], None] = lambda text: None,
) -> list[Outcome]:
    """Measure contestants side by side; a round lasts about ``seconds_a_round`` for each.

    Parameters
    ----------
    specs : sequence of Spec
        The contestants.
    rounds : int
        In each, every contestant is timed once, in an order drawn anew.
    seconds_a_round : float
        How long a contestant is timed in a round.
    advance : callable
        Told after each step what comes next: `steps` of them in all.
    """
    outcomes = [Outcome(spec) for spec in specs]
    with _closing() as running:
        for i, outcome in enumerate(outcomes):
            advance(f"start {outcome.spec.peer}")
            with _leaving_out(outcome, running, i):
                running[i] = Contestant(outcome.spec)
                _prepare(running[i], outcome, seconds_a_round)
        shuffled = random.Random(0)
        for number in range(rounds):
            order = list(running)
            shuffled.shuffle(order)
            for i in order:
                advance(f"round {number + 1}: {outcomes[i].spec.peer}")
                with _leaving_out(outcomes[i], running, i):
                    _time_round(running[i], outcomes[i])
        for i, contestant in running.items():
            memory = contestant.ask(memory=True)
            outcomes[i].resident, outcomes[i].device = memory["resident"], memory["device"]
    return outcomes


def steps(specs: Sequence[Spec], rounds: int) -> int:
    """Return how often `measure` calls ``advance`` at most."""
    return len(specs) * (1 + rounds)


@contextmanager
def _closing() -> Iterator[dict[int, Contestant]]:
    running: dict[int, Contestant] = {}
    try:
        yield running
    finally:
        for contestant in running.values():
            contestant.close()


@contextmanager
def _leaving_out(outcome: Outcome, running: dict[int, Contestant], place: int) -> Iterator[None]:
    """Note why a contestant cannot take part, or go on; the others do."""
    try:
        yield
    except LeftOutError as error:
        outcome.left_out = str(error)
        if place in running:
            running.pop(place).close()


def _time_round(contestant: Contestant, outcome: Outcome) -> None:
    count = outcome.iterations
    warm = _whole_chunks(math.ceil(count * _WARM_SHARE), contestant.chunk)
    outcome.seconds.append(contestant.seconds(count, warm) / count)


def _prepare(contestant: Contestant, outcome: Outcome, seconds_a_round: float) -> None:
    """Fetch the loss curve while it warms up, then find how many iterations fill a round."""
    spec, chunk = contestant.spec, contestant.chunk
    operations = spec.network.operations
    wanted = max(1, min(contestant.most_compared, int(_OPERATIONS_COMPARED / operations)))
    outcome.compared = _whole_chunks(wanted, chunk)
    outcome.losses = contestant.ask(losses=outcome.compared)["losses"]
    count = chunk
    taken = contestant.seconds(count)
    while taken < 0.2 * seconds_a_round:
        count *= 4
        taken = contestant.seconds(count)
    outcome.iterations = _whole_chunks(round(count * seconds_a_round / taken), chunk)


def _whole_chunks(iterations: int, chunk: int) -> int:
    return max(1, math.ceil(iterations / chunk)) * chunk
