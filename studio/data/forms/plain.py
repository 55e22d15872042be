"""Values that nothing had to be learned of: named numbers, characters with a number each, arrays.

Axis letters: D features, L characters.
"""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.forms.base import (
    MOST_CHARACTERS,
    InputError,
    Raw,
    RawForm,
    described,
    file_bytes,
    numbers_of,
    shown,
)
from studio.data.spec import DataSpec
from studio.data.tables.values import as_number
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    import numpy as np

    from studio.data.scaling import Scaling

MOST_NAMED = 20  # columns that a message names
EMPTY = "The text is empty."
Range = tuple[float, float]


@dataclass(frozen=True)
class NumbersForm(RawForm):
    """Some numbers (D,) with names.

    Args:
        names: of the numbers.
        usual: for each a range in which it usually is; none if nothing was measured.
        middles: for each a usual value; none as for these.
    """

    kind: ClassVar[str] = "numbers"
    in_tables: ClassVar[bool] = True

    names: tuple[str, ...]
    usual: tuple[Range, ...] = ()
    middles: tuple[float, ...] = ()

    @property
    def about(self) -> str:
        """Their names."""
        return f"{len(self.names):,} numbers: {named(self.names)}."

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """(D,)."""
        return ((len(self.names),),)

    @property
    def schema(self) -> dict[str, Any]:
        """An object with the names, or a list in their order."""
        count = len(self.names)
        examples = [dict(zip(self.names, self.middles, strict=True))] if self.middles else []
        return {
            "oneOf": [
                {
                    "type": "object", "required": list(self.names), "examples": examples,
                    "properties": {name: {"type": "number"} for name in self.names},
                },
                {"type": "array", "items": {"type": "number"}, "minItems": count, "maxItems": count},
            ],
            "description": self.about,
        }  # fmt: skip

    def measured(self, scalings: Sequence[Scaling], method: str) -> NumbersForm:
        """With the ranges of the training split."""
        usual = usual_ranges(scalings[0], len(self.names), method)
        middles = tuple((low + high) / 2 for low, high in usual)
        return dataclasses.replace(self, usual=usual, middles=middles)

    def read(self, given: object) -> Raw:
        """The numbers.

        Args:
            given: a mapping of the names to numbers, or to texts that are numbers; others in it are not used. Or an
                array or a list (D,) in their order.
        """
        if not isinstance(given, Mapping):
            return Raw((numbers_of(given, self.dims[0]),))
        missing = [name for name in self.names if name not in given]
        if missing:
            raise InputError(missing_text(missing, self.names))
        return Raw((numbers_of([_number(name, given[name]) for name in self.names], self.dims[0]),))


def _number(name: str, value: object) -> float:
    found: object = value
    if isinstance(value, str):
        found = as_number(value.strip())
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found:
        raise InputError(f"“{name[:80]}” must be a number, not {quoted(value)}.")
    try:
        return float(found)
    except OverflowError as error:
        raise InputError(f"“{name[:80]}” is too large a number.") from error


def quoted(value: object) -> str:
    """A value for a message."""
    return f"“{value[:80]}”" if isinstance(value, str) else described(value)


def named(names: Sequence[str]) -> str:
    """Names for a sentence, the first of them."""
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f"“{name[:80]}”" for name in names[:MOST_NAMED]) + more


def missing_text(missing: Sequence[str], names: Sequence[str]) -> str:
    """What to say of columns that were not given."""
    what = "These columns are" if len(missing) > 1 else "This column is"
    return f"{what} missing: {named(missing)}. Wanted are {named(names)}."


def usual_ranges(scaling: Scaling, count: int, method: str) -> tuple[Range, ...]:
    """Where numbers usually are, by what was measured on the training split: all of them, or two spreads to each side.

    Args:
        count: of the numbers; none are given where the scaling has not one for each.
        method: one of SCALINGS.
    """
    pairs = list(zip(scaling.shift, scaling.scale, strict=True))
    if len(pairs) != count or method == "none" or not all(scale for _, scale in pairs):
        return ()
    if method == "unit range":
        return tuple((shift, shift + 1 / scale) for shift, scale in pairs)
    return tuple((shift - 2 / scale, shift + 2 / scale) for shift, scale in pairs)


@dataclass(frozen=True)
class CharactersForm(RawForm):
    """A text of characters with a number each (L,): its end counts, and it may be shorter.

    Args:
        characters: all that there are, in the order of their numbers.
        length: L.
    """

    kind: ClassVar[str] = "characters"
    suffixes: ClassVar[frozenset[str]] = frozenset((".txt",))
    media: ClassVar[str] = "text/plain"

    characters: str
    length: int

    @property
    def about(self) -> str:
        """How much of a text is used."""
        return f"A text; its last {self.length:,} characters are used."

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """(L,)."""
        return ((self.length,),)

    @property
    def schema(self) -> dict[str, Any]:
        """A text."""
        return {"type": "string", "minLength": 1, "maxLength": MOST_CHARACTERS, "description": self.about}

    def read(self, given: object) -> Raw:
        """The numbers of the characters; behind a short text stands the first of all, which nobody may look at.

        Args:
            given: a text, the Path of one, or the bytes of one.
        """
        import numpy as np

        text = text_of(given)
        if not text:
            raise InputError(EMPTY)
        used = text[-self.length :]
        numbers = {character: number for number, character in enumerate(self.characters)}
        unknown = sorted({character for character in used if character not in numbers})
        if unknown:
            shown_ones = " ".join(f"“{c}”" if c.isprintable() else f"U+{ord(c):04X}" for c in unknown[:10])
            raise InputError(
                f"The network knows only {len(numbers)} characters; these are not among them: {shown_ones}"
            )
        found = np.zeros(self.length, np.int64)
        found[: len(used)] = [numbers[character] for character in used]
        cut = f"Only the last {self.length:,} of {len(text):,} characters are used."
        return Raw((found,), (cut,) if len(text) > self.length else (), len(used))


