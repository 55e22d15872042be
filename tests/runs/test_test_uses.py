"""Each look at a test set is counted."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from studio.runs import record_use, uses
from studio.runs.test_uses import FILE


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TRAINING_STUDIO_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_each_use_is_counted_for_its_own_test_set(data: Path) -> None:
    assert uses("a1") == 0
    assert [record_use("a1", Path("/r/1")), record_use("a1", Path("/r/2")), record_use("a", Path("/r/3"))] == [1, 2, 1]
    assert (uses("a1"), uses("a"), uses("b")) == (2, 1, 0)
    first = json.loads((data / FILE).read_text().splitlines()[0])
    assert (first["test_set"], first["run"]) == ("a1", str(Path("/r/1")))


def test_a_line_that_a_kill_cut_off_does_not_end_the_count(data: Path) -> None:
    record_use("a1", Path("/r/1"))
    with (data / FILE).open("ab") as file:
        file.write(b'{"test_set": "a1"\n\xff\xfe garbage\n')
    assert record_use("a1", Path("/r/2")) == 2


def test_a_count_that_cannot_be_kept_ends_no_run(data: Path, caplog: pytest.LogCaptureFixture) -> None:
    (data / FILE).mkdir(parents=True)  # as unwritable as anything
    with caplog.at_level(logging.WARNING):
        assert record_use("a1", Path("/r/1")) == 1
    assert "was not counted" in caplog.text
    assert "not known" in caplog.text
