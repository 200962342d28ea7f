"""Metrics: how right predictions are, for arrays of any library, as scikit-learn defines and orders them.

The targets come first. Counting is done on the host, whatever computed the predictions.
"""

from __future__ import annotations

from xpnet.metrics.classes import accuracy, confusion_matrix, f1, precision, recall, top_k_accuracy
from xpnet.metrics.values import mean_absolute_error, mean_squared_error, r2_score

__all__ = [
    "accuracy",
    "confusion_matrix",
    "f1",
    "mean_absolute_error",
    "mean_squared_error",
    "precision",
    "r2_score",
    "recall",
    "top_k_accuracy",
]
