"""Where data lies: the argument, else ``XPNET_DATA``, else the user's cache directory."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path


def data_directory(data_dir: str | os.PathLike[str] | None = None) -> Path:
    """Return the directory under which data sets are looked for and downloaded to.

    Parameters
    ----------
    data_dir : path-like, optional
        Taken as it is; else the environment variable ``XPNET_DATA``, else the user's cache directory.

    Returns
    -------
    Path
        The directory, which need not exist.

    Examples
    --------
    >>> print(data_directory("somewhere").name)
    somewhere
    """
    chosen = data_dir or os.environ.get("XPNET_DATA")
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("xpnet"))


def find_file(folder: Path, file: str) -> Path | None:
    """Return the path of ``file`` in ``folder``, plain or gzipped (``.gz``), or None."""
    candidates = (folder / file, folder / f"{file}.gz")
    return next((path for path in candidates if path.is_file()), None)


def holds_all(folder: Path, files: Iterable[str]) -> bool:
    """Say whether ``folder`` holds every one of ``files``, gzipped or not."""
    return all(find_file(folder, file) for file in files)
