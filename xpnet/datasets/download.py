"""Download of published data files: several mirrors, verified before the file gets its name."""

from __future__ import annotations

import os
import sys
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

from xpnet.datasets.idx import content_md5
from xpnet.datasets.locate import find_file
from xpnet.errors import DataError

_TIMEOUT = 10.0  # seconds without an answer, after which the next mirror is tried


def download(files: Mapping[str, str], folder: Path, mirrors: Sequence[str]) -> None:
    """Download the files that ``folder`` does not hold yet.

    A file is written in a temporary directory beside its place, verified, and only then moved there
    in one step: whatever bears the right name is whole and can be trusted without verifying again,
    even if a download was killed half-way.

    Parameters
    ----------
    files : mapping of str to str
        Name without ``.gz``, and md5 of the decompressed bytes.
    folder : Path
        Where the files go; made if it does not exist.
    mirrors : sequence of str
        Addresses, ending in a slash, under which ``<name>.gz`` lies; tried in order.

    Raises
    ------
    DataError
        If ``folder`` cannot be written, or no mirror gives a file with the right content.
    """
    missing = [file for file in files if find_file(folder, file) is None]
    by_hand = _by_hand(missing, folder)
    for file in missing:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            scratch = tempfile.TemporaryDirectory(prefix=".download-", dir=folder)
        except OSError as error:
            raise DataError(f"cannot download to {folder}: {error}. {by_hand}") from error
        with scratch:
            part = Path(scratch.name, f"{file}.gz")
            failures = _try_mirrors(mirrors, part, files[file])
            if len(failures) == len(mirrors):
                raise DataError("\n  ".join([f"cannot download {part.name}. {by_hand} Tried:", *failures]))
            os.replace(part, folder / part.name)


def _try_mirrors(mirrors: Sequence[str], part: Path, md5: str) -> list[str]:
    """Download from the first mirror that gives the right content; return the failures before it."""
    failures: list[str] = []
    for mirror in mirrors:
        try:
            _transfer(mirror + part.name, part)
            found = content_md5(part)
        except OSError as error:  # what requests raises, and DataError, are both of this kind
            reason = textwrap.shorten(f"{type(error).__name__}: {error}", 160, placeholder=" ...")
            failures.append(f"{mirror}: {reason}")
            continue
        if found == md5:
            break
        failures.append(f"{mirror}: md5 of the decompressed file is {found}, expected {md5}")
    return failures


def _transfer(url: str, target: Path) -> None:
    import pooch

    fetch = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), chunk_size=1 << 16, timeout=_TIMEOUT)
    fetch(url, str(target), None)


def _by_hand(missing: Sequence[str], folder: Path) -> str:
    names = ", ".join(f"{file}.gz" for file in missing)
    return (
        f"Put these files into {folder} (gzipped or not): {names}; "
        "or name a folder that has them with data_dir or XPNET_DATA."
    )
