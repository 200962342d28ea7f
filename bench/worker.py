"""A contestant's process: ``python -m bench.worker SPEC``, a loop of commands on the standard streams.

Each line in is a command as JSON, each line out its answer:

``{"run": n, "warm": m}``
    Train m iterations untimed, wait for the device, train n iterations and wait again:
    ``{"seconds": …}``.
``{"losses": n}``
    Train n iterations: ``{"losses": [...]}``.
``{"accuracy": true}``
    ``{"accuracy": …}`` on the test set.
``{"memory": true}``
    ``{"resident": bytes, "device": bytes or null}``, both peaks.

The first line out says ``{"chunk": …, "most_compared": …}``, or ``{"left_out": reason}``. What libraries
print goes to the standard error stream.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any, TextIO

from bench.environment import pin


def main(arguments: list[str]) -> None:
    """Set the contestant up and answer commands until the parent closes the stream."""
    answers = _private_standard_output()
    plain = json.loads(arguments[0])
    pin(plain["threads"])

    from bench.peers import create
    from bench.task import Spec, Task
    from xpnet import XpnetError

    try:
        peer = create(Task(Spec.from_json(plain)))
    except XpnetError as error:
        return _answer(answers, {"left_out": str(error)})
    except ImportError as error:
        return _answer(answers, {"left_out": f"{error.name or 'a library'} cannot be loaded: {error}"})
    _answer(answers, {"chunk": peer.chunk, "most_compared": peer.most_compared})
    for line in sys.stdin:
        _answer(answers, _obey(peer, json.loads(line)))
    return None


def _obey(peer: Any, command: dict[str, Any]) -> dict[str, Any]:
    if "run" in command:
        return {"seconds": timed(peer, command["run"], command["warm"])}
    if "losses" in command:
        peer.train(command["losses"])
        return {"losses": peer.losses()}
    if "accuracy" in command:
        return {"accuracy": peer.accuracy()}
    return {"resident": peak_resident(), "device": peer.device_peak()}


def timed(peer: Any, iterations: int, warm: int) -> float:
    """Return the seconds of so many iterations, the device idle before and after."""
    if warm:
        peer.train(warm)
    peer.synchronize()
    start = time.perf_counter()
    peer.train(iterations)
    peer.synchronize()
    return time.perf_counter() - start


def peak_resident() -> int:
    """Return this process's peak resident memory in bytes.

    Linux keeps it in ``/proc``; ``ru_maxrss`` would count the parent's pages from before the start.
    """
    if sys.platform == "linux":
        with open("/proc/self/status") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _private_standard_output() -> TextIO:
    """Keep the pipe to the parent for answers alone."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def _answer(answers: TextIO, answer: dict[str, Any]) -> None:
    print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
