"""What every form of a raw value has."""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio import storage
from studio.data.base import DataError
from studio.data.own_files import printable

if TYPE_CHECKING:
    import numpy as np

    from studio.data.scaling import Scaling

MOST_FILE_BYTES = 2**29  # of one raw value
MOST_CHARACTERS = 1_000_000  # of one text


class InputError(DataError):
    """What was given cannot become an input; the message says why, and what would do."""


@dataclass(frozen=True, eq=False)
class Raw:
    """One raw value as numbers.

    Args:
        arrays: for each input that it is for (*dims): uint8, float32 or int64, not yet scaled.
        notes: what was done about it that a person should know, in sentences.
        places: how many steps at the beginning are real, where the rest was filled up; 0 if all are.
        words: what stands at each of these steps, where it was given as words.
    """

    arrays: tuple[np.ndarray, ...]
    notes: tuple[str, ...] = ()
    places: int = 0
    words: tuple[str, ...] = ()


class RawForm(ABC):
    """In which form one raw value is given."""

    kind: ClassVar[str]  # picture, sound, text, row, numbers, window, characters or array
    suffixes: ClassVar[frozenset[str]] = frozenset()  # of files that hold one such value each
    in_tables: ClassVar[bool] = False  # whether each row of a table is one such value
    media: ClassVar[str] = ""  # type of a file's content in HTTP, such as image/*

    @property
    def inputs(self) -> int:
        """How many inputs of the network it is for."""
        return 1

    @property
    @abstractmethod
    def about(self) -> str:
        """What is to be given, in a sentence for people."""

    @property
    @abstractmethod
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """The sizes of the arrays that `read` gives."""

    @property
    @abstractmethod
    def schema(self) -> dict[str, Any]:
        """What `from_json` takes, as a JSON schema (draft 2020-12)."""

    @abstractmethod
    def read(self, given: object) -> Raw:
        """Turn one raw value into numbers.

        Args:
            given: a Path of a file, the bytes of one, or the value itself; see the form.

        Raises:
            InputError: if it cannot be.
        """

    def from_json(self, value: Any) -> object:
        """What `read` takes, from a JSON value of the `schema`. Raises InputError."""
        return value

    def measured(self, scalings: Sequence[Scaling], method: str) -> RawForm:
        """The same with what the scalings of its inputs tell of usual values.

        Args:
            method: how they were measured, one of SCALINGS.
        """
        return self


def file_bytes(path: Path, most: int = MOST_FILE_BYTES) -> bytes:
    """The content of a file. Raises InputError."""
    try:
        content = storage.read_bytes(path, most)
    except storage.StorageError as error:
        raise InputError(str(error)) from error
    if not content:
        raise InputError(f"{shown(path)} is empty.")
    return content


def shown(path: Path) -> str:
    """A file's name for a message."""
    return printable(str(path), 300)


def base64_bytes(value: Any, what: str) -> bytes:
    """The bytes of a file in JSON: a text in base64, also as a data: address. Raises InputError."""
    if not isinstance(value, str):
        raise InputError(f"{what} must be given as a text in base64, not as {described(value)}.")
    text = value
    if text.startswith("data:"):
        head, _, text = text.partition(",")
        if not head.endswith(";base64"):
            raise InputError(f"{what} as a data: address must be in base64.")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{what} is not in base64.") from error


def described(value: object) -> str:
    """What kind of value something is, for people."""
    if isinstance(value, bool):
        return "true or false"
    names = {str: "a text", bytes: "bytes", dict: "an object", list: "a list", int: "a number", float: "a number"}
    return "nothing" if value is None else names.get(type(value), f"a {type(value).__name__}")


def numbers_of(given: object, dims: tuple[int, ...], *, whole: bool = False) -> np.ndarray:
    """An array of exactly one size.

    Args:
        given: an array of NumPy, or nested lists of numbers; a first axis of 1 may stand before the others.
        whole: whether whole numbers are wanted, int64; else bytes stay bytes, and all others become float32.

    Raises:
        InputError: if it is of another size, or has places without a finite number.
    """
    import numpy as np

    wanted = "×".join(map(str, dims)) or "a single one"
    if not isinstance(given, np.ndarray | np.generic | list | tuple | int | float) or isinstance(given, bool):
        raise InputError(f"Numbers of the size {wanted} are wanted, not {described(given)}.")
    try:
        array = np.asarray(given)
    except (ValueError, OverflowError) as error:  # lists of different lengths
        raise InputError(f"Numbers of the size {wanted} are wanted: the lists in it differ in length.") from error
    if array.dtype.kind not in "iufb":
        raise InputError(f"Numbers of the size {wanted} are wanted, but not all of these are numbers.")
    if array.shape == (1, *dims):
        array = array[0]
    if array.shape != dims:
        size = "×".join(map(str, array.shape)) or "a single number"
        raise InputError(f"Numbers of the size {wanted} are wanted, but these are {size}.")
    return _typed(array, whole)


def _typed(array: np.ndarray, whole: bool) -> np.ndarray:
    import numpy as np

    if whole:
        if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.rint(array)).all()):
            raise InputError("Whole numbers are wanted, since they stand for tokens.")
        return array.astype(np.int64)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    with np.errstate(over="ignore"):
        array = array.astype(np.float32)
    if not np.isfinite(array).all():
        raise InputError("There are places that are no number, infinite, or too large for 32 bits.")
    return np.ascontiguousarray(array)
