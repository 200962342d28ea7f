"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from xpnet.errors import DataError


def check_folder(path: str | os.PathLike[str]) -> None:
    """Raise `DataError` unless a file can be written later: its folder can be, and it is none itself."""
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise DataError(f"cannot write {path}: it is a folder")
    if _is_device(Path(path)) and os.access(path, os.W_OK):
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        raise DataError(f"cannot write {path}: {folder} is no folder that can be written")


def write_atomically(path: str | os.PathLike[str], data: bytes) -> None:
    """Write a file so that its name never stands for half of it.

    The bytes go to a temporary file in the same folder, reach the disk, and only then take the name. A
    process killed on the way leaves the old file as it was, and perhaps a hidden ``.tmp`` file beside it.
    What is no file, such as ``/dev/stdout`` or a named pipe, is written to and stays what it is.

    Parameters
    ----------
    path : path-like
        The file; one that is there is replaced.
    data : bytes
        The whole contents.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> write_atomically(path, b"whole")
    >>> path.read_bytes()
    b'whole'
    """
    path = Path(path)
    if not path.parent.is_dir():
        raise DataError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if _is_device(path):
        _write_to_device(path, data)
        return
    temporary = path.with_name(f".{path.name}.{os.urandom(6).hex()}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """Tell whether something is there that a file must not replace."""
    return path.exists() and not (path.is_file() or path.is_dir())


def _write_to_device(path: Path, data: bytes) -> None:
    try:
        with path.open("wb") as device:
            device.write(data)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from error
