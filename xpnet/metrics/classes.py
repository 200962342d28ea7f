"""How often classes, or several labels of a sample, are predicted right."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from xpnet.errors import InvalidInputError
from xpnet.metrics import given
from xpnet.validation import check_count, check_name

AVERAGES = ("macro", "micro", "weighted")


def accuracy(t: Any, predicted: Any) -> float:
    """Return the share of samples that are right, 0 to 1; of several labels, right in each.

    Parameters
    ----------
    t, predicted : arrays of integers or bool, shape (samples,) or (samples, labels)
        What is true and what `predict` said: a class for each sample, or 0 or 1 for each of several labels.
        Of any library.

    Raises
    ------
    InvalidInputError
        If they are no labels, or of different shapes.

    Examples
    --------
    >>> accuracy([0, 1, 2, 1], [0, 1, 1, 1])
    0.75
    """
    t, predicted = given.labels(t, predicted)
    right = t == predicted
    return float(np.mean(right if right.ndim == 1 else right.all(axis=1)))


def top_k_accuracy(t: Any, outputs: Any, k: int = 5) -> float:
    """Return the share of samples whose class is among those of the ``k`` largest outputs.

    Of equal outputs the first is taken for the largest, as `predict` does.

    Parameters
    ----------
    t : array of integers, shape (samples,)
        The classes.
    outputs : array, shape (samples, classes)
        Logits or probabilities.
    k : int, default 5
        How many guesses count, at most the number of classes.

    Raises
    ------
    InvalidInputError
        If an argument does not fit.

    Examples
    --------
    >>> top_k_accuracy([0, 2], [[0.5, 0.3, 0.2], [0.1, 0.6, 0.3]], k=2)
    1.0
    """
    outputs = given.finite(outputs, "outputs")
    if outputs.ndim != 2:
        raise InvalidInputError("outputs must have the shape (samples, classes), two classes or more")
    classes = outputs.shape[1]
    if check_count("k", k) > classes:
        raise InvalidInputError(f"k must be at most the number of classes, {classes}, not {k}")
    best = np.argsort(-outputs, axis=1, kind="stable")[:, : int(k)]
    t, _ = given.labels(t, best[:, 0])
    _check_range(t, classes)
    return float(np.mean((best == t[:, None]).any(axis=1)))


def confusion_matrix(t: Any, predicted: Any, classes: int | None = None) -> np.ndarray:
    """Return how many samples of each class, a row, are taken for each class, a column.

    Parameters
    ----------
    t, predicted : arrays of integers or bool, shape (samples,)
        What is true and what `predict` said. Of any library.
    classes : int, optional
        How many classes there are; where omitted, those that occur, in order.

    Returns
    -------
    numpy.ndarray of int64, shape (classes, classes)

    Raises
    ------
    InvalidInputError
        If they are no classes, or of different shapes.

    Examples
    --------
    >>> confusion_matrix([0, 1, 1, 2], [0, 1, 2, 2])
    array([[1, 0, 0],
           [0, 1, 1],
           [0, 0, 1]])
    """
    t, predicted = given.labels(t, predicted)
    if t.ndim != 1:
        raise InvalidInputError(f"a confusion matrix is of one class a sample; t has the shape {t.shape}")
    t, predicted, count = _numbered(t, predicted, classes)
    return np.bincount(t * count + predicted, minlength=count * count).reshape(count, count)


def precision(
    t: Any, predicted: Any, average: str | None = "macro", classes: int | None = None
) -> float | np.ndarray:
    """Return the share of right ones among those taken for a class; 0 where none is.

    Parameters
    ----------
    t, predicted : arrays of integers or bool, shape (samples,) or (samples, labels)
        What is true and what `predict` said: a class for each sample, or 0 or 1 for each of several labels.
        Of any library.
    average : {"macro", "micro", "weighted", None}, default "macro"
        The mean over the classes, the share in all classes together, the mean weighted by how often each
        class is true, or one number a class.
    classes : int, optional
        How many classes there are; where omitted, those that occur, in order.

    Returns
    -------
    float, or numpy.ndarray of shape (classes,)

    Raises
    ------
    InvalidInputError
        If an argument does not fit.

    Examples
    --------
    >>> precision([0, 1, 1, 1], [0, 0, 1, 1], average=None)
    array([0.5, 1. ])
    """
    counts = _counted(t, predicted, average, classes)
    return _averaged(counts, counts.right, counts.said, average)


def recall(
    t: Any, predicted: Any, average: str | None = "macro", classes: int | None = None
) -> float | np.ndarray:
    """Return the share of a class that is found, 0 where there is none; arguments as `precision` takes them.

    Examples
    --------
    >>> recall([0, 1, 1, 1, 1], [0, 0, 1, 1, 1], average=None)
    array([1.  , 0.75])
    """
    counts = _counted(t, predicted, average, classes)
    return _averaged(counts, counts.right, counts.true, average)


def f1(
    t: Any, predicted: Any, average: str | None = "macro", classes: int | None = None
) -> float | np.ndarray:
    """Return the harmonic mean of `precision` and `recall`; arguments as these take them.

    Examples
    --------
    >>> f1([0, 1, 1, 1], [0, 0, 1, 1], average="micro")
    0.75
    """
    counts = _counted(t, predicted, average, classes)
    return _averaged(counts, 2 * counts.right, counts.said + counts.true, average)


class _Counts(NamedTuple):
    """For each class: how many are taken for it rightly, how many are at all, how many are of it."""

    right: np.ndarray
    said: np.ndarray
    true: np.ndarray


def _counted(t: Any, predicted: Any, average: str | None, classes: int | None) -> _Counts:
    if average is not None:
        check_name("average", average, AVERAGES)
    t, predicted = given.labels(t, predicted)
    if t.ndim == 2:
        return _Counts(*(rows.sum(axis=0) for rows in (t * predicted, predicted, t)))
    t, predicted, count = _numbered(t, predicted, classes)
    return _Counts(*(np.bincount(of, minlength=count) for of in (t[t == predicted], predicted, t)))


def _averaged(counts: _Counts, some: np.ndarray, of: np.ndarray, average: str | None) -> float | np.ndarray:
    """Return ``some / of``, 0 where that is 0 / 0, averaged over the classes."""
    if average == "micro":
        some, of = some.sum(keepdims=True), of.sum(keepdims=True)
    shares = some / np.maximum(of, 1)
    if average is None:
        return shares
    if average == "weighted":
        return float(shares @ counts.true / max(counts.true.sum(), 1))
    return float(shares.mean())


def _numbered(
    t: np.ndarray, predicted: np.ndarray, classes: int | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return classes as numbers from 0, and how many there are."""
    if classes is None:
        found, numbers = np.unique(np.concatenate([t, predicted]), return_inverse=True)
        return numbers[: len(t)], numbers[len(t) :], len(found)
    count = check_count("classes", classes)
    for labels in (t, predicted):
        _check_range(labels, count)
    return t, predicted, count


def _check_range(labels: np.ndarray, classes: int) -> None:
    low, high = labels.min(), labels.max()
    if low < 0 or high >= classes:
        raise InvalidInputError(
            f"labels must lie between 0 and {classes - 1}, there are {classes} classes; these run from"
            f" {low} to {high}"
        )