def text_of(given: object) -> str:
    """A text, which may be empty, from itself, a Path or bytes. Raises InputError."""
    from studio.data.base import DataError
    from studio.data.encodings import decode

    text = given
    if isinstance(given, Path | bytes | bytearray):
        name = shown(given) if isinstance(given, Path) else "The text"
        content = file_bytes(given, 4 * MOST_CHARACTERS) if isinstance(given, Path) else bytes(given)
        try:
            text = decode(content, name)[0].replace("\r\n", "\n")
        except DataError as error:
            raise InputError(str(error)) from error
    if not isinstance(text, str):
        raise InputError(f"A text is wanted, not {described(text)}.")
    if len(text) > MOST_CHARACTERS:
        raise InputError(f"The text has {len(text):,} characters; up to {MOST_CHARACTERS:,} are read.")
    return text


@dataclass(frozen=True)
class ArrayForm(RawForm):
    """Numbers of one size, as the network takes them before they are scaled.

    Args:
        size: of the array.
        whole: whether they are whole numbers, which stand for tokens.
        why: what to say of where they come from; empty if there is nothing.
    """

    kind: ClassVar[str] = "array"
    suffixes: ClassVar[frozenset[str]] = frozenset((".npy",))
    media: ClassVar[str] = "application/octet-stream"

    size: tuple[int, ...]
    whole: bool = False
    why: str = ""

    @property
    def about(self) -> str:
        """The size."""
        size, what = "×".join(map(str, self.size)), "whole numbers (tokens)" if self.whole else "numbers"
        return f"An array of {size} {what}, as a file of NumPy (.npy) or as lists.{f' {self.why}' if self.why else ''}"

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """The size."""
        return (self.size,)

    @property
    def schema(self) -> dict[str, Any]:
        """Lists in lists."""
        inner: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        for size in reversed(self.size):
            inner = {"type": "array", "items": inner, "minItems": size, "maxItems": size}
        return {**inner, "description": self.about}

    def read(self, given: object) -> Raw:
        """The numbers.

        Args:
            given: an array or lists; the Path or the bytes of a file of NumPy.
        """
        if isinstance(given, Path):
            given = load_array(file_bytes(given), self.size, shown(given))
        elif isinstance(given, bytes | bytearray):
            given = load_array(bytes(given), self.size, "What was given")
        return Raw((numbers_of(given, self.size, whole=self.whole),))


def load_array(content: bytes, dims: tuple[int, ...], name: str) -> np.ndarray:
    """An array of NumPy's own file format, of a size that is known: nothing else is read. Raises InputError."""
    import math

    import numpy as np

    file = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(file)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = reader(file)
    except Exception as error:  # its header is Python, and NumPy raises what reading that raises
        raise InputError(f"{name} is no array of NumPy (.npy).") from error
    if shape not in (dims, (1, *dims)):
        wanted, size = ("×".join(map(str, sizes)) for sizes in (dims, shape))
        raise InputError(f"{name} has numbers of the size {size}; {wanted} is wanted.")
    left = len(content) - file.tell()
    if dtype.hasobject or dtype.kind not in "iufb" or left != math.prod(shape) * dtype.itemsize:
        raise InputError(f"{name} is damaged, or holds something other than numbers.")
    return np.frombuffer(content, dtype, offset=file.tell()).reshape(shape, order="F" if fortran else "C")


def plain_form(tensor: TensorSpec, why: str = "") -> RawForm:
    """The form of an input of which nothing more is known than its size."""
    if tensor.axes == "D" and tensor.dtype == "float" and not why:
        return NumbersForm(tuple(f"x{number}" for number in range(1, tensor.dims[0] + 1)))
    return ArrayForm(tensor.dims, tensor.dtype == "int", why)


def plain_forms(spec: DataSpec) -> tuple[RawForm, ...]:
    """The form of each input, by names of features and characters where the spec knows them."""
    first = spec.inputs[0]
    if len(spec.inputs) == 1 and spec.characters and first.axes == "L":
        return (CharactersForm(spec.characters, first.dims[0]),)
    if len(spec.inputs) == 1 and first.axes == "D" and len(spec.features) == first.dims[0] and first.dtype == "float":
        return (NumbersForm(spec.features),)
    return tuple(plain_form(tensor) for tensor in spec.inputs)
