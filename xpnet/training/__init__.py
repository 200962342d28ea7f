"""Training: mini-batches, the loop, history, callbacks and checkpoints."""

from xpnet.training.callbacks import Callback, EarlyStopping, Evaluation
from xpnet.training.checkpoint import Checkpoint
from xpnet.training.history import History
from xpnet.training.loop import resume, train

__all__ = ["Callback", "Checkpoint", "EarlyStopping", "Evaluation", "History", "resume", "train"]
