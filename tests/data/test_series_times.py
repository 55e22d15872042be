"""Times in the ways in which people write them, and the steps between them."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pytest

from studio.data.series.times import Steps, clock_seconds, find_steps, is_clock, read_times, time_style, time_text

DAY = 86_400.0


def seconds(*when: int) -> float:
    return (datetime(*when) - datetime(1970, 1, 1)).total_seconds()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "texts", "style", "second"),
    [
        ("date", ["2016-07-01 00:00:00", "2016-07-01 01:30:00.5"], "year first", seconds(2016, 7, 1, 1, 30) + 0.5),
        ("x", ["2016-07-01T00:00:00Z", "2016-07-01T01:00:00+01:00"], "year first", seconds(2016, 7, 1)),
        ("x", ["1949-01", "1949-02"], "year first", seconds(1949, 2, 1)),
        ("x", ["31.12.2020", "01.01.2021"], "day first", seconds(2021, 1, 1)),
        ("x", ["12/31/2020", "1/2/2021"], "month first", seconds(2021, 1, 2)),
        ("x", ["31 Dec 2020", "1 Jan 2021"], "month in words", seconds(2021, 1, 1)),
        ("Year", ["1700", "1701"], "years", seconds(1701, 1, 1)),
        ("date", ["20201231", "20210101"], "YYYYMMDD", seconds(2021, 1, 1)),
        ("timestamp", ["1600000000", "1600003600"], "seconds since 1970", 1_600_003_600.0),
        ("Unix Time", ["1600000000000", "1600003600500"], "milliseconds since 1970", 1_600_003_600.5),
        ("time", ["0.01", "0.02"], "numbers", 0.02),
        ("temperature", ["1700", "1701"], "", 0.0),
        ("update", ["yes", "no"], "", 0.0),
    ],
)  # fmt: skip
def test_times_are_read(name: str, texts: list[str], style: str, second: float) -> None:
    assert time_style(name, texts) == style
    if style:
        assert read_times(texts, style)[1] == pytest.approx(second)


def test_what_is_no_time_is_none() -> None:
    read = read_times(["2021-02-28", "2021-02-30", "soon", "2021-03-01"], "year first")
    assert np.isnan(read).tolist() == [False, True, True, False]
    assert np.isnan(read_times(["1600000000", "1e18", "-1e18", "x"], "seconds since 1970")).tolist() == [
        False,
        *[True] * 3,
    ]


def test_a_clock_beside_a_date() -> None:
    assert is_clock(["17:24:00", "18.00.00", "0:05"])
    assert not is_clock(["17:24:00", "24:00"])
    assert clock_seconds("17:24:01") == 17 * 3_600 + 24 * 60 + 1


def test_hours_days_and_odd_steps_are_found() -> None:
    for size, words in ((3_600.0, "hourly"), (DAY, "daily"), (7 * DAY, "weekly"), (900.0, "every 15 minutes")):
        times = seconds(2020, 1, 1) + size * np.delete(np.arange(40), [7, 8])
        steps = find_steps(times, dates=True)
        assert (steps.kind, steps.size, steps.words) == ("steady", size, words)
        assert np.diff(steps.places(times)).tolist() == [1.0] * 6 + [3.0] + [1.0] * 30
    assert find_steps(np.arange(9) * 0.5, dates=False).words == "every 0.5"


@pytest.mark.parametrize(("months", "words"), [(1, "monthly"), (3, "quarterly"), (12, "yearly")])
@pytest.mark.parametrize("last", [False, True])
def test_months_are_steps_though_they_are_not_equally_long(months: int, words: str, last: bool) -> None:
    firsts = [datetime(1999 + m // 12, m % 12 + 1, 1) for m in range(0, 20 * months, months)]
    dates = [(d + timedelta(days=32)).replace(day=1) - timedelta(days=1) for d in firsts] if last else firsts
    times = np.array([(date - datetime(1970, 1, 1)).total_seconds() for date in dates])
    steps = find_steps(times, dates=True)
    assert (steps.kind, steps.words) == ("months", words)
    assert steps.places(times).tolist() == list(range(20))
    if not last:
        assert steps.times(float(times[0]), np.arange(20.0)) == pytest.approx(times)


def test_weekends_are_no_gaps_where_nobody_works_then() -> None:
    days = [datetime(2024, 1, 1) + timedelta(days=n) for n in range(60)]
    times = np.array([(day - datetime(1970, 1, 1)).total_seconds() for day in days if day.weekday() < 5])
    steps = find_steps(times, dates=True)
    assert steps.words == "every working day"
    assert steps.places(times).tolist() == list(range(len(times)))
    assert steps.times(float(times[0]), np.arange(float(len(times)))).tolist() == times.tolist()


def test_a_time_is_told_as_exactly_as_its_steps() -> None:
    noon = seconds(2020, 2, 3, 12)
    assert time_text(noon, Steps("months", 1, True)) == "2020-02"
    assert time_text(noon, Steps("steady", DAY, True)) == "2020-02-03"
    assert time_text(noon, Steps("steady", 60.0, True)) == "2020-02-03 12:00:00"
    assert time_text(0.25, Steps("steady", 0.25, False)) == "0.25"
