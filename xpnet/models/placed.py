"""A network with its variables on a backend: made, copied, saved, pickled."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from os import PathLike
from typing import Any, Self

from xpnet.arithmetic import get_arithmetic
from xpnet.backends import Backend, get_backend
from xpnet.describe import describe
from xpnet.models.arrays import check_arrays, copies, on_host
from xpnet.models.blueprint import Blueprint
from xpnet.models.files import backend_like, named_arrays, write_model
from xpnet.models.summary import Summary, summary
from xpnet.models.trust import check_exactness
from xpnet.nn.layer import Layer, Variables
from xpnet.nn.network import Network
from xpnet.programs.programs import Programs


class PlacedNetwork:
    """All of a model but what it computes; see `Model` for the attributes."""

    params: dict[str, Any]
    state: dict[str, Any]

    @classmethod
    def build(
        cls,
        blueprint: Blueprint,
        variables: Variables,
        backend: str | Backend = "auto",
        device: str | None = None,
    ) -> Self:
        """Return a model with the given variables; none are drawn.

        Raises
        ------
        InvalidInputError
            If a variable is missing, superfluous, or of a shape that does not fit.
        """
        check_arrays(blueprint.network.variables, variables)
        model = cls.__new__(cls)
        model._settle_on(blueprint, backend, device)
        model._take(variables)
        return model

    def _settle_on(self, blueprint: Blueprint, backend: str | Backend, device: str | None) -> None:
        """Set all but the variables."""
        self.blueprint = blueprint
        self.arithmetic = get_arithmetic(blueprint.arithmetic)
        self.backend = get_backend(backend, device)
        self.backend.require_dtype(self.dtype)
        self.backend.require_dtype(self.arithmetic.working_dtype or self.dtype)
        if self.arithmetic.checked:
            check_exactness(self.backend)
        self.xp = self.arithmetic.namespace(self.backend.xp)
        self.programs = Programs(self.backend, self.arithmetic.compilable)
        self._on_pixels: dict[float, Network] = {}
        self._told_of_scale = False

    def _take(self, variables: Variables) -> None:
        """Set the variables to copies, so that nobody else's arrays change with the model's."""
        self.params, self.state = copies(self.backend, variables, self.network.variables, self.dtype)

    @property
    def network(self) -> Network:
        """The mathematics, as pure functions of the variables."""
        return self.blueprint.network

    @property
    def dtype(self) -> str:
        """The name of the parameters' dtype."""
        return self.blueprint.dtype

    @property
    def variables(self) -> Variables:
        """Parameters and running state."""
        return Variables(self.params, self.state)

    @property
    def config(self) -> dict[str, Any]:
        """The blueprint as plain data."""
        return describe(self.blueprint)

    def copy(self, backend: str | Backend | None = None, device: str | None = None, **changes: Any) -> Self:
        """Return a model with the same variables, on another backend or with other settings.

        Parameters
        ----------
        backend, device : optional
            Where the copy lives; on the same device where omitted.
        **changes
            Settings to change: ``dtype``, ``arithmetic``, ``l2`` …

        Returns
        -------
        Model

        Examples
        --------
        >>> import xpnet
        >>> net = xpnet.Model([xpnet.Dense(2)], inputs=(2,), backend="numpy")
        >>> net.copy(dtype="float64").params["W1"].dtype
        dtype('float64')
        """
        blueprint = self.blueprint.changed(**changes)
        place = self.backend if backend is None else backend
        return type(self).build(blueprint, on_host(self.backend, self.variables), place, device)

    def with_variables(self, variables: Variables) -> Self:
        """Return a model like this one with other variables."""
        return type(self).build(self.blueprint, variables, self.backend)

    def fingerprint(self) -> str:
        """Return the SHA-256 of the variables' names, shapes, dtypes and bytes: equal bits, equal string."""
        digest = hashlib.sha256()
        for name, value in named_arrays(self.variables).items():
            host = self.backend.to_numpy(value)
            little_endian = host.astype(host.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{name} {list(host.shape)} {self.dtype}\n".encode())
            digest.update(little_endian.tobytes())
        return digest.hexdigest()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model to a safetensors file, which `xpnet.load` reads on any backend.

        Raises
        ------
        DataError
            If the file cannot be written.
        InvalidInputError
            If a layer or the loss is of a class that is not registered.
        """
        write_model(path, self.blueprint, on_host(self.backend, self.variables))

    def __getstate__(self) -> dict[str, Any]:
        """Return what a pickle holds: NumPy arrays, so that it opens where the library is not installed."""
        return {
            "blueprint": self.blueprint,
            "variables": on_host(self.backend, self.variables),
            "backend": self.backend.name,
            "device": self.backend.device_name,
        }

    def __setstate__(self, stored: Mapping[str, Any]) -> None:
        """Settle on the backend of old where it is there, else on NumPy."""
        self._settle_on(stored["blueprint"], backend_like(stored["backend"], stored["device"]), None)
        self._take(stored["variables"])

    def summary(self) -> Summary:
        """Return a table of the layers, their outputs and what they cost; see `xpnet.models.summary.summary`.

        Examples
        --------
        >>> import xpnet
        >>> xpnet.Model([xpnet.Dense(10)], inputs=(784,), backend="numpy").summary()
        layer      outputs  parameters  state  multiply-adds
        inputs     784
        Dense(10)  10            7,850      0          7,840
        total                    7,850      0          7,840
        parameters in float32: 31.4 kB; a training step: 23,520 multiply-adds a sample
        """
        return summary(self.blueprint)

    @property
    def title(self) -> str:
        """The layers in one line, for a reader."""
        return " ".join(map(repr, self._layers))

    @property
    def _layers(self) -> list[Layer]:
        return list(getattr(self.network.layer, "layers", (self.network.layer,)))

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self._layers!r}, inputs={self.network.inputs}, dtype={self.dtype!r},"
            f" backend={self.backend!r})"
        )
