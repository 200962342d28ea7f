"""One look for every figure, and a safe way to write it to a file.

The colours are those of Okabe and Ito (2008, "Color Universal Design"), which stay apart for
colour-blind readers. Figures are six inches wide: 900 pixels at the usual 150 dots per inch.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xpnet.errors import InvalidInputError, XpnetError
from xpnet.io import write_atomically

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D1F", "#444444")
_INK, _GREY, _GRID = "#222222", "#666666", "#E4E4E4"
WIDTH = 6.0  # inches
_STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # the one that comes with Matplotlib
    "font.size": 8,
    "text.color": _INK,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 7,
    "axes.labelcolor": _GREY,
    "axes.edgecolor": "#BBBBBB",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": _GRID,
    "grid.linewidth": 0.6,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "lines.linewidth": 1.6,
    "lines.solid_capstyle": "round",
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw in the house style while this lasts; the caller's settings come back afterwards."""
    try:
        import matplotlib
    except ImportError as error:
        raise XpnetError("figures need Matplotlib: pip install 'xpnet[plot]'") from error
    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(height: float) -> Figure:
    """Return an empty figure of the usual width, `height` inches high, that knows no window system."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Figure, path: str | os.PathLike[str], dpi: float = 150) -> None:
    r"""Write a figure to a file, whole or not at all.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write.
    path : path-like
        Where; the suffix names the format (``.png``, ``.svg``, ``.pdf``, ...).
    dpi : float, default 150
        Dots per inch.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written.
    InvalidInputError
        If Matplotlib does not know the format.

    Examples
    --------
    >>> import tempfile
    >>> with house_style():
    ...     figure = new_figure(height=1)
    >>> path = Path(tempfile.mkdtemp()) / "empty.png"
    >>> save_figure(figure, path)
    >>> path.read_bytes()[:4]
    b'\x89PNG'
    """
    path = Path(path)
    form = path.suffix[1:].lower()
    known = figure.canvas.get_supported_filetypes()
    if form not in known:
        raise InvalidInputError(f"cannot draw {path}: its suffix must be one of {', '.join(sorted(known))}")
    buffer = io.BytesIO()
    figure.savefig(buffer, format=form, dpi=dpi)
    write_atomically(path, buffer.getvalue())
