"""What a look at numbers over time tells, and its windows one by one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.answers import target_text
from studio.data.base import DATE, ERROR, NUMERIC, TEXT, Column, DataError, DataProblem, Findings
from studio.data.listing import Listing, Shown
from studio.data.series.problems import find_problems, gap_remedies
from studio.data.series.reading import Recording
from studio.data.series.rules import CHANGES
from studio.data.series.times import time_text
from studio.data.series.windows import WindowRules, find_windows

if TYPE_CHECKING:
    import numpy as np

    from studio.data.series.sources import Series

_BINS = 20
_MOST_NAMED = 12


def look(source: Series, found: Recording, rules: WindowRules, path: Path) -> Findings:
    """Tell of a recording, and of what the source makes of it."""
    count, problems = 0, []
    try:
        count = len(find_windows(found, rules, path).starts)
    except DataError as error:
        problems = [DataProblem(str(error), ERROR, remedies=gap_remedies(source))]
    return Findings(
        spec=rules.spec,
        summary=_summary(found, rules, count),
        rows=count,
        columns=_columns(found, rules),
        target=rules.targets,
        problems=(*problems, *find_problems(source, found, rules, count)),
    )


def _summary(found: Recording, rules: WindowRules, count: int) -> str:
    span = "no times"
    if found.times is not None and found.steps is not None:
        first, last = (time_text(float(found.times[place]), found.steps) for place in (0, -1))
        span = f"{found.steps.words}, from {first} to {last} (column “{found.layout.time[:40]}”, {found.layout.style})"
    targets = ", ".join(name[:40] for name in rules.targets[:_MOST_NAMED]) + ", …" * (len(rules.targets) > _MOST_NAMED)
    after = "the next step" if rules.horizon == 1 else f"the next {rules.horizon:,} steps"
    inputs = f"{len(rules.inputs)} column{'s' * (len(rules.inputs) > 1)}"
    return (
        f"{len(found.values):,} rows, {span}. {count:,} windows of {rules.window:,} steps of {inputs} predict {after} "
        f"of {targets}. Found: {found.words}."
    )


def _columns(found: Recording, rules: WindowRules) -> tuple[Column, ...]:
    columns = []
    for name in found.names:
        if name in found.channels:
            used = name in rules.inputs or name in rules.targets
            columns.append(_numbers(name, found.values[:, found.channels.index(name)], used))
        elif name == found.layout.time and found.times is not None and found.steps is not None:
            first, last = (time_text(float(found.times[place]), found.steps) for place in (0, -1))
            columns.append(Column(name, DATE, len(found.timeless), len(found.times), False, f"{first} to {last}"))
        else:
            columns.append(Column(name, TEXT, used=False))
    return tuple(columns)


def _numbers(name: str, values: np.ndarray, used: bool) -> Column:
    import numpy as np

    known = values[np.isfinite(values)]
    if not len(known):
        return Column(name, NUMERIC, len(values), used=used)
    counts, edges = np.histogram(known, _BINS)
    histogram = tuple((f"{edge:.4g}", int(count)) for edge, count in zip(edges, counts, strict=False))
    summary = f"{known.min():.4g} to {known.max():.4g}, mean {known.mean():.4g}"
    return Column(name, NUMERIC, len(values) - len(known), len(np.unique(known)), used, summary, histogram)


class WindowListing(Listing):
    """Windows with what follows them; each is cut when it is shown."""

    def __init__(self, found: Recording, rules: WindowRules, path: Path) -> None:
        self._found, self._rules = found, rules
        self._windows = find_windows(found, rules, path)
        self.count, self.times, self.gap = len(self._windows.starts), self._windows.times(rules), rules.gap

    def show(self, index: int) -> Shown:
        """The targets over the window and the steps after it; the numbers of its last step."""
        import numpy as np

        rules, windows = self._rules, self._windows
        start = int(windows.starts[index])
        middle, end = start + rules.window, start + rules.window + rules.horizon
        wanted = windows.targets[middle:end]
        if rules.predict == CHANGES:
            wanted = wanted - windows.targets[middle - 1]
        answer = target_text(rules.spec.target, rules.spec.target.names, wanted.reshape(-1))
        cells = tuple(
            (name, f"{number:g}") for name, number in zip(rules.inputs, windows.inputs[middle - 1], strict=False)
        )
        series = windows.targets[start:end].astype(np.float32)
        return Shown(self._title(start, middle), answer, series=series, cells=cells)

    def _title(self, start: int, middle: int) -> str:
        """When the window begins and ends."""
        times = self._windows.series.times
        if times is None:
            return f"steps {start + 1:,} to {middle:,}"
        first, last = (time_text(float(times[place]), self._found.steps) for place in (start, middle - 1))
        return f"{first} to {last}"
