"""The contestants by name. Importing this loads none of their libraries."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from bench.peers.base import Peer
from bench.task import Task
from xpnet.errors import unknown_name

_PIP_NAMES = {"sklearn": "scikit-learn", "cupy": "cupy-cuda12x"}


@dataclass(frozen=True)
class Entry:
    """A contestant.

    Attributes
    ----------
    label : str
        For a reader.
    module, class_name : str
        Where it is, under `bench.peers`.
    requires : tuple of str
        Packages without which it is left out.
    devices : tuple of str
        Where it can run.
    draws_own_batches : bool
        Whether it draws mini-batches itself, by the same law, instead of taking those of the task.
    """

    label: str
    module: str
    class_name: str
    requires: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("cpu",)
    draws_own_batches: bool = False


_BOTH = ("cpu", "cuda")

PEERS = {
    "xpnet-numpy": Entry("xpnet on NumPy", "xpnet", "OnNumpy"),
    "xpnet-torch": Entry("xpnet on PyTorch", "xpnet", "OnTorch", ("torch",), _BOTH),
    "xpnet-jax": Entry("xpnet on JAX", "xpnet", "OnJax", ("jax",), _BOTH),
    "xpnet-cupy": Entry("xpnet on CuPy", "xpnet", "OnCupy", ("cupy",), ("cuda",)),
    "textbook": Entry("textbook loop", "textbook", "Textbook", draws_own_batches=True),
    "sklearn": Entry("scikit-learn MLPClassifier", "sklearn", "Sklearn", ("sklearn",)),
    "torch-eager": Entry("PyTorch eager", "torch", "Eager", ("torch",), _BOTH),
    "torch-compile": Entry("PyTorch torch.compile", "torch", "Compiled", ("torch",), _BOTH),
    "torch-graph": Entry("PyTorch CUDA graph", "torch", "Graph", ("torch",), ("cuda",)),
    "jax-jit": Entry("JAX jit", "jax", "Jit", ("jax",), _BOTH),
    "jax-scan": Entry("JAX lax.scan", "jax", "Scan", ("jax",), _BOTH),
    "keras-jax": Entry("Keras 3 on JAX", "keras", "OnJax", ("keras", "jax"), _BOTH),
    "keras-torch": Entry("Keras 3 on PyTorch", "keras", "OnTorch", ("keras", "torch"), _BOTH),
    "thinc": Entry("thinc", "thinc", "Thinc", ("thinc",)),
    "tape-replayed": Entry("xpnet's tape, replayed on NumPy", "tape", "Replayed"),
    "tape-eager": Entry("xpnet's tape, eager on NumPy", "tape", "Eager"),
    "autograd": Entry("HIPS autograd", "autograd", "Autograd", ("autograd",)),
    "products-numpy": Entry("bare products, NumPy", "products", "Products"),
    "products-torch": Entry("bare products, PyTorch", "products", "TorchProducts", ("torch",), _BOTH),
    "products-cupy": Entry("bare products, CuPy", "products", "CupyProducts", ("cupy",), ("cuda",)),
    "launches-torch": Entry("bare launches, PyTorch", "products", "TorchLaunches", ("torch",), ("cuda",)),
    "launches-cupy": Entry("bare launches, CuPy", "products", "CupyLaunches", ("cupy",), ("cuda",)),
    "gradient-one-at-a-time": Entry("one parameter at a time", "numerical", "OneAtATime"),
    "gradient-many-at-once": Entry("xpnet, many at once", "numerical", "ManyAtOnce"),
}


def get_entry(name: str) -> Entry:
    """Return a contestant by name, or raise `InvalidInputError`."""
    if name not in PEERS:
        raise unknown_name("contestant", name, PEERS)
    return PEERS[name]


def missing(name: str) -> str | None:
    """Say which package a contestant lacks here; None where nothing is missing."""
    for package in get_entry(name).requires:
        if find_spec(package) is None:
            return f"{package} is not installed (pip install {_PIP_NAMES.get(package, package)})"
    return None


def create(task: Task) -> Peer:
    """Set up the contestant of a task."""
    entry = get_entry(task.spec.peer)
    made = getattr(import_module(f"bench.peers.{entry.module}"), entry.class_name)(task)
    assert isinstance(made, Peer)
    return made
