"""Takes plain values and arrays of bytes out of a Python pickle without running it.

Values are kept, the few calls that an array of bytes needs are written down and never made, anything else is refused:
NumPy would trust the state that it is handed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from studio.pickles import BrokenPickleError, PickleReader, encoded, typed

if TYPE_CHECKING:
    import numpy as np

MAX_OPERATIONS = 1_000_000  # a batch of CIFAR-10 has about 50,000
MAX_AXES = 8
_CORES = ("numpy.core", "numpy._core")  # NumPy 1 and 2
_REBUILD = {f"{core}.multiarray _reconstruct" for core in _CORES}
_FROM_BUFFER = {f"{core}.numeric _frombuffer" for core in _CORES}
_ENCODE = "_codecs encode"  # bytes, in pickles for Python 2 that were written by Python 3
_DTYPE = "numpy dtype"
_KNOWN = _REBUILD | _FROM_BUFFER | {_ENCODE, _DTYPE, "numpy ndarray"}


class PickleRefusedError(ValueError):
    """A pickle is broken, or asks for more than plain values and arrays of bytes."""


@dataclass(eq=False)
class _Call:
    """A call that the pickle asks for. It is not made."""

    function: str
    arguments: tuple[Any, ...]
    state: object = None


def read_pickle(content: bytes) -> Any:
    """The value that a pickle describes; arrays in it are read by `as_array`.

    Raises:
        PickleRefusedError: if it is broken or asks for anything else.
    """
    try:
        return _Reader().read(content)
    except PickleRefusedError:
        raise
    except BrokenPickleError as error:
        raise PickleRefusedError(f"it {error}") from error
    except ValueError as error:  # of genops at content that is no pickle or ends too early
        raise PickleRefusedError(str(error)) from error


class _Reader(PickleReader):
    known: ClassVar[frozenset[str]] = frozenset(_KNOWN)
    most_operations: ClassVar[int] = MAX_OPERATIONS

    def refused(self, name: str) -> Exception:
        return PickleRefusedError(f"it asks for “{name}”, which no array of bytes needs")

    def called(self, function: str, arguments: tuple[Any, ...]) -> Any:
        return encoded(arguments) if function == _ENCODE else _Call(function, arguments)

    def build(self, state: object) -> None:
        typed(self.stack[-1], _Call).state = state

    def text(self, argument: str) -> bytes:
        return argument.encode("latin-1")


def as_array(value: object) -> np.ndarray:
    """The array of bytes that a part of a pickle describes.

    Returns:
        uint8, read-only, of any number of axes.

    Raises:
        PickleRefusedError: if it is none.
    """
    import numpy as np

    match value:
        case _Call(function, state=(_, tuple() as shape, dtype, fortran, raw)) if function in _REBUILD:
            by_columns = bool(fortran)
        case _Call(function, (raw, dtype, tuple() as shape, str() as letter)) if function in _FROM_BUFFER:
            by_columns = letter == "F"
        case _:
            raise PickleRefusedError("what should be an array is none")
    _check_dtype(dtype)
    if not isinstance(raw, bytes | bytearray):
        raise PickleRefusedError("its array has no bytes")
    content = raw
    plain = len(shape) <= MAX_AXES and all(isinstance(size, int) and size >= 0 for size in shape)
    if not plain or math.prod(shape) != len(content):
        raise PickleRefusedError("its array is not as large as it says")
    return np.frombuffer(content, np.uint8).reshape(shape, order="F" if by_columns else "C")


def _check_dtype(dtype: object) -> None:
    match dtype:
        case _Call(function, (str() | bytes() as code, *_)) if function == _DTYPE and code in ("u1", "|u1", b"u1"):
            return
    raise PickleRefusedError("its array does not consist of bytes")
