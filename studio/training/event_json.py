"""Events as JSON and back: for the lines that the command line prints, and between processes.

JSON knows no number that is none: such as the loss of a run that diverged is null. Bytes are base64.
"""

from __future__ import annotations

import base64
import binascii
import functools
import math
import re
import types
import typing
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any

from studio.storage import BadFileError
from studio.training.events import EpochEnded, Event


def event_to_json(event: Event) -> dict[str, Any]:
    """An event as plain JSON values; "event" is its name."""
    values: dict[str, Any] = plain(asdict(event))
    return {"event": name_of(type(event)), **values}


def event_from_json(data: object) -> Event:
    """The event that `event_to_json` wrote.

    Raises:
        BadFileError: if it is no such event.
    """
    if not isinstance(data, dict) or not isinstance(data.get("event"), str):
        raise BadFileError("An event of the run has no name.")
    kind = _kinds().get(data["event"])
    if kind is None:
        raise BadFileError(f"There is no event “{data['event'][:40]}” in a run.")
    event: Event = _object(kind, {name: value for name, value in data.items() if name != "event"})
    return event


def name_of(kind: type[Event]) -> str:
    """What an event is called in JSON: "started", "progress"."""
    if kind is EpochEnded:
        return "epoch"
    return re.sub(r"(?<!^)(?=[A-Z])", "-", kind.__name__).lower()


@functools.cache
def _kinds() -> dict[str, type[Event]]:
    return {name_of(kind): kind for kind in Event.__subclasses__()}


def plain(value: Any) -> Any:
    """A value of dictionaries, lists, numbers, texts and bytes as JSON knows them."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case bytes():
            return base64.b64encode(value).decode("ascii")
        case dict():
            return {name: plain(part) for name, part in value.items()}
        case list() | tuple():
            return [plain(part) for part in value]
    return value


_FLAT = (str, int, bool)


def _object(kind: Any, data: object) -> Any:
    """A dataclass from the values of its fields, each of which must be of its declared type."""
    types_of = _types(kind)
    if not isinstance(data, dict) or not _needed(kind) <= data.keys() <= types_of.keys():
        raise BadFileError(f"The fields of {kind.__name__} are not what they should be.")
    return kind(**{name: _value(types_of[name], value) for name, value in data.items()})


@functools.cache
def _types(kind: Any) -> dict[str, Any]:
    return typing.get_type_hints(kind)


@functools.cache
def _needed(kind: Any) -> set[str]:
    return {f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING}


def _value(kind: Any, value: Any) -> Any:
    """A value of a declared type. Raises BadFileError if it is none."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is float and (value is None or type(value) in (int, float)):
        return math.nan if value is None else float(value)
    if kind in _FLAT and type(value) is kind:
        return value
    if kind is bytes and isinstance(value, str):
        return _bytes(value)
    if is_dataclass(kind):
        return _object(kind, value)
    if origin is dict and isinstance(value, dict):
        return {name: _value(arguments[1], part) for name, part in value.items()}
    if origin is tuple and isinstance(value, list):
        return _tuple(arguments, value)
    if origin in (types.UnionType, typing.Union):
        return _one_of(arguments, value)
    raise BadFileError(f"An event of the run holds {str(value)[:40]!r}, which should be {kind}.")


def _tuple(arguments: tuple[Any, ...], value: list[Any]) -> tuple[Any, ...]:
    kinds = arguments[:1] * len(value) if arguments[-1] is ... else arguments
    if len(kinds) != len(value):
        raise BadFileError(f"An event of the run holds {len(value)} values where {len(kinds)} should be.")
    return tuple(_value(kind, part) for kind, part in zip(kinds, value, strict=True))


def _one_of(kinds: tuple[Any, ...], value: Any) -> Any:
    for kind in kinds:
        try:
            return _value(kind, value)
        except BadFileError:
            continue
    raise BadFileError(f"An event of the run holds {str(value)[:40]!r}, which should be one of {kinds}.")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadFileError("An event of the run holds bytes that are not base64.") from error
