"""``xpnet gradcheck``."""

from __future__ import annotations

from typing import Annotated

import typer

import xpnet
from xpnet import datasets
from xpnet.cli import options
from xpnet.cli.console import new_table, out, tell
from xpnet.models.mlp import MLP

EXAMPLES = options.examples(
    "xpnet gradcheck",
    "xpnet gradcheck mnist --hidden 50,100 --activation relu --backend torch",
)

TOLERANCE = 1e-7
"""A right gradient differs by less, a wrong one by about 1."""


def command(
    dataset: options.DatasetName = "digits",
    hidden: options.Hidden = "20,10",
    activation: options.Activation = "tanh",
    samples: Annotated[int, typer.Option(min=1, help="How many training samples to check on.")] = 10,
    l2: options.L2 = 0.0,
    seed: Annotated[int, typer.Option(help="Of the weights.")] = 0,
    backend: options.BackendName = "auto",
    device: options.Device = None,
    data_dir: options.DataDir = None,
) -> None:
    """Compare the gradients of backward propagation with numerical ones, in float64."""
    classes = len(datasets.class_names(dataset))
    data = datasets.load(dataset, data_dir)
    sizes = [data.x_train.shape[1], *options.hidden_sizes(hidden), classes]
    net = MLP(sizes, activation, "xavier", seed, "float64", backend, device, l2=l2)
    differences = xpnet.gradcheck(net, data.x_train[:samples], data.t_train[:samples])
    tell("network", repr(net))
    table = new_table("parameter", ">relative difference", "")
    for name, difference in differences.items():
        table.add_row(name, f"{difference:.1e}", _verdict(difference))
    out.print(table)
    right = all(difference < TOLERANCE for difference in differences.values())
    out.print(f"{'ok' if right else 'wrong'}: right is below {TOLERANCE:.0e}")
    if not right:
        raise typer.Exit(1)


def _verdict(difference: float) -> str:
    return "ok" if difference < TOLERANCE else "[red]wrong[/red]"
