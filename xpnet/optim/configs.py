"""Optimisers by name, and as plain data that a run's configuration can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from xpnet.errors import InvalidInputError
from xpnet.optim.base import Optimizer
from xpnet.optim.optimizers import SGD, AdaGrad, Adam, AdamW, Momentum, Nesterov, RMSProp
from xpnet.optim.schedules import SCHEDULES, Schedule
from xpnet.validation import check_name

OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": AdaGrad,
    "rmsprop": RMSProp,
    "adam": Adam,
    "adamw": AdamW,
}


def optimizer_config(optimizer: Optimizer) -> dict[str, Any]:
    """Return an optimiser as plain data.

    Raises
    ------
    InvalidInputError
        If it or its schedule is not of a class of this package.

    Examples
    --------
    >>> optimizer_config(SGD(0.1))
    {'name': 'sgd', 'learning_rate': 0.1, 'schedule': {'name': 'constant'}, 'clip_norm': None}
    """
    return {
        "name": _name_of(optimizer, OPTIMIZERS),
        **_settings(optimizer),
        "schedule": {"name": _name_of(optimizer.schedule, SCHEDULES), **_settings(optimizer.schedule)},
        "clip_norm": optimizer.clip_norm,
    }


def optimizer_from_config(config: Mapping[str, Any]) -> Optimizer:
    """Return the optimiser that `optimizer_config` described.

    Raises
    ------
    InvalidInputError
        If the name of the optimiser or of the schedule is unknown.

    Examples
    --------
    >>> optimizer_from_config({"name": "sgd", "learning_rate": 0.1}).learning_rate
    0.1
    """
    settings = dict(config)
    kind = OPTIMIZERS[check_name("optimizer", settings.pop("name"), OPTIMIZERS)]
    if "schedule" in settings:
        schedule = dict(settings["schedule"])
        name = check_name("schedule", schedule.pop("name"), SCHEDULES)
        settings["schedule"] = SCHEDULES[name](**schedule)
    return kind(**settings)


def _name_of(thing: object, known: Mapping[str, type]) -> str:
    for name, kind in known.items():
        if type(thing) is kind:
            return name
    raise InvalidInputError(
        f"{type(thing).__name__} is not one of xpnet's own, {', '.join(known)}: a file cannot describe it"
    )


def _settings(thing: Optimizer | Schedule) -> dict[str, Any]:
    names = [item.name for item in fields(thing) if item.name not in ("schedule", "clip_norm")]
    return {name: getattr(thing, name) for name in names}
