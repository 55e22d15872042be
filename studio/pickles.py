"""Reads a Python pickle like a text, without running it.

A pickle is a program. A restricted `pickle.Unpickler` still runs it. Here nothing that it names is looked up, and
nothing of what it asks for is done: plain values are kept, and a reader says what becomes of the calls that it knows.
"""

from __future__ import annotations

import io
import pickletools
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar


class BrokenPickleError(ValueError):
    """A pickle is broken, or has more in it than its reader takes; the message goes on from “it”."""


@dataclass(frozen=True)
class Name:
    """A function or class that a pickle names."""

    name: str  # module and name, with a space between


class PickleReader(ABC):
    """The stack and the memory of a pickle that is being read. Each kind of file has a reader that knows its calls."""

    known: ClassVar[frozenset[str]]  # functions and classes that it may name, each with a space behind its module
    most_operations: ClassVar[int]

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._marks: list[int] = []  # lengths of the stack
        self._memory: dict[int, Any] = {}

    def read(self, content: bytes | io.BytesIO) -> Any:
        """The value that a pickle describes.

        Args:
            content: its bytes, or a file at its start; afterwards that is behind its end.

        Raises:
            BrokenPickleError: if it is broken or too long.
            What `refused` raises.
        """
        try:
            for count, (operation, argument, _) in enumerate(pickletools.genops(content)):
                if count >= self.most_operations:
                    raise BrokenPickleError("has too many parts")
                self._apply(operation.name, argument)
            (value,) = self.stack
        except (IndexError, KeyError, TypeError, OverflowError) as error:
            raise _unfit() from error
        return value

    @abstractmethod
    def refused(self, name: str) -> Exception:
        """What to raise at an operation, a function or a class that is not known."""

    @abstractmethod
    def called(self, function: str, arguments: tuple[Any, ...]) -> Any:
        """What takes the place of a call of something known, which is not made."""

    @abstractmethod
    def build(self, state: object) -> None:
        """The state of what lies uppermost on the stack."""

    def persistent(self, reference: object) -> Any:
        """What takes the place of something that lies outside the pickle."""
        raise self.refused("BINPERSID")

    def text(self, argument: str) -> Any:
        """What takes the place of a text of Python 2; genops gives its bytes as latin-1."""
        return argument

    def ignores(self, target: object) -> bool:
        """Whether it does not matter what is put into this."""
        return False

    def _apply(self, name: str, argument: Any) -> None:
        if name in _IGNORED:
            return
        if name in _LITERALS:
            self.stack.append(argument)
        elif name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _OPERATIONS:
            _OPERATIONS[name](self, argument)
        else:
            raise self.refused(name)

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self.stack))

    def _since_mark(self) -> list[Any]:
        """Take off the stack what came after the last mark."""
        return self._take(len(self.stack) - self._marks.pop())

    def _take(self, count: int) -> list[Any]:
        """Take `count` values off the stack, in the order in which they came."""
        floor = self._marks[-1] if self._marks else 0
        start = len(self.stack) - count
        if count < 0 or start < floor:
            raise _unfit()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def _remember(self, index: int | None) -> None:
        self._memory[len(self._memory) if index is None else index] = self.stack[-1]

    def _extend(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if isinstance(target, set):
            target.update(map(plain_key, items))
        elif not self.ignores(target):
            typed(target, list).extend(items)

    def _update(self, items: list[Any]) -> None:
        target = self.stack[-1]
        if self.ignores(target):
            return
        for key, value in zip(items[::2], items[1::2], strict=True):
            typed(target, dict)[plain_key(key)] = value

    def _name(self, function: str) -> None:
        if function not in self.known:
            raise self.refused(function.replace(" ", ".")[:80])
        self.stack.append(Name(function))

    def _call(self, _: Any) -> None:
        function, arguments = self._take(2)
        self.stack.append(self.called(typed(function, Name).name, typed(arguments, tuple)))


def _unfit() -> BrokenPickleError:
    return BrokenPickleError("is damaged: its parts do not fit together")


def typed(value: Any, kind: type | tuple[type, ...]) -> Any:
    """A value that must be of a kind. Raises BrokenPickleError."""
    if not isinstance(value, kind):
        raise _unfit()
    return value


def plain_key(key: Any) -> Any:
    """A key that must be a plain value: the hash of tuples in one another can take for ever.

    Raises:
        BrokenPickleError: if it is none.
    """
    return typed(key, (str, int, float, bytes, type(None)))


def encoded(arguments: tuple[Any, ...]) -> bytes:
    """What `_codecs.encode` gives: bytes, in pickles for Python 2 that were written by Python 3."""
    match arguments:
        case (str() as text, "latin1" | "latin-1"):
            return text.encode("latin-1")
    raise _unfit()


_IGNORED = {"PROTO", "FRAME", "STOP"}
_LITERALS = {
    "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_DICT": dict, "EMPTY_SET": set,
}  # fmt: skip
_OPERATIONS: dict[str, Callable[[PickleReader, Any], None]] = {
    "MARK": PickleReader._mark,
    "BINSTRING": lambda reader, argument: reader.stack.append(reader.text(argument)),
    "SHORT_BINSTRING": lambda reader, argument: reader.stack.append(reader.text(argument)),
    "TUPLE": lambda reader, _: reader.stack.append(tuple(reader._since_mark())),
    "TUPLE1": lambda reader, _: reader.stack.append(tuple(reader._take(1))),
    "TUPLE2": lambda reader, _: reader.stack.append(tuple(reader._take(2))),
    "TUPLE3": lambda reader, _: reader.stack.append(tuple(reader._take(3))),
    "APPEND": lambda reader, _: reader._extend(reader._take(1)),
    "APPENDS": lambda reader, _: reader._extend(reader._since_mark()),
    "ADDITEMS": lambda reader, _: reader._extend(reader._since_mark()),
    "SETITEM": lambda reader, _: reader._update(reader._take(2)),
    "SETITEMS": lambda reader, _: reader._update(reader._since_mark()),
    "BINPUT": PickleReader._remember,
    "LONG_BINPUT": PickleReader._remember,
    "MEMOIZE": PickleReader._remember,
    "BINGET": lambda reader, index: reader.stack.append(reader._memory[index]),
    "LONG_BINGET": lambda reader, index: reader.stack.append(reader._memory[index]),
    "GLOBAL": PickleReader._name,
    "STACK_GLOBAL": lambda reader, _: reader._name(" ".join(typed(part, str) for part in reader._take(2))),
    "REDUCE": PickleReader._call,
    "BUILD": lambda reader, _: reader.build(reader.stack.pop()),
    "BINPERSID": lambda reader, _: reader.stack.append(reader.persistent(reader.stack.pop())),
}
