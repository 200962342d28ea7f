"""PyTorch: eager, compiled, and as a CUDA graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import torch
from torch import nn
from torch.nn import functional

from bench.peers.base import Peer
from bench.task import Task


class Eager(Peer):
    """``nn.Sequential``, ``cross_entropy``, autograd and ``optim.SGD``; the data is a resident tensor."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.device = torch.device(task.spec.device)
        self.x = torch.tensor(task.scaled(), device=self.device)
        self.t = torch.tensor(task.t, dtype=torch.int64, device=self.device)
        self.model = build_model(task).to(self.device)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=task.spec.learning_rate)
        self._losses: list[torch.Tensor] = []

    def train(self, iterations: int) -> None:
        """Train on, a mini-batch at a time."""
        self._losses = []
        for count, rows in self.next_rows(iterations):
            indices = None if rows is None else torch.from_numpy(rows).to(self.device)
            for i in range(count):
                self._losses.append(self.step(None if indices is None else indices[i]))

    def step(self, indices: torch.Tensor | None) -> torch.Tensor:
        """Make one update and return its loss, on the device."""
        x, t = gather(self.x, self.t, indices)
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.model(x), t)
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return [] if not self._losses else torch.stack(self._losses).tolist()

    def synchronize(self) -> None:
        """Wait for the GPU."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def device_peak(self) -> int | None:
        """Return the peak of PyTorch's allocator."""
        return int(torch.cuda.max_memory_allocated()) if self.device.type == "cuda" else None


class Compiled(Eager):
    """``torch.compile`` of the whole step: gather, forward, backward and update in one program."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._params = {name: p.detach() for name, p in self.model.named_parameters()}
        self._compiled = torch.compile(self._whole_step)

    def _whole_step(
        self, params: dict[str, torch.Tensor], x: torch.Tensor, t: torch.Tensor, indices: Any
    ) -> torch.Tensor:
        x, t = gather(x, t, indices)

        def loss_of(params: dict[str, torch.Tensor]) -> torch.Tensor:
            return functional.cross_entropy(torch.func.functional_call(self.model, params, (x,)), t)

        gradients, loss = torch.func.grad_and_value(loss_of)(params)
        for name, gradient in gradients.items():
            params[name].sub_(gradient, alpha=self.task.spec.learning_rate)
        return loss

    def step(self, indices: torch.Tensor | None) -> torch.Tensor:
        """Make one update and return its loss, on the device."""
        return self._compiled(self._params, self.x, self.t, indices)


class Graph(Eager):
    """A chunk of eager steps, captured once as a CUDA graph and replayed."""

    chunk = rows_at_once = 64

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        shape = (self.chunk, task.spec.batch)
        self._rows = torch.zeros(shape, dtype=torch.int32, device=self.device)
        self._whole_set = task.spec.sampling == "full"
        begin = [p.detach().clone() for p in self.model.parameters()]
        self._warm_up()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._captured = torch.stack([self._captured_step(i) for i in range(self.chunk)])
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), begin, strict=True):
                parameter.copy_(value)

    def _warm_up(self) -> None:
        """Run on a side stream first, as capturing asks for: libraries make their workspaces."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for i in range(3):
                self._captured_step(i)
        torch.cuda.current_stream().wait_stream(side)

    def _captured_step(self, i: int) -> torch.Tensor:
        return self.step(None if self._whole_set else self._rows[i])

    def train(self, iterations: int) -> None:
        """Replay the graph once a chunk, with new rows."""
        self._losses = []
        for count, rows in self.next_rows(iterations):
            if count != self.chunk:
                raise ValueError(f"a graph of {self.chunk} iterations cannot run {count}")
            if rows is not None:
                self._rows.copy_(torch.from_numpy(rows), non_blocking=True)
            self._graph.replay()
            self._losses.append(self._captured.clone())

    def losses(self) -> list[float]:
        """Return each iteration's loss."""
        return torch.cat(self._losses).tolist()


def gather(
    x: torch.Tensor, t: torch.Tensor, indices: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mini-batch; on the CPU ``index_select`` takes half the time of ``x[indices]``."""
    if indices is None:
        return x, t
    return torch.index_select(x, 0, indices), torch.index_select(t, 0, indices)


def build_model(task: Task) -> nn.Sequential:
    """Return the network with the initial weights of the task."""
    params = {name: torch.tensor(value) for name, value in task.initial_params().items()}
    modules: list[nn.Module] = []
    shape, number = task.spec.network.inputs, 0
    for layer in task.spec.network.layers:
        module = _MODULES[type(layer).__name__](layer, shape)
        if isinstance(module, nn.Linear | nn.Conv2d):
            number += 1
            weights = params[f"W{number}"]
            module = module.to(weights.dtype)
            with torch.no_grad():  # PyTorch stores those of Linear transposed
                module.weight.copy_(weights.T if weights.ndim == 2 else weights)
                cast(torch.Tensor, module.bias).copy_(params[f"b{number}"])
        modules.append(module)
        shape = layer.output_shape(shape)
    return nn.Sequential(*modules)


_MODULES: dict[str, Callable[[Any, tuple[int, ...]], nn.Module]] = {
    "Conv2D": lambda layer, shape: nn.Conv2d(
        shape[0], layer.filters, layer.size, padding=0 if layer.padding == "valid" else layer.padding
    ),
    "Dense": lambda layer, shape: nn.Linear(shape[0], layer.units),
    "Flatten": lambda layer, shape: nn.Flatten(),
    "MaxPool2D": lambda layer, shape: nn.MaxPool2d(layer.size),
    "ReLU": lambda layer, shape: nn.ReLU(),
}
"""Modules by the names of the layers, from a layer and the shape of its inputs."""
