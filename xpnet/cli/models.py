"""Find the model and the data set that a command is about, in a run folder or by name."""

from __future__ import annotations

from pathlib import Path

from xpnet import datasets
from xpnet.cli.runs import CONFIG, MODEL, RunConfig
from xpnet.datasets import Dataset
from xpnet.errors import InvalidInputError
from xpnet.models.model import Model
from xpnet.models.saving import load


def load_model(path: Path, backend: str, device: str | None, activation: str | None) -> Model:
    """Load a network from a run folder, its last one, or from a file.

    Raises
    ------
    XpnetError
        If there is none, or the backend is not there.
    """
    file = path / MODEL if path.is_dir() else path
    return load(file, backend, device, **({} if activation is None else {"activation": activation}))


def load_data(model: Path, name: str | None, data_dir: Path | None) -> tuple[str, Dataset]:
    """Load a data set; where it has no name, that of the model's run.

    Raises
    ------
    XpnetError
        If the model is of no run, or the data set is not there.
    """
    if name is None:
        folder = model if model.is_dir() else model.parent
        if not (folder / CONFIG).exists():
            raise InvalidInputError(
                f"{model} does not tell what it was trained on: name a data set,"
                f" one of {', '.join(datasets.names())}"
            )
        config = RunConfig.read(folder)
        name = config.dataset
        return name, datasets.load(name, data_dir or config.data_dir)
    return name, datasets.load(name, data_dir)
