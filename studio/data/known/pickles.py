"""Takes plain values and arrays of bytes out of a Python pickle without running it.

A pickle is a program. A restricted `pickle.Unpickler` still runs it, and NumPy trusts the state that it is handed.
Here the program is only read: values are kept, the few calls that an array of bytes needs are written down and never
made, and anything else is refused.
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True)
class _Function:
    """A function or class that the pickle names. It is not looked up."""

    name: str  # module and name, with a space between


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
    reader = _Reader()
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
            if count >= MAX_OPERATIONS:
                raise PickleRefusedError("it has too many parts")
            reader.apply(operation.name, argument)
        return reader.stack.pop()
    except (IndexError, KeyError) as error:
        raise PickleRefusedError("its parts do not fit together") from error
    except PickleRefusedError:
        raise
    except ValueError as error:  # genops, at content that is no pickle or ends too early
        raise PickleRefusedError(str(error)) from error


class _Reader:
    """The stack and the memory of a pickle that is being read."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.marks: list[int] = []  # lengths of the stack
        self.memory: dict[int, Any] = {}

    def apply(self, name: str, argument: Any) -> None:
        """Read one operation."""
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        else:
            raise PickleRefusedError(f"it asks for “{name}”, which no array of bytes needs")

    def mark(self, _: Any) -> None:
        self.marks.append(len(self.stack))

    def since_mark(self) -> list[Any]:
        """Take off the stack what came after the last mark."""
        return self.take(len(self.stack) - self.marks.pop())

    def take(self, count: int) -> list[Any]:
        """Take `count` values off the stack, in the order in which they came."""
        if not 0 <= count <= len(self.stack):
            raise PickleRefusedError("its parts do not fit together")
        start = len(self.stack) - count
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def text(self, argument: str) -> None:
        # genops gives the bytes of Python 2 as latin-1 text
        self.stack.append(argument.encode("latin-1"))

    def remember(self, index: int | None) -> None:
        self.memory[len(self.memory) if index is None else index] = self.stack[-1]

    def recall(self, index: int) -> None:
        self.stack.append(self.memory[index])

    def extend(self, items: list[Any]) -> None:
        _typed(self.stack[-1], list).extend(items)

    def update(self, items: list[Any]) -> None:
        target = _typed(self.stack[-1], dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            # Texts only: the hash of tuples nested in one another can take for ever.
            target[_typed(key, (str, bytes))] = value

    def name(self, function: str) -> None:
        if function not in _KNOWN:
            raise PickleRefusedError(f"it asks for “{function[:80].replace(' ', '.')}”, which no array of bytes needs")
        self.stack.append(_Function(function))

    def call(self, _: Any) -> None:
        function, arguments = self.take(2)
        name, arguments = _typed(function, _Function).name, _typed(arguments, tuple)
        self.stack.append(_encoded(arguments) if name == _ENCODE else _Call(name, arguments))

    def build(self, _: Any) -> None:
        state = self.stack.pop()
        _typed(self.stack[-1], _Call).state = state


def _typed(value: Any, kind: type | tuple[type, ...]) -> Any:
    if not isinstance(value, kind):
        raise PickleRefusedError("its parts do not fit together")
    return value


def _encoded(arguments: tuple[Any, ...]) -> bytes:
    match arguments:
        case (str() as text, "latin1" | "latin-1"):
            return text.encode("latin-1")
    raise PickleRefusedError("its parts do not fit together")


_IGNORED = {"PROTO", "FRAME", "STOP"}
_LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[[_Reader, Any], None]] = {
    "MARK": _Reader.mark,
    "BINSTRING": _Reader.text,
    "SHORT_BINSTRING": _Reader.text,
    "TUPLE": lambda reader, _: reader.stack.append(tuple(reader.since_mark())),
    "TUPLE1": lambda reader, _: reader.stack.append(tuple(reader.take(1))),
    "TUPLE2": lambda reader, _: reader.stack.append(tuple(reader.take(2))),
    "TUPLE3": lambda reader, _: reader.stack.append(tuple(reader.take(3))),
    "APPEND": lambda reader, _: reader.extend(reader.take(1)),
    "APPENDS": lambda reader, _: reader.extend(reader.since_mark()),
    "SETITEM": lambda reader, _: reader.update(reader.take(2)),
    "SETITEMS": lambda reader, _: reader.update(reader.since_mark()),
    "BINPUT": _Reader.remember,
    "LONG_BINPUT": _Reader.remember,
    "MEMOIZE": _Reader.remember,
    "BINGET": _Reader.recall,
    "LONG_BINGET": _Reader.recall,
    "GLOBAL": _Reader.name,
    "STACK_GLOBAL": lambda reader, _: reader.name(" ".join(_typed(part, str) for part in reader.take(2))),
    "REDUCE": _Reader.call,
    "BUILD": _Reader.build,
}


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
    content = _typed(raw, (bytes, bytearray))
    plain = len(shape) <= MAX_AXES and all(isinstance(size, int) and size >= 0 for size in shape)
    if not plain or math.prod(shape) != len(content):
        raise PickleRefusedError("its array is not as large as it says")
    return np.frombuffer(content, np.uint8).reshape(shape, order="F" if by_columns else "C")


def _check_dtype(dtype: object) -> None:
    match dtype:
        case _Call(function, (str() | bytes() as code, *_)) if function == _DTYPE and code in ("u1", "|u1", b"u1"):
            return
    raise PickleRefusedError("its array does not consist of bytes")
