"""One parameter, declared once: default, range, unit, choices and help.

From the declaration come validation, the form in the window, the project file and the command line.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import typing
from collections.abc import Callable, Hashable, Mapping
from typing import Any, ClassVar, TypeVar

FieldValue = bool | int | float | str | tuple[int, ...]

MAX_TEXT_LENGTH = 10_000
MAX_LINES_LENGTH = 200_000
MAX_TUPLE_LENGTH = 8


class FieldError(ValueError):
    """A value does not fit its field. Names the field, what was expected and what came."""

    def __init__(self, owner: str, field: str, reason: str) -> None:
        super().__init__(f"{owner}: {field} {reason}.")
        self.field = field


@dataclasses.dataclass(frozen=True)
class FieldSpec:
    """What is known of one field of a declaration."""

    name: str
    type: type  # bool, int, float, str or tuple (of ints)
    default: FieldValue
    min: float | None
    max: float | None
    unit: str
    help: str
    choices: tuple[str, ...]
    special: str  # text shown in place of the smallest value, such as "same as size"
    lines: bool = False  # a text of several lines
    slider: bool = False  # a number with both bounds, of which one tries many values and watches what happens
    rare: bool = False  # seldom changed: a form shows it when asked, or when it is not the default

    @property
    def label(self) -> str:
        """The name as a person reads it: `kernel_size` is "Kernel size"."""
        return self.name.replace("_", " ").capitalize()


class _Part:
    """What a class says of one of its instances' attributes; `Declared` reads it off the class.

    Args:
        default: its value unless another is given; _REQUIRED for none.
        factory: makes the default, where that is not to be made before it is needed.
        spec: arguments of FieldSpec but name, type and default; None if it is no field for people.
    """

    __slots__ = ("default", "factory", "spec")

    def __init__(self, default: Any, factory: Callable[[], Any] | None, spec: dict[str, Any] | None) -> None:
        self.default = default
        self.factory = factory
        self.spec = spec


_REQUIRED = object()


def field(
    default: FieldValue,
    *,
    min: float | None = None,
    max: float | None = None,
    unit: str = "",
    help: str = "",
    choices: tuple[str, ...] = (),
    special: str = "",
    lines: bool = False,
    slider: bool = False,
    rare: bool = False,
) -> Any:
    """Declare a field; read it back with `specs`.

    Args:
        default: the value of a fresh instance; must itself be valid, and be of the field's own type (1.0, not 1).
        min: smallest value, inclusive; for a tuple, of each element.
        max: largest value, inclusive; for a tuple, of each element.
        unit: such as "ms"; empty for none.
        help: one sentence for the form.
        choices: the only texts allowed; empty for any.
        special: what the smallest value means, where it means something special.
        lines: whether it is a text of several lines, such as code.
        slider: for a number with both bounds: show a slider beside it.
        rare: show it in a form only when asked, or when it is not the default.
    """
    spec = {
        "min": min, "max": max, "unit": unit, "help": help, "choices": choices, "special": special, "lines": lines,
        "slider": slider, "rare": rare,
    }  # fmt: skip
    return _Part(default, None, spec)


def made_by(factory: Callable[[], Any]) -> Any:
    """Declare an attribute of a fresh instance that is made when it is needed; it is no field for people."""
    return _Part(None, factory, None)


def specs(cls: type[Declared]) -> tuple[FieldSpec, ...]:
    """The fields of a declaration, in order."""
    return _specs(typing.cast(Hashable, cls))


@functools.cache
def _specs(cls: Any) -> tuple[FieldSpec, ...]:
    # The default's type is the field's: reading it off the annotations takes a hundred times longer.
    return tuple(
        FieldSpec(name=name, type=type(part.default), default=part.default, **part.spec)
        for name, part in cls._parts.items()
        if part.spec is not None
    )


class _DataclassFields:
    """Lets `dataclasses.replace` and its like take a declaration for the dataclass that it is but in name."""

    def __get__(self, _instance: object, cls: type[Declared]) -> dict[str, dataclasses.Field[Any]]:
        return _dataclass_fields(typing.cast(Hashable, cls))


@functools.cache
def _dataclass_fields(cls: Any) -> dict[str, dataclasses.Field[Any]]:
    like = dataclasses.make_dataclass(cls.__name__, [(name, object) for name in cls._parts])
    return {field.name: field for field in dataclasses.fields(like)}


@typing.dataclass_transform(frozen_default=True)
class Declared:
    """Base of every declaration: a frozen value whose fields are checked when it is made.

    A subclass lists its fields as `name: type = field(default, ...)`; other attributes, which no form shows and nothing
    checks, as in a dataclass. It is what a frozen dataclass would be, but its class is made thirty times as fast: there
    are many, and the window waits for them.

    Raises:
        FieldError: from the constructor, when a value is of the wrong type or out of range.
    """

    _parts: ClassVar[dict[str, _Part]] = {}
    __dataclass_fields__: ClassVar[Any] = _DataclassFields()

    def __init_subclass__(cls) -> None:
        own = dict(cls._parts)
        for name, annotation in vars(cls).get("__annotations__", {}).items():
            if not str(annotation).startswith("ClassVar"):
                value = vars(cls).get(name, _REQUIRED)
                own[name] = value if isinstance(value, _Part) else _Part(value, None, None)
                if isinstance(value, _Part):
                    setattr(cls, name, value.default)
        cls._parts = own

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        parts = self._parts
        values = dict(zip(parts, args, strict=False))
        unknown = [name for name in kwargs if name not in parts or name in values]
        if unknown or len(args) > len(parts):
            raise TypeError(f"{type(self).__name__} cannot be made with {', '.join(unknown) or 'so many values'}")
        values |= kwargs
        own = self.__dict__
        for name, declared in parts.items():
            if name in values:
                own[name] = values[name]
            elif declared.factory is not None:
                own[name] = declared.factory()
            elif declared.default is _REQUIRED:
                raise TypeError(f"{type(self).__name__} needs {name}")
            else:
                own[name] = declared.default
        self._check_fields()

    def _check_fields(self) -> None:
        for spec in specs(type(self)):
            reason = _refusal(spec, getattr(self, spec.name))
            if reason:
                raise FieldError(type(self).__name__, spec.label.lower(), reason)

    def _values(self) -> tuple[Any, ...]:
        own = self.__dict__  # it also holds what was computed from the values and is kept
        return tuple([own[name] for name in self._parts])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash((type(self), self._values()))

    def __repr__(self) -> str:
        pairs = zip(self._parts, self._values(), strict=True)
        return f"{type(self).__qualname__}({', '.join(f'{name}={value!r}' for name, value in pairs)})"

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: make another one with `replace`")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: make another one with `replace`")


def _refusal(spec: FieldSpec, value: object) -> str:
    """Why `value` does not fit, as the end of a sentence; empty if it fits."""
    if spec.type is bool:
        return "" if isinstance(value, bool) else f"must be true or false, not {_show(value)}"
    if spec.type is str:
        return _text_refusal(spec, value)
    if spec.type is tuple:
        return _tuple_refusal(spec, value)
    if isinstance(value, bool) or not isinstance(value, int if spec.type is int else int | float):
        return f"must be {'a whole number' if spec.type is int else 'a number'}, not {_show(value)}"
    return _range_refusal(spec, value)


def _text_refusal(spec: FieldSpec, value: object) -> str:
    if not isinstance(value, str):
        return f"must be a text, not {_show(value)}"
    if spec.choices and value not in spec.choices:
        return f"must be one of {', '.join(spec.choices)}, not {_show(value)}"
    longest = MAX_LINES_LENGTH if spec.lines else MAX_TEXT_LENGTH
    return "" if len(value) <= longest else f"is longer than {longest:,} characters"


def _tuple_refusal(spec: FieldSpec, value: object) -> str:
    if not isinstance(value, tuple) or not all(isinstance(v, int) and not isinstance(v, bool) for v in value):
        return f"must be whole numbers, not {_show(value)}"
    if not 1 <= len(value) <= MAX_TUPLE_LENGTH:
        return f"must have 1 to {MAX_TUPLE_LENGTH} numbers, not {len(value)}"
    return next(filter(None, (_range_refusal(spec, v) for v in value)), "")


def _range_refusal(spec: FieldSpec, value: int | float) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be finite, not {value}"
    if spec.min is not None and value < spec.min:
        return f"must be at least {_bound(spec.min)}, not {_show(value)}"
    if spec.max is not None and value > spec.max:
        return f"must be at most {_bound(spec.max)}, not {_show(value)}"
    return ""


def _bound(value: float) -> str:
    """A bound as a person writes it: 1,000,000 and 0.9999."""
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _show(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # an integer with too many digits to print
        text = "a number with thousands of digits"
    return text if len(text) <= 60 else text[:57] + "…"


D = TypeVar("D", bound=Declared)


def to_json(value: Declared) -> dict[str, Any]:
    """The fields of a declaration as plain JSON values."""
    return {
        spec.name: list(v) if isinstance(v := getattr(value, spec.name), tuple) else v for spec in specs(type(value))
    }


def from_json(cls: type[D], data: object) -> D:
    """Make a declaration from a JSON object; a missing field takes its default.

    Raises:
        FieldError: if it is no object, names an unknown field, or a value does not fit.
    """
    if not isinstance(data, Mapping):
        raise FieldError(cls.__name__, "fields", f"must be an object, not {_show(data)}")
    by_name = {spec.name: spec for spec in specs(cls)}
    for name in data:
        if name not in by_name:
            known = ", ".join(by_name) or "none"
            raise FieldError(cls.__name__, _show(name), f"is no field of it (fields: {known})")
    return cls(**{name: _thaw(by_name[name], value) for name, value in data.items()})


def _thaw(spec: FieldSpec, value: object) -> Any:
    if spec.type is tuple and isinstance(value, list):
        return tuple(value)
    if spec.type is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value


def replace(value: D, **changes: Any) -> D:
    """A copy with some fields changed and checked."""
    return dataclasses.replace(value, **changes)


def parse(spec: FieldSpec, text: str) -> FieldValue:
    """A field's value from what a person typed.

    Raises:
        ValueError: if the text is no such value.
    """
    if spec.type is bool:
        lowered = text.strip().lower()
        if lowered not in ("true", "false", "yes", "no", "1", "0"):
            raise ValueError(f"“{text}” is neither true nor false")
        return lowered in ("true", "yes", "1")
    if spec.type is tuple:
        return tuple(int(part) for part in text.replace("×", ",").replace("x", ",").split(",") if part.strip())
    return typing.cast(FieldValue, spec.type(text))


__all__ = [
    "Declared",
    "FieldError",
    "FieldSpec",
    "FieldValue",
    "field",
    "from_json",
    "made_by",
    "parse",
    "replace",
    "specs",
    "to_json",
]
