"""Windows of numbers over time: what is in them, what is not, and what odd files do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data import DataChoice, DataError, MissingDataError, Split
from studio.data import registry as sources
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.fields import FieldError, replace

Series: Any = sources.get("series")
Hours = Callable[..., Path]


@pytest.fixture
def hours(tmp_path: Path) -> Hours:
    """A table with an hour in each row: `up` counts the rows, `down` counts from 1,000 down."""

    def write(
        rows: int = 60, without: tuple[int, ...] = (), cells: dict[int, str] | None = None, order: int = 1
    ) -> Path:
        lines = [
            f"{np.datetime64('2020-01-31T00:00') + 60 * row},{(cells or {}).get(row, row)},{1_000 - row},text"
            for row in range(rows)
            if row not in without
        ]
        path = tmp_path / "hours.csv"
        path.write_text("\n".join(["when,up,down,note", *lines[::order]]) + "\n")
        return path

    return write


def test_a_window_and_what_follows_it(hours: Hours) -> None:
    source = Series(window=4, horizon=2, targets="up").at(hours())
    assert source.inputs.split("\n") == ["up", "down"]
    samples = source.load()
    assert samples.inputs[0].dtype == samples.targets.dtype == np.float32
    assert samples.inputs[0].shape == (55, 4, 2)
    assert samples.inputs[0][3].tolist() == [[3, 997], [4, 996], [5, 995], [6, 994]]
    assert samples.targets[3].tolist() == [7, 8]
    assert samples.naive[3].tolist() == [6, 6]
    assert samples.spec == source.spec == source.look().spec
    assert source.spec.target.names == ("up +1", "up +2")
    assert np.diff(samples.times).tolist() == [3_600.0] * 54


def test_several_targets_and_changes(hours: Hours) -> None:
    source = Series(window=2, horizon=2, targets="down, up", predict="changes from the last value").at(hours())
    samples = source.load()
    assert source.spec.target.names == ("down +1", "up +1", "down +2", "up +2")
    assert samples.targets[9].tolist() == [-1, 1, -2, 2]
    assert not samples.naive.any()


@pytest.mark.parametrize("stride", [1, 3, 7])
def test_no_step_is_in_two_splits(hours: Hours, stride: int) -> None:
    source = Series(window=5, horizon=3, stride=stride, targets="up").at(hours(400, without=(100, 300)))
    dataset = prepare(DataChoice(source=source, split=Split(validation=0.3, test=0.3)))
    seen = {
        split: set(dataset.inputs[0][rows][:, :, 0].flatten().tolist()) | set(dataset.targets[rows].flatten().tolist())
        for split, rows in dataset.splits.items()
    }
    assert not seen["train"] & seen["validation"]
    assert not seen["validation"] & seen["test"]
    assert max(seen["train"]) < min(seen["validation"]) <= max(seen["validation"]) < min(seen["test"])


def test_scalings_are_measured_on_the_training_part_for_each_column(hours: Hours) -> None:
    dataset = prepare(DataChoice(source=Series(window=4, targets="up").at(hours(200))))
    train = dataset.inputs[0][dataset.splits["train"]]
    assert dataset.scalings[0].shift == pytest.approx(train.mean(dim=(0, 1)).tolist(), rel=1e-5)
    assert dataset.scalings[0].last


def test_windows_do_not_reach_over_gaps_unless_they_are_filled(hours: Hours) -> None:
    path = hours(40, without=(20, 21), cells={10: "", 30: "?0.2"})
    source = Series(window=3, targets="up", inputs="up").at(path)
    steps = source.load().inputs[0][:, :, 0]
    assert not any(np.isin([10, 20, 21, 30], row).any() for row in steps)
    assert (np.diff(steps, axis=1) == 1).all()
    by_gaps = {gaps: replace(source, gaps=gaps).load().inputs[0][:, -1, 0].tolist() for gaps in (
        "carry forward", "interpolate", "ignore")}  # fmt: skip
    assert by_gaps["carry forward"][17:21] == [19, 19, 19, 22]
    assert by_gaps["interpolate"][17:21] == [19, 20, 21, 22]
    assert by_gaps["carry forward"][7:10] == [9, 9, 11]
    assert by_gaps["ignore"][10:15] == [16, 17, 18, 19, 22]


def test_gaps_are_told_with_their_remedies(hours: Hours) -> None:
    path = hours(40, without=(20, 21), cells={10: "", 30: "?0.2"})
    source = Series(window=3, targets="up").at(path)
    messages = [problem.message for problem in source.look().problems]
    assert (
        "2 steps are missing (hourly), the first between lines 21 and 22; 2 rows have a missing number" in messages[0]
    )
    assert any("1 cell of “up” is no number, such as “?0.2” in line 30" in message for message in messages)
    remedies = {
        remedy.source.gaps for problem in source.look().problems for remedy in problem.remedies if remedy.source
    }
    assert {"carry forward", "interpolate", "ignore"} <= remedies


def test_irregular_times_become_regular(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    minutes = np.cumsum(np.random.default_rng(0).integers(1, 20, 60))
    rows = [f"{np.datetime64('2020-01-01T00:00') + m},{m}" for m in minutes]
    path.write_text("time,x\n" + "\n".join(rows))
    (source,) = recognize(path)
    (problem,) = [problem for problem in source.look().problems if "times are irregular" in problem.message]
    mended = next(remedy.source for remedy in problem.remedies if remedy.source.gaps == "interpolate")
    steps = np.diff(mended.load().inputs[0][5, :, 0])
    assert steps == pytest.approx(steps[0], rel=1e-3)


def test_rows_are_put_in_order_and_repeated_times_count_once(hours: Hours, tmp_path: Path) -> None:
    upright = Series(window=3, targets="up").at(hours()).load()
    turned = Series(window=3, targets="up").at(hours(order=-1))
    assert np.array_equal(turned.load().inputs[0], upright.inputs[0])
    assert any("from the latest to the earliest" in problem.message for problem in turned.look().problems)
    path = hours()
    path.write_text(path.read_text() + "2020-01-31T05:00,99,0,again\nnever,1,2,x\n")
    source = Series(window=3, targets="up").at(path)
    assert source.load().inputs[0][5, 0].tolist() == [(5 + 99) / 2, 995 / 2]
    assert replace(source, repeated="first").load().inputs[0][5, 0].tolist() == [5, 995]
    assert replace(source, repeated="last").load().inputs[0][5, 0].tolist() == [99, 0]
    messages = " ".join(problem.message for problem in source.look().problems)
    assert "1 rows have the same time" in messages
    assert "lines 63" in messages


def test_the_calendar_knows_nothing_of_the_future(hours: Hours) -> None:
    source = Series(window=4, targets="up", calendar="day, week and year").at(hours(80))
    samples = source.load()
    assert samples.inputs[0].shape[2] == 8 == source.spec.inputs[0].dims[1]
    cycles = samples.inputs[0][:, :, 2:]
    assert (cycles[:, :, :3] ** 2 + cycles[:, :, 3:] ** 2) == pytest.approx(1.0)
    assert cycles[24, :, [2, 5]] == pytest.approx(cycles[0, :, [2, 5]], abs=1e-5)  # the same hours, a day later
    with pytest.raises(DataError, match="no column with dates"):
        replace(source, time_column="none").load()


def test_a_date_and_its_clock_in_two_columns(tmp_path: Path) -> None:
    path = tmp_path / "power.txt"
    rows = [f"{1 + n // 24}/1/2007;{n % 24:02}:00:00;{n / 10}" for n in range(72)]
    path.write_text("Date;Time;Power\n" + "\n".join(rows))
    (source,) = recognize(path)
    assert source.kind == "series"
    assert "hourly" in source.look().summary
    assert [problem.severity for problem in source.look().problems] == ["note"]  # it rises over time


@pytest.mark.parametrize(
    "content",
    [
        "name,born,height\n" + "".join(f"n{n},19{(n * 37) % 90 + 10}-01-01,{n}\n" for n in range(40)),
        "model year,mpg\n" + "".join(f"{70 + n // 20},{n}\n" for n in range(60)),
        "id,x,y\n" + "".join(f"{n},{n * 2},{n % 3}\n" for n in range(40)),
        "date,store,sales\n" + "".join(f"2020-01-{n // 5 + 1:02},{n % 5},{n}\n" for n in range(100)),
        "date,comment\n" + "".join(f"2020-01-{n + 1:02},word\n" for n in range(30)),
        "a\n" * 50, "", "\0\0\0",
    ],
)  # fmt: skip
def test_other_tables_are_not_claimed(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.csv"
    path.write_text(content)
    assert Series().claim(path) is None


def test_columns_of_another_file_are_found_anew(hours: Hours, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text(
        'Month,"sold, all",12\n' + "".join(f"{y}-{m:02},{m},{y}\n" for y in (2001, 2002) for m in range(1, 13))
    )
    source = Series(window=4, horizon=3, targets="up", header="yes").at(hours()).at(other)
    assert (source.window, source.horizon) == (4, 3)
    assert source.inputs.split("\n") == ["sold, all", "3"]  # the name 12 would be taken for a number
    assert replace(source, targets='"sold, all"').load().targets[0].tolist() == [5, 6, 7]


def test_the_listing_shows_the_targets_over_both(hours: Hours) -> None:
    listing = Series(window=4, horizon=2, targets="up").at(hours()).listing()
    assert listing.count == 55
    shown = listing.show(3)
    assert shown.title == "2020-01-31 03:00:00 to 2020-01-31 06:00:00"
    assert shown.answer == "up +1 7, up +2 8"
    assert shown.series.tolist() == [[3], [4], [5], [6], [7], [8]]
    assert shown.cells == (("up", "6"), ("down", "994"))


def test_what_is_missing_or_wrong_is_told(hours: Hours, tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match="No time series was chosen yet"):
        Series().load()
    with pytest.raises(MissingDataError, match="no table at"):
        Series(path=str(tmp_path / "gone.csv")).load()
    with pytest.raises(FieldError, match="must not be on a network"):
        Series(path="//server/x.csv")
    with pytest.raises(FieldError, match="more than 10,000 numbers"):
        Series(horizon=1_000, targets=", ".join("abcdefghijk"))
    path = hours()
    with pytest.raises(DataError, match="has no column “sideways”"):
        Series(path=str(path), targets="sideways").load()
    with pytest.raises(DataError, match="are no times"):
        Series(path=str(path), time_column="note").look()
    source = Series(window=100, targets="up").at(path)
    with pytest.raises(DataError, match="never 101 follow each other"):
        source.load()
    problem = source.look().problems[0]
    assert problem.severity == "error"


def test_a_date_that_is_far_off_fills_no_memory(hours: Hours) -> None:
    path = hours()
    path.write_text(path.read_text() + "9998-01-01T00:00,1,2,x\n")
    source = Series(window=4, targets="up", gaps="interpolate").at(path)
    with pytest.raises(DataError, match="between lines 61 and 62: is a date wrong"):
        source.load()
    assert replace(source, gaps="leave out").load().inputs[0].shape[0] == 56


def test_too_many_windows_are_refused_with_a_stride_that_fits(hours: Hours, monkeypatch: pytest.MonkeyPatch) -> None:
    for place in ("windows", "problems"):
        monkeypatch.setattr(f"studio.data.series.{place}.MAX_BYTES", 1_000)
    source = Series(window=8, targets="up").at(hours())
    with pytest.raises(DataError, match="Set the stride to"):
        source.load()
    (problem,) = [problem for problem in source.look().problems if problem.severity == "error"]
    assert problem.remedies[0].source.load().inputs[0].nbytes <= 1_000


def test_ten_thousand_columns_and_odd_names(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    names = [f"<b>c{n}</b>" for n in range(9_990)]
    rows = [f"2020-01-{day:02}," + ",".join([str(day)] * len(names)) for day in range(1, 25)]
    path.write_text("date," + ",".join(names) + "\n" + "\n".join(rows))
    started = time.perf_counter()
    source = Series(window=4).at(path)
    assert time.perf_counter() - started < 5
    assert source.load().inputs[0].shape[2] == 1_000
