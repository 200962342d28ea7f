"""Installed size of a package with everything that it depends on."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from xpnet.errors import XpnetError

_ROOT = Path(__file__).parents[1]


def installed_size(name: str) -> int:
    """Return the bytes of a distribution's files, and of all those it requires, extras left out.

    xpnet itself is counted from the checkout, for it may not be installed.

    Raises
    ------
    XpnetError
        If it is not installed, or ``packaging``, which reads requirements, is not.
    """
    if name == "xpnet":
        files = [path for path in (_ROOT / "xpnet").rglob("*") if path.is_file() and path.suffix != ".pyc"]
        own = sum(path.stat().st_size for path in files)
        project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
        needed = {found for line in project["dependencies"] for found in _closure(_required(line) or "")}
        return own + sum(_size(other) for other in needed)
    try:
        return sum(_size(other) for other in _closure(name))
    except PackageNotFoundError as error:
        raise XpnetError(f"{name} is not installed") from error


def _closure(name: str) -> set[str]:
    """Return the name and those of all installed distributions that it requires here."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current in found:
            continue
        found.add(current)
        required = (_required(line) for line in distribution(current).requires or ())
        waiting += [other for other in required if other and _is_installed(other)]
    return found


def _required(requirement: str) -> str | None:
    """Return the normalised name that a requirement asks for; None where it does not apply here."""
    try:
        from packaging.requirements import Requirement
    except ImportError as error:
        raise XpnetError("reading requirements needs packaging: pip install packaging") from error
    parsed = Requirement(requirement)
    if parsed.marker is not None and not parsed.marker.evaluate({"extra": ""}):
        return None
    return re.sub(r"[-_.]+", "-", parsed.name).lower()


def _is_installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


def _size(name: str) -> int:
    found: Distribution = distribution(name)
    paths = [Path(str(file.locate())) for file in found.files or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in paths if path.is_file())
