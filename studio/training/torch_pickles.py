"""What a pickle of torch says, read like a text: nothing that it names is looked up, nothing that it asks for is done.

Even `torch.load(weights_only=True)` runs a pickle with the functions that it allows, and those can be made to fill the
memory. Here, tensors are descriptions of where their numbers lie, and each is checked against what it lies in.
"""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from studio.pickles import BrokenPickleError, Name, PickleReader, encoded, plain_key, typed

MAX_OPERATIONS = 5_000_000  # a checkpoint of a network with a thousand tensors has about 100,000
MAX_AXES = 16
MAX_DEPTH = 64  # of lists and dictionaries in one another
MAX_PARTS = 2_000_000  # of the content, each counted as often as it is named
_LARGEST = 2**62

_STORAGES = {
    "DoubleStorage": torch.float64, "FloatStorage": torch.float32, "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16, "LongStorage": torch.int64, "IntStorage": torch.int32,
    "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8, "BoolStorage": torch.bool,
    "ComplexFloatStorage": torch.complex64, "ComplexDoubleStorage": torch.complex128,
}  # fmt: skip
_UNTYPED = ("torch.storage UntypedStorage", "torch UntypedStorage")
_NUMBERS = (
    "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "uint16", "uint32",
    "uint64", "bool", "complex64", "complex128", "float8_e4m3fn", "float8_e5m2",
)  # fmt: skip
_DTYPES = {f"torch {name}": getattr(torch, name) for name in _NUMBERS}
_DICTIONARY = "collections OrderedDict"
_TENSOR = "torch._utils _rebuild_tensor_v2"
_OLD_TENSOR = "torch._utils _rebuild_tensor"
_NEW_TENSOR = "torch._utils _rebuild_tensor_v3"
_PARAMETERS = ("torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state")
_SIZE = "torch Size"
_ENCODE = "_codecs encode"
_SETS = ("builtins set", "__builtin__ set")
# Often beside the weights, and of no use here. They are never made, either.
_INERT = {
    "numpy dtype", "numpy.core.multiarray scalar", "numpy._core.multiarray scalar", "torch device",
    "collections defaultdict", "collections Counter", "argparse Namespace", "datetime datetime",
}  # fmt: skip
_KNOWN = {
    _DICTIONARY, _TENSOR, _OLD_TENSOR, _NEW_TENSOR, *_PARAMETERS, _SIZE, _ENCODE, *_SETS, *_UNTYPED, *_DTYPES,
    *_INERT, *(f"torch {name}" for name in _STORAGES),
}  # fmt: skip


class TorchFileError(ValueError):
    """A file of torch is broken, or is none; the message goes on from the file's name."""


