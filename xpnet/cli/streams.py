"""The standard streams of a command: missing, full, or closed at the other end."""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from xpnet.cli.console import tell_error

UNWRITTEN = 1
"""Exit status where the output could not be written, be it for a full device or a closed pipe."""

_OF_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF, errno.EFBIG, errno.ENXIO)


@contextmanager
def whole_output() -> Iterator[None]:
    """Write all that was printed inside, or exit with one line that says why not; silently for a closed pipe.

    Without it, what is left in the buffers would fail when the interpreter is already shutting down.
    """
    _open_missing_streams()
    sys.stdout = _buffered(sys.stdout)
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError as error:
        raise SystemExit(UNWRITTEN) from error
    except OSError as error:
        if error.filename is not None or error.errno not in _OF_OUTPUT:
            raise
        tell_error(f"cannot write the output: {error.strerror}")
        raise SystemExit(UNWRITTEN) from error
    finally:
        _silence()


def _open_missing_streams() -> None:
    """Send what is printed nowhere where a stream was closed before the program began."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _buffered(stream: TextIO) -> TextIO:
    """Return the stream with a buffer: without one Python loses what the system left over of a write.

    ``PYTHONUNBUFFERED`` takes it away, as many containers have it: a full disk would cut the output unseen.
    """
    raw = getattr(stream, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        return stream
    return io.TextIOWrapper(
        io.BufferedWriter(raw), encoding=stream.encoding, errors=stream.errors, line_buffering=True
    )


def _silence() -> None:
    """Let what is left in the buffers go nowhere: it would fail once more at the end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            try:
                stream.flush()
            except OSError:
                os.dup2(nowhere, stream.fileno())
                stream.flush()
    os.close(nowhere)
