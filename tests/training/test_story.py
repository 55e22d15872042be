"""What happened in a run beside its figures stands in its record."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from studio.fields import replace as replace_fields
from studio.training.control import Control
from studio.training.events import Changed, Diagnosis, EpochEnded, Event, Finding
from studio.training.runner import Job, run
from studio.training.story import MOST_CHANGES, Story
from tests.training.conftest import with_settings


def test_changed_settings_and_findings_are_recorded(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", epochs=3)
    control, told = Control(), list[Event]()
    faster = replace_fields(project.training.optimizer, learning_rate=0.5)

    def hear(event: Event) -> None:
        told.append(event)
        if isinstance(event, EpochEnded) and event.epoch == 1:
            control.change(replace_fields(project.training, optimizer=faster))

    run(Job(replace(project), tmp_path / "run"), control, hear)
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    (change,) = [event for event in told if isinstance(event, Changed)]
    assert record["changes"] == [
        {"step": change.step, "epoch": 2, "name": "optimizer.learning_rate", "before": change.before, "after": 0.5}
    ]
    found = [event.findings for event in told if isinstance(event, Diagnosis)]
    titles = [finding.title for finding in found[-1]] if found else []
    assert [finding["title"] for finding in record.get("findings", [])] == titles


def test_what_was_recorded_before_a_break_stays() -> None:
    story = Story({"changes": [{"step": 1}], "findings": ["old"]})
    story.follow(Changed(7, 2, "schedule", "none", "cosine"))
    story.follow(Diagnosis(8, 2, (Finding("dead", "warning", "Dead units", "All of them."),)))
    found = story.to_json()
    assert [change["step"] for change in found["changes"]] == [1, 7]
    assert [finding["title"] for finding in found["findings"]] == ["Dead units"]
    for _ in range(MOST_CHANGES + 5):
        story.follow(Changed(7, 2, "schedule", "none", "cosine"))
    assert len(story.to_json()["changes"]) == MOST_CHANGES
    assert Story().to_json() == {}