class CodeInFileError(TorchFileError):
    """A file asks for more than tensors and plain values.

    Args:
        name: what it asks for, such as "os.system".
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"holds something other than tensors and plain values (“{name}”). Opening it could run code, so it is "
            "refused."
        )
        self.name = name


@dataclass(frozen=True)
class StoredNumbers:
    """Numbers in a record of the file, which several tensors may share.

    Args:
        key: of the record.
        dtype: None for plain bytes.
        count: how many of `dtype`.
    """

    key: str
    dtype: torch.dtype | None
    count: int

    @property
    def size_bytes(self) -> int:
        """How many bytes they take."""
        return self.count * (self.dtype.itemsize if self.dtype is not None else 1)


@dataclass(frozen=True, eq=False)
class StoredTensor:
    """A tensor that was not read yet; it lies within its numbers.

    Args:
        offset: of its first number.
        strides: how many numbers to go on for the next one along each axis.
    """

    numbers: StoredNumbers
    offset: int
    dims: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: torch.dtype

    @property
    def numel(self) -> int:
        """How many numbers it has."""
        return math.prod(self.dims)

    @property
    def extent(self) -> int:
        """From its first number to behind its last one."""
        steps = zip(self.dims, self.strides, strict=True)
        return 1 + sum((size - 1) * stride for size, stride in steps) if self.numel else 0


@dataclass(frozen=True)
class Inert:
    """Something that is known to be harmless and of no use here."""

    name: str


def read_pickle(file: io.BytesIO) -> Any:
    """The value that a pickle describes, with a `StoredTensor` for each tensor.

    Args:
        file: at the start of the pickle; afterwards behind its end.

    Raises:
        CodeInFileError: if it asks for anything but tensors and plain values.
        TorchFileError: if it is broken, nested too deep, or unfolds to too much.
    """
    try:
        value = _Reader().read(file)
    except TorchFileError:
        raise
    except BrokenPickleError as error:
        raise TorchFileError(f"{error}.") from error
    except ValueError as error:  # of genops at what is no pickle
        raise _damaged() from error
    _Measure().parts(value)
    return value


class _Measure:
    """Counts parts, without unfolding what is named again and again."""

    def __init__(self) -> None:
        self.known: dict[int, int] = {}
        self.open: set[int] = set()

    def parts(self, value: Any) -> int:
        """How many parts a value has. Raises TorchFileError if they are too many, too deep, or within themselves."""
        if not isinstance(value, dict | list | tuple):
            return 1
        if id(value) in self.known:
            return self.known[id(value)]
        if id(value) in self.open or len(self.open) >= MAX_DEPTH:
            raise TorchFileError(f"is nested deeper than {MAX_DEPTH} levels, which no such file is.")
        self.open.add(id(value))
        count = 1 + sum(map(self.parts, value.values() if isinstance(value, dict) else value))
        self.open.discard(id(value))
        if count > MAX_PARTS:
            raise TorchFileError("has too many parts.")
        self.known[id(value)] = count
        return count


class _Reader(PickleReader):
    known: ClassVar[frozenset[str]] = frozenset(_KNOWN)
    most_operations: ClassVar[int] = MAX_OPERATIONS

    def refused(self, name: str) -> Exception:
        return CodeInFileError(name)

    def called(self, function: str, arguments: tuple[Any, ...]) -> Any:
        return _called(function, arguments)

    def build(self, state: object) -> None:
        """Of a dictionary's attributes, as a state dict's versions, nothing is needed."""
        typed(self.stack[-1], (dict, Inert))

    def ignores(self, target: object) -> bool:
        return isinstance(target, Inert)

    def persistent(self, reference: object) -> StoredNumbers:
        """A record."""
        match reference:
            case ("storage", Name(name), str() as key, str(), int() as count, *rest) if not any(rest):
                untyped = name in _UNTYPED
                dtype = None if untyped else _STORAGES.get(name.removeprefix("torch "))
                if (untyped or dtype is not None) and _is_size(count):
                    return StoredNumbers(key, dtype, count)
        raise TorchFileError("is damaged: it names numbers in a way that torch does not.")


def _called(function: str, arguments: tuple[Any, ...]) -> Any:
    """What a call gives that a file of torch may ask for; it is not made."""
    match function, arguments:
        case ("collections OrderedDict", ()):
            return {}
        case ("collections OrderedDict", (list() as pairs,)):
            return {plain_key(key): value for key, value in pairs}
        case ("torch._utils _rebuild_tensor" | "torch._utils _rebuild_tensor_v2", (numbers, offset, dims, strides, *_)):
            return _tensor(numbers, offset, dims, strides, typed(numbers, StoredNumbers).dtype)
        case ("torch._utils _rebuild_tensor_v3", (numbers, offset, dims, strides, _, _, Name(name), *_)):
            return _tensor(numbers, offset, dims, strides, _DTYPES.get(name))
        case ("torch Size", (tuple() | list() as dims,)):
            return tuple(dims)
        case ("_codecs encode", _):
            return encoded(arguments)
        case ("builtins set" | "__builtin__ set", (list() as items,)):
            return {plain_key(item) for item in items}
    if function in _PARAMETERS and arguments:
        return typed(arguments[0], StoredTensor)
    if function in _INERT:
        return Inert(function)
    raise _damaged()


def _tensor(numbers: Any, offset: Any, dims: Any, strides: Any, dtype: torch.dtype | None) -> StoredTensor:
    numbers, dims, strides = typed(numbers, StoredNumbers), tuple(dims), tuple(strides)
    sizes = (offset, *dims, *strides)
    if dtype is None or len(dims) != len(strides) or len(dims) > MAX_AXES or not all(map(_is_size, sizes)):
        raise TorchFileError("is damaged: the size of a tensor is no size.")
    if numbers.dtype not in (None, dtype):
        raise TorchFileError("is damaged: a tensor has other numbers than what it lies in.")
    tensor = StoredTensor(numbers, offset, dims, strides, dtype)
    if (offset + tensor.extent) * dtype.itemsize > numbers.size_bytes:
        raise TorchFileError("is damaged: a tensor is larger than what it lies in.")
    return tensor


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 <= value < _LARGEST


def _damaged() -> TorchFileError:
    return TorchFileError("is damaged: its parts do not fit together.")
