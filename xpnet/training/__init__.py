"""Training: mini-batches, the loop, history, callbacks and checkpoints."""

from xpnet.training.callbacks import Callback, EarlyStopping, Evaluation
from xpnet.training.checkpoint import Checkpoint
from xpnet.training.history import History
from xpnet.training.loop import resume, train
from xpnet.training.run import Run
from xpnet.training.settings import Settings

__all__ = [
    "Callback",
    "Checkpoint",
    "EarlyStopping",
    "Evaluation",
    "History",
    "Run",
    "Settings",
    "resume",
    "train",
]
