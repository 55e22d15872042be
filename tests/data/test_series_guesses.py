"""What is guessed of real files: which are numbers over time, and what of them is to be predicted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data.recognize import recognize

ETT = ("HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL", "OT")

# File, rows, step, window, inputs, target, windows, warnings.
GUESSES = [
    ("ETTh1", 17_420, "hourly", 48, ETT, "OT", 17_372, 0),
    ("airline-passengers", 144, "monthly", 24, ("Passengers",), "Passengers", 120, 0),
    ("daily-min-temperatures", 3_650, "daily", 28, ("Temp",), "Temp", 3_566, 1),  # without the last days of leap years
    ("monthly-sunspots", 2_820, "monthly", 24, ("Sunspots",), "Sunspots", 2_796, 0),
]


@pytest.mark.parametrize(("name", "rows", "step", "window", "inputs", "target", "windows", "warnings"), GUESSES)
def test_series(
    shared: Callable[[str], Path],
    name: str, rows: int, step: str, window: int, inputs: tuple[str, ...], target: str, windows: int, warnings: int,
) -> None:  # fmt: skip
    (source,) = recognize(shared(f"timeseries/{name}.csv"))
    findings = source.look()
    assert source.kind == "series"
    assert f"{rows:,} rows, {step}, from" in findings.summary
    assert findings.rows == windows == source.listing().count
    assert findings.target == (target,)
    assert findings.spec == source.spec
    assert findings.spec.inputs[0].dims == (window, len(inputs))
    assert findings.spec.target.names == (f"{target} +1",)
    assert [(column.name, column.type) for column in findings.columns][1:] == [(name, "numeric") for name in inputs]
    assert findings.columns[0].type == "date"
    assert sum(problem.severity != "note" for problem in findings.problems) == warnings


@pytest.mark.parametrize(
    "name",
    [
        *(f"tabular/{name}.csv" for name in (
            "titanic", "iris", "penguins", "auto-mpg", "winequality-red", "adult-test", "pima-indians-diabetes",
            "california-housing", "telco-churn",
        )),
        "sms-spam/spam.csv", "ag-news/test.csv", "sentiment-sentences/imdb_labelled.txt",
        "char-text/tinyshakespeare.txt",
    ],
)  # fmt: skip
def test_no_series(shared: Callable[[str], Path], name: str) -> None:
    from studio.data.series.sources import Series

    assert Series().claim(shared(name)) is None
