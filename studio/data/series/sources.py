"""Numbers over time of a person's own: windows of some steps, and the steps after them to predict."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from studio.data.base import DataError, DataSpec, Findings, MissingDataError, Samples, Source, Target, registry
from studio.data.own_files import OwnFiles, located
from studio.data.series.rules import (
    CALENDARS,
    GAPS,
    MOST_TARGETS,
    PREDICTED,
    REPEATED,
    calendar_size,
    divided,
    listed,
    quoted,
)
from studio.data.texts.rules import ENCODINGS, FIND_OUT, SEPARATORS, SUFFIXES
from studio.fields import FieldError, field, replace
from studio.tensors import TensorSpec

if TYPE_CHECKING:
    from studio.data.forms import RawForm
    from studio.data.listing import Listing
    from studio.data.series.reading import ReadingRules, Recording
    from studio.data.series.windows import WindowRules


@registry.add
class Series(OwnFiles):
    """A person's own table of numbers over time."""

    kind: ClassVar[str] = "series"
    title: ClassVar[str] = "Time series"
    group: ClassVar[str] = "Time series"
    about: ClassVar[str] = (
        "Your own numbers over time: a table with a row for each hour, day or month. A window of some steps is given, "
        "and the steps after it are to be predicted. Validation and test are the end of the time."
    )
    rank: ClassVar[int] = 30
    in_order: ClassVar[bool] = True
    unnumbered: ClassVar[tuple[str, ...]] = ("calendar",)

    path: str = field("", help="A file with a table, in the order of time or with a column of dates.")
    window: int = field(24, min=1, max=10_000, unit="steps", help="What the network is given.")
    horizon: int = field(1, min=1, max=1_000, unit="steps", help="How far ahead it is to predict, step by step.")
    stride: int = field(1, min=1, max=100_000, unit="steps", help="From one window to the next.")
    targets: str = field("", help="Columns to predict, with commas between them; empty to find them.")
    inputs: str = field("", lines=True, help="Columns that the network is given, one in each line; empty for all.")
    time_column: str = field("", help="The column with the times; empty to find it, “none” if each row is one step.")
    gaps: str = field(
        GAPS[0],
        choices=GAPS,
        help="Missing steps and numbers. Leave out: windows that have some. Carry forward: the last known value. "
        "Interpolate: between its neighbours, of which one was not known then. Ignore: take the rows as they come.",
    )
    repeated: str = field(REPEATED[0], choices=REPEATED, help="What counts if several rows have the same time.")
    calendar: str = field(
        CALENDARS[0],
        choices=CALENDARS,
        help="Where each step lies in its year, week and day, as further numbers: a sine and a cosine for each cycle.",
    )
    predict: str = field(
        PREDICTED[0], choices=PREDICTED, help="The values themselves, or how far they are from the last one given."
    )
    separator: str = field(FIND_OUT, choices=(FIND_OUT, *SEPARATORS), help="What stands between two columns.")
    header: str = field(FIND_OUT, choices=(FIND_OUT, "yes", "no"), help="Whether the first row names the columns.")
    encoding: str = field(FIND_OUT, choices=ENCODINGS, help="How the characters are written in the file.")

    def _check_fields(self) -> None:
        super()._check_fields()
        if self.horizon * len(divided(self.targets)) > MOST_TARGETS:
            raise FieldError("Series", "horizon", f"with these targets makes more than {MOST_TARGETS:,} numbers")

    @property
    def spec(self) -> DataSpec:
        """A window (T, D) and the numbers to predict, as far as the settings name the columns."""
        width = max(len(listed(self.inputs)), 1) + calendar_size(self.calendar)
        steps = range(1, self.horizon + 1)
        names = tuple(f"{name} +{step}" for step in steps for name in divided(self.targets))
        return DataSpec((TensorSpec((self.window, width), "TD"),), Target("regression", names))

    def at(self, place: Path) -> Source:
        """These settings for another file; columns that it does not have are found anew."""
        moved = replace(self, path=place.as_posix())
        try:
            return moved._named()
        except DataError:  # `look` will tell
            return moved

    def claim(self, path: Path) -> Source | None:
        """This source at a table whose rows follow each other in time, with a window that suits them."""
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            return None
        from studio.data.series.claim import fitting_window

        window = fitting_window(path)
        return replace(self, window=window).at(path) if window else None

    def look(self) -> Findings:
        """Columns, steps, windows, and what is wrong with them. Raises MissingDataError, DataError."""
        from studio.data.series.look import look

        source, found, rules = self._read()
        return look(source, found, rules, located(source.path))

    def load(self, folder: Path | None = None) -> Samples:
        """Cut all windows of the file, of `folder` if one is given, or else of the path that is a setting."""
        from studio.data.series.windows import cut

        source, found, rules = self._read(folder)
        return cut(found, rules, located(source.path))

    def listing(self, folder: Path | None = None) -> Listing:
        """The windows with what follows them."""
        from studio.data.series.look import WindowListing

        source, found, rules = self._read(folder)
        return WindowListing(found, rules, located(source.path))

    def raw_forms(self, spec: DataSpec) -> tuple[RawForm, ...]:
        """The last steps of what goes on."""
        from studio.data.forms import WindowForm

        return (WindowForm(self, spec.inputs[0].dims[-1]),)

    @property
    def _reading(self) -> ReadingRules:
        from studio.data.series.reading import ReadingRules
        from studio.data.tables.dialect import Asked

        named = (*listed(self.inputs), *divided(self.targets))
        return ReadingRules(Asked(self.separator, self.header, self.encoding), self.time_column, self.repeated, named)

    def _rules(self, inputs: tuple[str, ...], targets: tuple[str, ...]) -> WindowRules:
        from studio.data.series.windows import WindowRules

        return WindowRules(
            self.window, self.horizon, self.stride, inputs, targets, self.gaps, self.calendar, self.predict
        )

    def _read(self, folder: Path | None = None) -> tuple[Series, Recording, WindowRules]:
        """The source at a file, its content and how it is cut. Raises MissingDataError, DataError."""
        from studio.data.series.columns import resolve
        from studio.data.series.reading import read_recording

        source = self.at(folder) if folder is not None else self
        assert isinstance(source, Series)
        if not source.path:
            raise MissingDataError("No time series was chosen yet: choose a file with a table of numbers over time.")
        path = located(source.path)
        found = read_recording(path, source._reading)
        names = [
            tuple(dict.fromkeys(resolve(name, found.names, path) for name in wanted))
            for wanted in (listed(source.inputs), divided(source.targets))
        ]
        inputs, targets = names[0] or found.channels, names[1] or (found.layout.target,)
        return source, found, source._rules(inputs, targets)

    def _named(self) -> Series:
        """With the columns of the beginning of the file, where they are not named or not there. Raises DataError."""
        from studio.data.series.columns import find_layout, write_names
        from studio.data.tables.dialect import Asked, first_rows

        path = located(self.path)
        beginning = first_rows(path, Asked(self.separator, self.header, self.encoding))
        names = beginning.names
        try:
            wanted = (*listed(self.inputs), *divided(self.targets))
            layout = find_layout(names, beginning.rows, path, self.time_column, wanted)
            inputs, targets = listed(self.inputs), divided(self.targets)
        except DataError:  # they are of another file
            layout = find_layout(names, beginning.rows, path)
            inputs, targets, self = (), (), replace(self, time_column="")
        inputs, targets = inputs or write_names(layout.channels, names), targets or write_names((layout.target,), names)
        return replace(self, inputs="\n".join(inputs), targets=", ".join(map(quoted, targets)))
