"""What happened in a run beside its figures, for those who read its folder later: changed settings, and its health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from studio.training.events import Changed, Diagnosis, Event

MOST_CHANGES = 1_000  # that are kept: a slider may be moved all day


class Story:
    """Follows a run.

    Args:
        earlier: the record of the run before it was resumed.
    """

    def __init__(self, earlier: Mapping[str, Any] | None = None) -> None:
        changes = (earlier or {}).get("changes")
        self._changes: list[Any] = list(changes) if isinstance(changes, list) else []
        self._findings: list[Any] = []

    def follow(self, event: Event) -> None:
        """Take in an event."""
        if isinstance(event, Changed) and len(self._changes) < MOST_CHANGES:
            self._changes.append(asdict(event))
        elif isinstance(event, Diagnosis):
            self._findings = [asdict(finding) for finding in event.findings]

    def to_json(self) -> dict[str, Any]:
        """What there is to tell, for run.json."""
        told = {"changes": self._changes, "findings": self._findings}
        return {name: value for name, value in told.items() if value}
