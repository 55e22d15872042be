"""Which runs are offered."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from studio.runs import list_runs


def with_weights(folder: Path, *names: str) -> None:
    for name in names:
        (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
        (folder / "checkpoints" / f"{name}.pt").write_bytes(b"")


def test_runs_with_weights_are_listed_the_newest_first(tmp_path: Path) -> None:
    with_weights(tmp_path / "2026-01-02_03-04-05_digits", "last")
    with_weights(tmp_path / "2026-03-02_03-04-05_digits", "best", "last")
    with_weights(tmp_path / "mine", "best")
    (tmp_path / "2026-04-02_03-04-05_broken-off").mkdir()
    found = list_runs(tmp_path)
    assert [(entry.title, entry.checkpoints) for entry in found] == [
        ("mine", ("best",)),
        ("digits", ("best", "last")),
        ("digits", ("last",)),
    ]
    assert [entry.started for entry in found] == [None, datetime(2026, 3, 2, 3, 4, 5), datetime(2026, 1, 2, 3, 4, 5)]
    assert found[1].checkpoint("best") == tmp_path / "2026-03-02_03-04-05_digits" / "checkpoints" / "best.pt"


def test_runs_of_a_group_are_listed_one_by_one(tmp_path: Path) -> None:
    group = tmp_path / "2026-01-02_03-04-05_digits"
    for number in (1, 2):
        with_weights(group / f"run-{number}", "best")
    assert list_runs(tmp_path) == []  # any folder
    (group / "group.json").write_text("{}")
    assert [entry.title for entry in list_runs(tmp_path)] == ["digits, run-1", "digits, run-2"]


def test_a_folder_that_is_not_there_holds_no_runs(tmp_path: Path) -> None:
    assert list_runs(tmp_path / "nothing") == []
