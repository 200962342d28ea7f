"""Figures of lines and points: training, losses, activation functions, gradients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np

from xpnet.errors import InvalidInputError
from xpnet.plots.style import COLOURS, WIDTH, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class TrainingHistory(Protocol):
    """What :func:`training_curves` reads of a history."""

    @property
    def loss(self) -> Sequence[float]: ...  # noqa: D102
    @property
    def iteration(self) -> Sequence[int]: ...  # noqa: D102
    @property
    def train_score(self) -> Sequence[float]: ...  # noqa: D102
    @property
    def test_score(self) -> Sequence[float]: ...  # noqa: D102
    @property
    def metric(self) -> str: ...  # noqa: D102
    @property
    def gradient_norm(self) -> Mapping[str, Sequence[float]]: ...  # noqa: D102


def label_ends(ax: Axes, labels: Sequence[tuple[str, float, str]]) -> None:
    """Write each (text, height, colour) right of the axes at that height, pushed apart where they touch."""
    if not labels:
        return
    gap = 11 / 72 * ax.figure.dpi / ax.bbox.height  # of the axes' height
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.asarray(ax.get_ylim()))
    ordered = sorted(labels, key=lambda label: label[1])
    heights = scale.transform(np.array([height for _, height, _ in ordered]))
    wanted = np.clip(np.nan_to_num((heights - low) / (high - low)), 0, 1)
    steps = gap * np.arange(len(ordered))
    # the lowest places that keep the gap, then the same from above: their mean keeps it too
    upward = np.maximum.accumulate(wanted - steps) + steps
    downward = np.minimum.accumulate((wanted - steps)[::-1])[::-1] + steps
    places = (upward + downward) / 2
    places += max(0, -places[0])
    for (text, _, colour), place in zip(ordered, places, strict=True):
        ax.annotate(
            text, (1, place), xytext=(5, 0), xycoords="axes fraction", textcoords="offset points",
            color=colour, va="center", weight="bold", annotation_clip=False,
        )  # fmt: skip


def _noisy_line(ax: Axes, values: Sequence[float], colour: str) -> float:
    """Draw a value per iteration, faint, and its running mean, strong; return where the mean ends."""
    heights = np.asarray(values, dtype=np.float64)
    window = max(1, len(heights) // 50)
    mean = np.convolve(heights, np.full(window, 1 / window), mode="valid")
    if window > 1:
        ax.plot(np.arange(1, len(heights) + 1), heights, color=colour, alpha=0.25, linewidth=0.6)
    ax.plot(np.arange(len(mean)) + (window + 1) / 2, mean, color=colour)
    return float(mean[-1])


def _loss_panel(ax: Axes, curves: Mapping[str, Sequence[float]], title: str) -> None:
    ends = [
        (label, _noisy_line(ax, values, colour), colour)
        for (label, values), colour in zip(curves.items(), _cycle(len(curves)), strict=True)
    ]
    ax.set(title=title, xlabel="iteration", ylabel="loss")
    ax.margins(x=0)
    ax.set_ylim(bottom=0)
    if len(ends) > 1:
        label_ends(ax, ends)


def _line_panel(ax: Axes, x: Sequence[int], curves: Mapping[str, Sequence[float]], title: str) -> None:
    ends = []
    for (label, values), colour in zip(curves.items(), _cycle(len(curves)), strict=True):
        ax.plot(x, values, color=colour)
        ends.append((f"{label} {values[-1]:#.3g}", float(values[-1]), colour))
    ax.set(title=title, xlabel="iteration")
    ax.margins(x=0)
    label_ends(ax, ends)


def _cycle(count: int) -> list[str]:
    return [COLOURS[i % len(COLOURS)] for i in range(count)]


@house_style()
def training_curves(history: TrainingHistory) -> Figure:
    """Draw what a training run recorded: loss, and scores and gradient norms where there are any.

    Parameters
    ----------
    history : TrainingHistory
        ``loss`` has one value per iteration; the others one per evaluation, at ``iteration``.

    Returns
    -------
    matplotlib.figure.Figure
        One panel for each quantity that is there.

    Raises
    ------
    InvalidInputError
        If there is no loss.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> history = SimpleNamespace(loss=[2.3, 1.9, 1.5], iteration=[], train_score=[], test_score=[],
    ...                           metric="accuracy", gradient_norm={})
    >>> len(training_curves(history).axes)
    1
    """
    if not len(history.loss):
        raise InvalidInputError("the history holds no loss: train for at least one iteration")
    scores = {"train": history.train_score, "test": history.test_score}
    scores = {label: values for label, values in scores.items() if len(values)}
    norms = {label: values for label, values in history.gradient_norm.items() if len(values)}
    below = "A" * bool(scores) + "G" * bool(norms)
    mosaic = f"LL;{below}" if len(below) == 2 else f"L{below}"
    figure = new_figure(height=5.2 if len(below) == 2 else 2.6)
    panels = figure.subplot_mosaic(mosaic)
    _loss_panel(panels["L"], {"loss": history.loss}, "Loss")
    if scores:
        _line_panel(panels["A"], history.iteration, scores, history.metric.capitalize())
    if norms:
        _line_panel(panels["G"], history.iteration, norms, "Gradient norm")
    return figure


@house_style()
def loss_curves(curves: Mapping[str, Sequence[float]], title: str) -> Figure:
    """Draw several runs' losses in one panel, each with its running mean.

    Parameters
    ----------
    curves : mapping of str to sequence of float
        Label to loss per iteration; none may be empty.
    title : str
        Above the panel.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no curve, or one is empty.

    Examples
    --------
    >>> loss_curves({"fixed": [2.3, 1.2], "fresh": [2.3, 2.0]}, "Two runs").axes[0].get_title(loc="left")
    'Two runs'
    """
    if not curves or not all(len(values) for values in curves.values()):
        raise InvalidInputError("loss_curves needs at least one curve, and a value in each")
    figure = new_figure(height=3.2)
    _loss_panel(figure.subplots(), curves, title)
    return figure


@house_style()
def activation_functions(x: np.ndarray, curves: Mapping[str, np.ndarray]) -> Figure:
    """Draw activation functions side by side.

    Parameters
    ----------
    x : array of shape (n,)
        Where they were evaluated.
    curves : mapping of str to array of shape (n,)
        Name to values.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    InvalidInputError
        If there is no curve.

    Examples
    --------
    >>> x = np.linspace(-5, 5, 101)
    >>> len(activation_functions(x, {"relu": np.maximum(x, 0), "tanh": np.tanh(x)}).axes)
    2
    """
    if not curves:
        raise InvalidInputError("activation_functions needs at least one curve")
    columns = min(len(curves), 3)
    figure = new_figure(height=2.1 * math.ceil(len(curves) / columns))
    for place, (name, values) in enumerate(curves.items(), 1):
        ax = figure.add_subplot(math.ceil(len(curves) / columns), columns, place)
        ax.axhline(0, color="#BBBBBB", linewidth=0.8)
        ax.axvline(0, color="#BBBBBB", linewidth=0.8)
        ax.plot(x, values, color=COLOURS[0], linewidth=2)
        ax.set_title(name)
        ax.margins(x=0, y=0.08)
    return figure


@house_style()
def gradient_comparison(panels: Sequence[tuple[str, np.ndarray, np.ndarray]]) -> Figure:
    """Draw numerical against backward gradients; equal ones lie on the diagonal.

    Parameters
    ----------
    panels : sequence of (str, array, array)
        Label, numerical gradient and backward gradient, two arrays of one shape.

    Returns
    -------
    matplotlib.figure.Figure
        One panel each, which states the largest absolute difference.

    Raises
    ------
    InvalidInputError
        If two gradients differ in shape or are empty.

    Examples
    --------
    >>> gradient = np.linspace(-1, 1, 9)
    >>> gradient_comparison([("start", gradient + 1e-9, gradient)]).axes[0].texts[0].get_text().split()
    ['largest', 'difference', '1.0e-09']
    """
    for label, numerical, backward in panels:
        if np.shape(numerical) != np.shape(backward) or np.size(backward) == 0:
            raise InvalidInputError(
                f"{label}: expected two gradients of one shape, not empty,"
                f" got {np.shape(numerical)} and {np.shape(backward)}"
            )
    figure = new_figure(height=WIDTH / max(len(panels), 2) + 0.1)
    for place, (label, numerical, backward) in enumerate(panels, 1):
        ax = figure.add_subplot(1, len(panels), place)
        largest = float(np.max(np.abs(np.subtract(numerical, backward))))
        reach = 1.08 * float(max(np.max(np.abs(numerical)), np.max(np.abs(backward)))) or 1.0
        ax.plot([-reach, reach], [-reach, reach], color="#BBBBBB", linewidth=1)
        ax.plot(
            np.ravel(backward), np.ravel(numerical), ".", color=COLOURS[0], alpha=0.35, markersize=4, mew=0
        )
        ax.text(0.04, 0.95, f"largest difference\n{largest:.1e}", transform=ax.transAxes, va="top")
        ax.set(title=label, xlabel="backward gradient", aspect="equal")
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
        ax.locator_params(nbins=4)
    figure.axes[0].set_ylabel("numerical gradient")
    return figure
