"""Peak memory of a command: ``python -S bench/peak.py COMMAND …`` runs it and prints a line of JSON.

A process inherits its parent's pages for a moment, and the system counts them as its own peak. Hence
this small parent, which loads nothing: a few megabytes are the least that it can tell.
"""

import json
import resource
import subprocess
import sys
import time

if __name__ == "__main__":
    start = time.perf_counter()
    ended = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL)
    taken = time.perf_counter() - start
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
    print(json.dumps({"status": ended.returncode, "peak": peak, "seconds": taken}))
