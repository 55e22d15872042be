"""What the columns of a Hugging Face dataset hold: read from the description in its files, or from their types.

Source: https://huggingface.co/docs/datasets/about_dataset_features; in files, the JSON of `datasets.Features`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.data.base import DataError
from studio.data.own_files import printable

if TYPE_CHECKING:
    import pyarrow as pa

PICTURE, SOUND, TEXT, NUMBER, CLASS = "picture", "sound", "text", "number", "class"
TOKENS, TAGS, ARRAY, DATE, OTHER = "tokens", "tags", "array", "date", "other"
MOST_COLUMNS = 10_000
MOST_NAMES = 100_000  # of classes
_MOST_JSON = 20_000_000  # characters of a description
_LISTS = ("List", "LargeList", "Sequence")


@dataclass(frozen=True)
class Feature:
    """One column.

    Args:
        name: as the files have it.
        kind: one of the constants above.
        names: of the classes, of a CLASS or TAGS.
        dims: size of each ARRAY.
        whole: whether the numbers are whole ones.
        what: how its type is called in the files, for messages.
    """

    name: str
    kind: str
    names: tuple[str, ...] = ()
    dims: tuple[int, ...] = ()
    whole: bool = False
    what: str = ""


def features_of(schema: pa.Schema, where: str) -> dict[str, Feature]:
    """The columns of a file.

    Args:
        schema: of its table; in its metadata is the description, if Hugging Face's library wrote it.
        where: the file's name, for messages.

    Raises:
        DataError: if the description is broken.
    """
    if len(schema.names) > MOST_COLUMNS:
        raise DataError(f"{where} has {len(schema.names):,} columns; up to {MOST_COLUMNS:,} can be read.")
    if len(set(schema.names)) != len(schema.names):
        raise DataError(f"{where} has two columns of the same name.")
    described = _described(schema, where)
    return {
        field.name: _from_json(field.name, described[field.name], where)
        if field.name in described
        else _from_type(field.name, field.type)
        for field in schema
    }


def has_description(schema: pa.Schema) -> bool:
    """Whether Hugging Face's library wrote the file."""
    return b"huggingface" in (schema.metadata or {})


def _described(schema: pa.Schema, where: str) -> Mapping[str, Any]:
    text = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        if len(text) > _MOST_JSON:
            raise ValueError("it is too long")
        info = json.loads(text)
        features = info.get("info", {}).get("features") or {}
    except (ValueError, AttributeError, RecursionError) as error:
        raise DataError(f"{where}: the description of its columns cannot be read ({error}).") from error
    return features if isinstance(features, Mapping) else {}


def _from_json(name: str, described: Any, where: str) -> Feature:
    if isinstance(described, list) and len(described) == 1:  # as lists were written before 2.0
        described = {"_type": "Sequence", "feature": described[0]}
    if not isinstance(described, Mapping):
        return Feature(name, OTHER, what="unknown")
    what = str(described.get("_type", "nested"))[:40]
    match what:
        case "Image":
            return Feature(name, PICTURE, what=what)
        case "Audio":
            return Feature(name, SOUND, what=what)
        case "Value":
            return _value(name, str(described.get("dtype", "")))
        case "ClassLabel":
            return Feature(name, CLASS, _class_names(name, described, where), whole=True, what=what)
        case "Array2D" | "Array3D" | "Array4D" | "Array5D":
            return _array(name, described.get("shape"), what)
        case _ if what in _LISTS:
            return _list(name, described, where)
    return Feature(name, OTHER, what=what)


def _class_names(name: str, described: Mapping[str, Any], where: str) -> tuple[str, ...]:
    names = described.get("names")
    if names is None and isinstance(count := described.get("num_classes"), int) and 0 < count <= MOST_NAMES:
        names = [str(number) for number in range(count)]
    plain = isinstance(names, list) and all(isinstance(one, str) for one in names)
    if not plain or not names or len(names) > MOST_NAMES or len(set(names)) != len(names):
        raise DataError(f"{where}: the names of the classes of “{printable(name)}” are missing, or not all different.")
    return tuple(names)


def _value(name: str, dtype: str) -> Feature:
    if dtype in ("string", "large_string"):
        return Feature(name, TEXT, what=dtype)
    if dtype.startswith(("int", "uint", "bool")):
        return Feature(name, NUMBER, whole=True, what=dtype)
    if dtype.startswith(("float", "decimal")):
        return Feature(name, NUMBER, what=dtype)
    if dtype.startswith(("timestamp", "date", "time", "duration")):
        return Feature(name, DATE, what=dtype)
    return Feature(name, OTHER, what=dtype)


def _array(name: str, shape: Any, what: str) -> Feature:
    if isinstance(shape, list) and all(isinstance(size, int) and 0 < size < 2**31 for size in shape):
        return Feature(name, ARRAY, dims=tuple(shape), what=what)
    return Feature(name, OTHER, what=f"{what} of any size")


def _list(name: str, described: Mapping[str, Any], where: str) -> Feature:
    inner, length = _from_json(name, described.get("feature"), where), described.get("length", -1)
    if inner.kind == TEXT:
        return Feature(name, TOKENS, what="list of texts")
    if inner.kind == CLASS:
        return Feature(name, TAGS, inner.names, whole=True, what="list of classes")
    fixed = isinstance(length, int) and length > 0
    if inner.kind in (NUMBER, ARRAY) and fixed:
        return Feature(name, ARRAY, dims=(length, *inner.dims), whole=inner.whole, what="list of numbers")
    return Feature(name, OTHER, what=f"list of {inner.what}")


def _from_type(name: str, kind: Any) -> Feature:
    """A column that nothing describes."""
    import pyarrow.types as types

    if types.is_string(kind) or types.is_large_string(kind) or str(kind) == "string_view":
        return Feature(name, TEXT, what="string")
    if types.is_integer(kind) or types.is_boolean(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return _value(name, str(kind).replace("double", "float64").replace("halffloat", "float16"))
    if types.is_temporal(kind):
        return Feature(name, DATE, what=str(kind))
    if types.is_struct(kind) and {field.name for field in kind} == {"bytes", "path"}:
        return Feature(name, PICTURE, what="struct of bytes and path")
    if types.is_fixed_size_list(kind):
        inner = _from_type(name, kind.value_type)
        if inner.kind in (NUMBER, ARRAY):
            return Feature(name, ARRAY, dims=(kind.list_size, *inner.dims), whole=inner.whole, what=str(kind)[:40])
    if (types.is_list(kind) or types.is_large_list(kind)) and _from_type(name, kind.value_type).kind == TEXT:
        return Feature(name, TOKENS, what="list of texts")
    return Feature(name, OTHER, what=str(kind)[:40])


def size_of(dims: tuple[int, ...]) -> int:
    """How many numbers one array has."""
    return math.prod(dims)
