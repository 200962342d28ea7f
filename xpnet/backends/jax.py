"""JAX: steps are compiled by XLA, a chunk of iterations at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xpnet.backends.base import Array, Backend, BackendInfo, Memory
from xpnet.backends.host import dtype_name, host_memory, to_host
from xpnet.errors import BackendError


class JaxBackend(Backend):
    """JAX on ``"cpu"``, ``"cpu:1"``, ``"cuda:0"`` …; the first device of its default platform."""

    name = "jax"
    libraries = ("jax", "jaxlib")
    xp = jnp
    compiles = True
    out_of_memory_errors = (MemoryError, jax.errors.JaxRuntimeError)

    def __init__(self, device: str | None = None) -> None:
        platform, _, index = (device or "").partition(":")
        try:
            self.device = jax.devices(platform or None)[int(index or 0)]
        except (RuntimeError, IndexError, ValueError) as error:
            known = ", ".join(f"{d.platform}:{d.id}" for d in jax.devices())
            raise BackendError(f"JAX has no device {device!r} here; there are: {known}") from error

    @classmethod
    def info(cls) -> BackendInfo:
        """Tell JAX's version and its first device."""
        device, blas = jax.devices()[0], f"XLA of jaxlib {jax.lib.__version__}"
        tf32 = None if device.platform == "cpu" else _precision() not in ("highest", "float32")
        return BackendInfo(True, jax.__version__, device.device_kind, blas=blas, tf32=tf32)

    @classmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the array on the host."""
        return np.asarray(array)

    def from_numpy(self, array: np.ndarray) -> Array:
        """Return an array on this device, over the same memory where JAX can share it.

        Outside its 64-bit mode JAX narrows 64-bit numbers; integers that do not fit are refused.
        """
        if array.dtype.itemsize == 8:
            kind = {"f": "float64", "i": "int64", "u": "uint64"}[array.dtype.kind]
            narrow = array.astype(jax.dtypes.canonicalize_dtype(kind))
            if array.dtype.kind != "f" and (lost := array[narrow != array]).size:
                raise OverflowError(f"JAX outside its 64-bit mode cannot hold the integer {lost.flat[0]}")
            array = narrow
        if array.flags.writeable and array.flags.c_contiguous and min(array.strides, default=0) >= 0:
            return jax.device_put(jnp.from_dlpack(array), self.device)
        return jax.device_put(np.array(array), self.device)

    def _adopt(self, array: Any, name: str) -> Array:
        """Look at 64-bit integers on the host outside the 64-bit mode: DLPack would cut them in silence."""
        wide = dtype_name(getattr(array, "dtype", "")) in ("int64", "uint64")
        if wide and not jax.config.jax_enable_x64:  # type: ignore[attr-defined]
            return self._from_host(to_host(array, name), name)
        return super()._adopt(array, name)

    def move(self, array: Array) -> Array:
        """Return the array on this device."""
        return jax.device_put(array, self.device)

    def owns(self, array: object) -> bool:
        """Tell whether it is a JAX array."""
        return isinstance(array, jax.Array)

    def require_dtype(self, name: str) -> None:
        """Switch JAX's 64-bit mode on for float64; without it JAX would silently compute in float32.

        The mode is one of the whole process, as JAX has it.
        """
        if name == "float64":
            jax.config.update("jax_enable_x64", True)

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Make the device JAX's default, and multiply float32 as float32: XLA would take TF32 on GPUs."""
        with jax.default_device(self.device), jax.default_matmul_precision(_precision()):
            yield

    def synchronize(self) -> None:
        """Wait for every array that is being computed: JAX has no queue to ask."""
        for array in jax.live_arrays():
            array.block_until_ready()

    @property
    def device_name(self) -> str:
        """Platform and number."""
        return f"{self.device.platform}:{self.device.id}"

    @property
    def on_gpu(self) -> bool:
        """Whether it is not the CPU."""
        return self.device.platform != "cpu"

    def memory(self) -> Memory:
        """Tell the memory of XLA's allocator, or of this process where the device is the CPU."""
        stats = self.device.memory_stats()
        if stats is None:
            return Memory(*host_memory())
        used, total = stats["bytes_in_use"], stats["bytes_limit"]
        return Memory(used, total - used, total)

    def is_out_of_memory(self, error: Exception) -> bool:
        """Tell so by the message: XLA has one type for all its errors."""
        return isinstance(error, MemoryError) or str(error).startswith("RESOURCE_EXHAUSTED")

    def jit(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile the function with XLA at its first call for each set of shapes, with IEEE arithmetic."""
        return jax.jit(function, compiler_options={"xla_cpu_enable_fast_math": False})

    def scan(self, step: Callable[..., Any], state: list[Array], rows: list[Array], count: Array) -> Any:
        """Repeat a step within a compiled program, as often as ``count`` says when it runs."""
        length = next(row.shape[0] for row in rows if row is not None)

        def at(i: Array) -> list[Array]:
            return [
                None if row is None else jax.lax.dynamic_index_in_dim(row, i, keepdims=False) for row in rows
            ]

        _, loss = jax.eval_shape(step, state, at(0))

        def body(i: Array, carried: tuple[list[Array], Array]) -> tuple[list[Array], Array]:
            after, loss = step(carried[0], at(i))
            return after, carried[1].at[i].set(loss)

        return jax.lax.fori_loop(0, count, body, (state, jnp.zeros((length,), loss.dtype)))


def _precision() -> str:
    """Return how float32 matrices are multiplied: in full, unless the user asked JAX for less."""
    return jax.config.jax_default_matmul_precision or "highest"  # type: ignore[attr-defined]
