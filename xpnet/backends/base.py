"""What xpnet asks of an array library: the `Backend` interface, with the defaults most share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from xpnet.backends.host import common_dtype, dtype_name, plain, to_host
from xpnet.backends.known import backend_of
from xpnet.backends.root import Root
from xpnet.errors import InvalidInputError

Array = Any
"""An array of any library that follows the Array API standard."""


class Memory(NamedTuple):
    """A device's memory in bytes: in use by this process, open to it, and all that there is."""

    used: int
    free: int
    total: int


@dataclass(frozen=True)
class BackendInfo:
    """What `available_backends` tells of one array library.

    Attributes
    ----------
    available : bool
        Whether a network can be trained on it here and now.
    version : str or None
        The library's version, where it is installed.
    device : str or None
        The default device, as its maker names it.
    reason : str or None
        Why it is not available, and how to get it.
    blas : str or None
        What multiplies its matrices, with its version.
    tf32 : bool or None
        Whether float32 matrix products may round their operands to TF32's 10 bits; None on the CPU.
    """

    available: bool
    version: str | None = None
    device: str | None = None
    reason: str | None = None
    blas: str | None = None
    tf32: bool | None = None


class Backend(Root, ABC):
    """An array library on one device.

    Parameters
    ----------
    device : str, optional
        Where arrays are made; the library's default where omitted.

    Attributes
    ----------
    name : str
        The name by which `get_backend` knows it.
    libraries : tuple of str
        The top-level packages that define its arrays' types; empty where that is its name.
    xp : namespace
        The library's functions, following the Array API standard.
    device : object
        The library's own device object.
    takes_out : bool
        Whether its functions are ufuncs with ``out=``, NumPy's own, so that a record can be replayed.
    compiles : bool
        Whether it has `jit` and `scan`.
    out_of_memory_errors : tuple of exception types
        What the library raises when memory runs out; see `is_out_of_memory`.
    """

    takes_out: ClassVar[bool] = False
    compiles: ClassVar[bool] = False
    out_of_memory_errors: ClassVar[tuple[type[Exception], ...]] = (MemoryError,)
    xp: Any
    device: Any

    @abstractmethod
    def __init__(self, device: str | None = None) -> None:
        """Settle on a device, or raise `BackendError` where it does not answer."""

    @classmethod
    @abstractmethod
    def info(cls) -> BackendInfo:
        """Tell whether the library can compute here, asking the device itself."""

    @classmethod
    @abstractmethod
    def to_numpy(cls, array: Array) -> np.ndarray:
        """Return the library's array on the host, waiting for it where it is being computed."""

    @abstractmethod
    def from_numpy(self, array: np.ndarray) -> Array:
        """Return a host array as one of the library's on this device, sharing memory where it can.

        Raise `OverflowError` where the library cannot hold one of its numbers.
        """

    @abstractmethod
    def owns(self, array: object) -> bool:
        """Tell whether the array is one of this library's, wherever it lies."""

    @classmethod
    def bare(cls, array: Array, name: str = "array") -> Array:
        """Return the library's array as mere numbers, or raise `InvalidInputError` where it has none.

        For libraries whose arrays may be sparse, or know where their gradients come from.
        """
        return array

    @abstractmethod
    def memory(self) -> Memory:
        """Tell how much of the device's memory this process uses, and what is left."""

    @property
    def device_name(self) -> str:
        """The device, as the constructor takes it."""
        return str(self.device)

    @property
    def on_gpu(self) -> bool:
        """Whether the device is a GPU, with a memory of its own."""
        return False

    @property
    def numbers_at_once(self) -> int:
        """How many numbers are best computed with together: as a processor's cache holds, more on a GPU."""
        return 2**26 if self.on_gpu else 2**20

    def is_out_of_memory(self, error: Exception) -> bool:
        """Tell whether one of `out_of_memory_errors` says that memory ran out."""
        return True

    def synchronize(self) -> None:
        """Wait until everything queued on the device is done."""

    def scope(self) -> AbstractContextManager[Any]:
        """Return a context in which the device is the library's current one."""
        return nullcontext()

    def require_dtype(self, name: str) -> None:
        """Raise `BackendError` unless the device computes in ``"float32"`` or ``"float64"``, as named."""

    def contiguous(self, array: Array) -> Array:
        """Return the library's array with its rows one after the other in memory; itself where they are.

        Of libraries that do not show how their arrays lie, all do.
        """
        return array

    def asarray(self, array: Any, dtype: str | None = None, name: str = "array") -> Array:
        """Return an array of any library as one of this backend's.

        Arrays already on the device are shared where their dtype fits, also between libraries
        (DLPack); others are copied. Numbers of a dtype that some library lacks are widened:
        small floats to float32, long doubles to float64, unsigned integers to int64.

        Parameters
        ----------
        array : array of any library, or nested sequence of numbers
            What to convert.
        dtype : str, optional
            The dtype's name, ``"float32"``; as given where omitted.
        name : str, optional
            What the caller calls it, for the error's message: ``"x"``.

        Returns
        -------
        array
            Of this library, on this device.

        Raises
        ------
        InvalidInputError
            If it holds no real numbers, or is sparse, or an integer does not fit.

        Examples
        --------
        >>> import xpnet
        >>> xpnet.get_backend("numpy").asarray([1, 2], "float32")
        array([1., 2.], dtype=float32)
        """
        # A number beyond float32 becomes infinity in silence: whoever takes data looks for that.
        with self.scope(), np.errstate(over="ignore"):
            own = self.bare(array, name) if self.owns(array) else self._adopt(array, name)
            own = self._widen(own, name)
            if own.device != self.device:
                own = self.move(own)
            return own if dtype is None else self.xp.astype(own, self.dtype(dtype), copy=False)

    def move(self, array: Array) -> Array:
        """Return the library's array on this backend's device."""
        return self.from_numpy(self.to_numpy(array))

    def dtype(self, name: str) -> Any:
        """Return the library's dtype of that name."""
        return getattr(self.xp, name)

    def _widen(self, own: Array, name: str) -> Array:
        """Return the library's array in a dtype that every library has."""
        found = dtype_name(own.dtype)
        wanted = common_dtype(found)
        if wanted == found:
            return own
        if wanted == "float32":
            return self.xp.astype(own, self.dtype(wanted))
        try:
            host = self.to_numpy(own)
        except (TypeError, NotImplementedError) as error:
            raise InvalidInputError(
                f"{name} must be an array of real numbers, not one of dtype {found}"
            ) from error
        return self._from_host(host, name)

    def _from_host(self, array: np.ndarray, name: str) -> Array:
        try:
            return self.from_numpy(plain(array, name))
        except OverflowError as error:
            raise InvalidInputError(f"{name}: {error}") from error

    def _adopt(self, array: Any, name: str) -> Array:
        """Share another library's array on the same device, or copy it by way of the host."""
        owner = backend_of(array)
        if owner is not None:  # DLPack would lose the sign of a tensor that PyTorch negates when it is read
            array = owner.bare(array, name)
        if hasattr(array, "__dlpack__") and not isinstance(array, np.ndarray | np.generic):
            try:
                return self.xp.from_dlpack(array)
            except (BufferError, TypeError, ValueError, RuntimeError, AssertionError):
                # Another device, or a dtype that DLPack or the library lacks: go by the host. PyTorch
                # without CUDA asserts where the array lies on a GPU.
                pass
        return self._from_host(to_host(array, name), name)

    def jit(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Compile a pure function of lists of arrays, where `compiles`."""
        raise NotImplementedError

    def scan(self, step: Callable[..., Any], state: list[Array], rows: list[Array], count: Array) -> Any:
        """Repeat a step within a compiled program, where `compiles`.

        Parameters
        ----------
        step : callable
            From the state, and one row of each array, to the next state and a loss.
        state : list of arrays
            What is carried.
        rows : list of arrays
            What changes from iteration to iteration; None where there is nothing.
        count : array, shape (), int32
            How many rows to take: a value of the program, not a constant of it.

        Returns
        -------
        state : list of arrays
        losses : array, shape (rows,)
            Zeros from ``count`` on.
        """
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Backend) and (self.name, self.device) == (other.name, other.device)

    def __hash__(self) -> int:
        return hash((self.name, str(self.device)))

    def __repr__(self) -> str:
        return f"<xpnet backend {self.name!r} on {self.device}>"
