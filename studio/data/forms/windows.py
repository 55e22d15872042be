"""Windows of numbers over time.

Axis letters: T steps, D numbers of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from studio.data.base import DataError
from studio.data.forms.base import InputError, Raw, RawForm, described, numbers_of
from studio.data.forms.plain import missing_text, named

if TYPE_CHECKING:
    from studio.data.series.sources import Series

_CALENDAR = ("year", "week", "day")  # the cycles, in their order; each is a sine and a cosine


@dataclass(frozen=True)
class WindowForm(RawForm):
    """The last steps of a time series.

    Args:
        source: whose windows they are.
        width: D.
    """

    kind: ClassVar[str] = "window"
    suffixes: ClassVar[frozenset[str]] = frozenset((".csv", ".tsv", ".tab", ".parquet", ".pq", ".xlsx", ".xlsm"))

    source: Series
    width: int

    @property
    def names(self) -> tuple[str, ...]:
        """Of the numbers of a step (D,): those of the calendar are the last."""
        from studio.data.series.rules import calendar_size, listed

        cycles = _CALENDAR[: calendar_size(self.source.calendar) // 2]
        calendar = tuple(f"{name} of the {cycle}" for name in ("sine", "cosine") for cycle in cycles)
        columns = listed(self.source.inputs)
        known = len(columns) + len(calendar) == self.width
        return (*columns, *calendar) if known else tuple(f"x{number}" for number in range(1, self.width + 1))

    @property
    def about(self) -> str:
        """How many steps of what."""
        from studio.data.series.rules import CHANGES

        changes = " The answer tells changes from the last step." if self.source.predict == CHANGES else ""
        return f"The last {self.source.window:,} steps of {named(self.names)}, as a table or as lists.{changes}"

    @property
    def dims(self) -> tuple[tuple[int, ...], ...]:
        """(T, D)."""
        return ((self.source.window, self.width),)

    @property
    def schema(self) -> dict[str, Any]:
        """Lists of numbers, or an object for each step."""
        step = {"type": "array", "items": {"type": "number"}, "minItems": self.width, "maxItems": self.width}
        names = {
            "type": "object",
            "required": list(self.names),
            "properties": {name: {"type": "number"} for name in self.names},
        }
        return {
            "type": "array", "items": {"oneOf": [step, names]}, "minItems": self.source.window,
            "description": self.about,
        }  # fmt: skip

    def read(self, given: object) -> Raw:
        """The last steps that are given.

        Args:
            given: the Path of a table, whose calendar is found from its dates; or an array or lists of T or more steps
                of D numbers; or a list of mappings with the names of the numbers.
        """
        import numpy as np

        if isinstance(given, Path):
            from studio.data.series.latest import latest

            try:
                window = latest(self.source, given)
            except DataError as error:
                raise InputError(str(error)) from error
            return Raw((numbers_of(window, self.dims[0]),))
        if isinstance(given, bytes | bytearray):
            raise InputError("The steps of a time series are wanted as numbers: a list for each step.")
        steps: Any = given
        if isinstance(given, list | tuple) and given and all(isinstance(step, Mapping) for step in given):
            steps = [self._step(step) for step in given]
        if not isinstance(steps, list | tuple | np.ndarray):
            raise InputError(f"A list of steps is wanted, not {described(given)}.")
        length = self.source.window
        cut = (f"Only the last {length:,} of {len(steps):,} steps are used.",) if len(steps) > length else ()
        return Raw((numbers_of(steps[-length:], self.dims[0]),), cut)

    def _step(self, step: Mapping[str, Any]) -> list[Any]:
        missing = [name for name in self.names if name not in step]
        if missing:
            raise InputError(missing_text(missing, self.names))
        return [step[name] for name in self.names]
