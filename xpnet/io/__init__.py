"""Models in files: safetensors written and read, npz and textbook pickles read."""

from xpnet.io.atomic import check_folder, write_atomically
from xpnet.io.pickles import read_textbook_pickle
from xpnet.io.weights import read_weights, write_weights

__all__ = ["check_folder", "read_textbook_pickle", "read_weights", "write_atomically", "write_weights"]
