"""What may be wrong with numbers over time, and what would mend it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.data.base import ERROR, NOTE, WARNING, DataProblem, Remedy
from studio.data.series.reading import Recording
from studio.data.series.rules import CARRY, CHANGES, FIRST, IGNORE, INTERPOLATE, LAST, LEAVE_OUT, MEAN, VALUES
from studio.data.series.times import DAY, EXACT, MONTHS, SAME_STEP, WORKING_DAYS
from studio.data.series.windows import MAX_BYTES, WindowRules, fitting_stride, size_of
from studio.fields import replace

if TYPE_CHECKING:
    import numpy as np

    from studio.data.series.sources import Series

_REGULAR = 0.9  # of the times that are one step behind the one before
_FAR_OFF = 10.0  # times the middle half’s spread, beyond which a number stands out
_TREND = 0.5  # share of the variance that a straight line explains
_REPEATS = 0.3  # correlation of a series with itself, one cycle earlier
_LONGEST_WINDOW = 200  # that is proposed
_CYCLES = {"a day": DAY, "a week": 7 * DAY, "a year": 365.25 * DAY}


def find_problems(source: Series, found: Recording, rules: WindowRules, windows: int) -> list[DataProblem]:
    """All that a person should know before training.

    Args:
        windows: how many there are.
    """
    return [
        *_too_large(source, rules, windows),
        *_of_gaps(source, found, rules),
        *_of_order(source, found),
        *_of_cells(found),
        *_constant(source, found, rules),
        *_far_off(found, rules),
        *_trend(source, found, rules),
        *_cycles(source, found, rules),
    ]


def gap_remedies(source: Series) -> tuple[Remedy, ...]:
    """The ways to treat gaps other than the present one; what looks ahead comes behind what does not."""
    texts = {
        CARRY: "Fill gaps with the last known value",
        INTERPOLATE: "Fill gaps between their neighbours",
        IGNORE: "Take the rows as they come",
        LEAVE_OUT: "Leave out windows with gaps",
    }
    return tuple(Remedy(text, replace(source, gaps=gaps)) for gaps, text in texts.items() if gaps != source.gaps)


def _too_large(source: Series, rules: WindowRules, windows: int) -> list[DataProblem]:
    size = size_of(windows, rules)
    if size <= MAX_BYTES:
        return []
    stride = fitting_stride(windows, rules)
    text = f"{windows:,} windows make {size / 1e9:.1f} GB of numbers; up to {MAX_BYTES / 1e9:.1f} GB are kept."
    remedy = Remedy(f"Take a window every {stride:,} steps", replace(source, stride=stride))
    return [DataProblem(text, ERROR, remedies=(remedy,))]


def _of_gaps(source: Series, found: Recording, rules: WindowRules) -> list[DataProblem]:
    """Missing steps, irregular times and missing numbers, which are mended in the same way."""
    import numpy as np

    used = [found.channels.index(name) for name in dict.fromkeys((*rules.inputs, *rules.targets))]
    empty = int((~np.isfinite(found.values[:, used])).any(axis=1).sum())
    texts = [*_irregular(found), *([f"{empty:,} rows have a missing number"] if empty else [])]
    if not texts:
        return []
    what = {
        LEAVE_OUT: "Windows in which something is missing are left out.",
        CARRY: "What is missing is filled with the last known value.",
        INTERPOLATE: "What is missing lies between its neighbours, of which the later one was not known at the time.",
        IGNORE: "The rows are taken as if they followed each other.",
    }[source.gaps]
    severity = WARNING if source.gaps == LEAVE_OUT else NOTE
    return [DataProblem(f"{'; '.join(texts)}. {what}", severity, remedies=gap_remedies(source))]


def _irregular(found: Recording) -> list[str]:
    import numpy as np

    if found.steps is None or found.times is None:
        return []
    apart = np.diff(found.places)
    if (regular := float((np.abs(apart - 1) <= EXACT).mean())) < _REGULAR:
        return [
            f"The times are irregular: {regular:.0%} of the rows are one step ({found.steps.words}) behind the last"
        ]
    holes = np.flatnonzero(apart > 1 + SAME_STEP)
    if not len(holes):
        return []
    missing = int(np.rint(apart[holes] - 1).sum())
    where = f"{found.lines[holes[0]]:,} and {found.lines[holes[0] + 1]:,}"
    return [f"{missing:,} steps are missing ({found.steps.words}), the first between lines {where}"]


def _of_order(source: Series, found: Recording) -> list[DataProblem]:
    problems = []
    if found.sorted:
        how = "from the latest to the earliest" if found.sorted == 1 else "in no order"
        problems.append(DataProblem(f"The rows are {how} of time; they were sorted.", NOTE))
    if found.repeats:
        what = "their mean is taken" if source.repeated == MEAN else f"the {source.repeated} one counts"
        text = f"{found.repeats:,} rows have the same time as another one, and {what}."
        others = tuple(
            Remedy(f"Take the {which} row of each time", replace(source, repeated=which))
            for which in (MEAN, FIRST, LAST)
            if which not in (MEAN, source.repeated)
        )
        problems.append(DataProblem(text, WARNING, remedies=others))
    if found.timeless:
        lines = ", ".join(f"{line:,}" for line in found.timeless[:5]) + ", …" * (len(found.timeless) > 5)
        text = f"Some rows have no time that can be read and are left out (lines {lines})."
        problems.append(DataProblem(text, WARNING))
    return problems


def _of_cells(found: Recording) -> list[DataProblem]:
    return [
        DataProblem(
            f"{count:,} cell{'s' * (count > 1)} of “{name[:60]}” {'are' if count > 1 else 'is'} no number, such as "
            f"“{example[:40]}” in line {line:,}, and count{'s' * (count == 1)} as missing.",
            WARNING,
        )
        for name, (example, line, count) in list(found.odd.items())[:20]
    ]


def _constant(source: Series, found: Recording, rules: WindowRules) -> list[DataProblem]:
    import numpy as np

    same = []
    for name in rules.inputs:
        values = found.values[:, found.channels.index(name)]
        values = values[np.isfinite(values)]
        if not len(values) or values.min() == values.max():
            same.append(name)
    if not same:
        return []
    left = tuple(name for name in rules.inputs if name not in same)
    remedies = (Remedy("Leave them out", replace(source, inputs="\n".join(left))),) if left else ()
    names = ", ".join(f"“{name[:40]}”" for name in same[:5]) + ", …" * (len(same) > 5)
    return [DataProblem(f"{names} never change, and so tell the network nothing.", NOTE, remedies=remedies)]


def _far_off(found: Recording, rules: WindowRules) -> list[DataProblem]:
    import numpy as np

    problems = []
    for name in dict.fromkeys((*rules.targets, *rules.inputs)):
        values = found.values[:, found.channels.index(name)]
        low, middle, high = np.nanpercentile(values, (25, 50, 75)) if np.isfinite(values).any() else (0.0, 0.0, 0.0)
        rows = np.flatnonzero(np.abs(values - middle) > _FAR_OFF * (high - low))
        if high > low and 0 < len(rows) <= 0.01 * len(values):
            text = (
                f"{len(rows):,} number{'s' * (len(rows) > 1)} of “{name[:60]}” lie{'s' * (len(rows) == 1)} far from "
                f"all others, such as {values[rows[0]]:.6g} in line {found.lines[rows[0]]:,}. Is that so?"
            )
            problems.append(DataProblem(text, NOTE))
    return problems[:10]


def _trend(source: Series, found: Recording, rules: WindowRules) -> list[DataProblem]:
    import numpy as np

    problems = []
    for name in rules.targets[:10]:
        values = _whole(found, name)
        if len(values) < 20 or values.std() == 0:
            continue
        slope = float(np.corrcoef(np.arange(len(values)), values)[0, 1])
        if slope**2 > _TREND and rules.predict == VALUES:
            text = (
                f"“{name[:60]}” {'rises' if slope > 0 else 'falls'} over time, so at its end are values that training "
                "never had. Networks that predict changes mind that less."
            )
            remedy = Remedy("Predict changes from the last value", replace(source, predict=CHANGES))
            problems.append(DataProblem(text, NOTE, remedies=(remedy,)))
    return problems[:1]


def _whole(found: Recording, name: str) -> np.ndarray:
    """The numbers of a channel that are there."""
    import numpy as np

    values = found.values[:, found.channels.index(name)]
    return np.asarray(values[np.isfinite(values)])


def _cycles(source: Series, found: Recording, rules: WindowRules) -> list[DataProblem]:
    """Whether the target repeats itself daily, weekly or yearly."""
    problems = []
    for words, steps in cycle_lengths(found).items():
        strength = _correlation(_whole(found, rules.targets[0]), steps)
        if strength > _REPEATS:
            short = rules.window < steps <= _LONGEST_WINDOW
            remedies = (Remedy(f"Take windows of {steps:,} steps", replace(source, window=steps)),) if short else ()
            name, told = rules.targets[0][:60], " A window is shorter than that." if short else ""
            text = f"“{name}” repeats itself every {steps:,} steps, {words} (correlation {strength:.2f}).{told}"
            problems.append(DataProblem(text, NOTE, remedies=remedies))
    return problems


def cycle_lengths(found: Recording) -> dict[str, int]:
    """How many steps there are in a day, a week and a year, where these are whole cycles of several steps."""
    steps = found.steps
    if steps is None or not steps.dates:
        return {}
    if steps.kind == MONTHS:
        return {"a year": round(12 / steps.size)} if steps.size < 12 else {}
    if steps.kind == WORKING_DAYS:
        return {"a week": 5}
    return {words: round(span / steps.size) for words, span in _CYCLES.items() if span >= 4 * steps.size}


def _correlation(values: np.ndarray, lag: int) -> float:
    """Of a series without its trend with itself, some steps earlier, less what half a cycle earlier says."""
    import numpy as np

    if len(values) < 3 * lag or lag < 2:
        return 0.0
    places = np.arange(len(values))
    rest = values - np.polyval(np.polyfit(places, values, 1), places)
    variance = float((rest**2).mean())
    if variance <= 1e-12 * max(float((values**2).mean()), 1e-300):
        return 0.0
    whole, half = (float((rest[shift:] * rest[:-shift]).mean()) / variance for shift in (lag, max(lag // 2, 1)))
    return whole if whole > half + 0.05 else 0.0
