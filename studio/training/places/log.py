"""What a run in a process of its own tells: lines of JSON in a file that is only added to.

Each line has a number and one of "event", "failure" (see `places.failures`) and "end". So whoever comes later reads the
whole run from its beginning. When a file has grown to MOST_BYTES, the next one begins with the same lines thinned out:
that bounds the log of a run that goes on for days. A reader that was in the middle of the old one goes on in the new
one after the number it knew last.
"""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

from studio import storage
from studio.training.event_json import event_to_json
from studio.training.events import Event

MOST_BYTES = 4_000_000  # of one file
_NAME = re.compile(r"events-(\d{1,9})\.jsonl")
_KEPT_ONCE = ("surface", "health", "diagnosis", "ranks")  # only the newest is of use: it is a picture of now
_OFTEN = ("progress", "epoch")


class LogWriter:
    """Collects what is told in one thread, until another one calls `flush` a few times a second."""

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._part = 1
        self._number = 0
        self._bytes = 0
        self._waiting: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def go_on(self) -> bool:
        """Go on with the log of a process that is gone; returns whether that told its end. Raises StorageError."""
        self._part = newest_part(self._folder)
        if not self._part:
            self._part = 1
            return False
        lines = _whole_lines(_part(self._folder, self._part))
        self._number = max((line["number"] for line in lines), default=0)
        self._begin_part()  # what was half written stays in the old one
        return any("end" in line or "failure" in line for line in lines)

    def event(self, event: Event) -> None:
        """Take in an event."""
        self.add({"event": event_to_json(event)})

    def add(self, line: dict[str, Any]) -> None:
        """Take in any line."""
        with self._lock:
            self._number += 1
            self._waiting.append({"number": self._number, **line})

    def flush(self) -> None:
        """Write what was taken in. Raises StorageError."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        text = "\n".join(json.dumps(line, allow_nan=False) for line in _without_old_pictures(waiting))
        storage.append_line(_part(self._folder, self._part), text)
        self._bytes += len(text)
        if self._bytes > self._most_bytes:
            self._begin_part()

    def _begin_part(self) -> None:
        before = _part(self._folder, self._part)
        text = _thinned(_whole_lines(before), self._most_bytes // 2)
        storage.write_text(_part(self._folder, self._part + 1), text)
        storage.remove(_part(self._folder, self._part - 1))  # `before` stays for those who read it now
        self._part += 1
        self._bytes = len(text)


def _thinned(lines: list[dict[str, Any]], most_bytes: int) -> str:
    """Lines, of which every second figure is left out until they are short enough."""
    lines = _without_old_pictures(lines)
    while True:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        often = [line["number"] for line in lines if _kind(line) in _OFTEN]
        if len(text) <= most_bytes or len(often) < 4:
            return text
        dropped = set(often[:-1:2])
        lines = [line for line in lines if line["number"] not in dropped]


def _without_old_pictures(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    newest = {_kind(line): line["number"] for line in lines}
    return [line for line in lines if _kind(line) not in _KEPT_ONCE or line["number"] == newest[_kind(line)]]


def _whole_lines(path: Path) -> list[dict[str, Any]]:
    content = storage.read_bytes(path, 2**30)
    return [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]


def newest_part(folder: Path) -> int:
    """Number of the newest file of a log; 0 if there is none. Raises StorageError."""
    try:
        names = [_NAME.fullmatch(path.name) for path in folder.iterdir()]
    except OSError as error:
        raise storage.StorageError(f"Could not read {folder}: {error.strerror or error}.") from error
    return max((int(name[1]) for name in names if name), default=0)


def _kind(line: dict[str, Any]) -> str:
    event = line.get("event")
    return str(event.get("event")) if isinstance(event, dict) else ""


def _part(folder: Path, number: int) -> Path:
    return folder / f"events-{number}.jsonl"


class LogReader:
    """Reads what was added since the last time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._part = 0
        self._offset = 0
        self._number = 0

    def read(self) -> list[dict[str, Any]]:
        """New lines, in order.

        Raises:
            BadFileError: if a line is not one of a log.
            StorageError: if it cannot be read.
        """
        lines: list[dict[str, Any]] = []
        while True:
            newest = newest_part(
                self._folder
            )  # looked for first: then all that the part before it will ever hold is there
            lines += self._rest()
            if newest <= self._part:
                return lines
            self._part, self._offset = newest, 0

    def _rest(self) -> list[dict[str, Any]]:
        """Whole lines from where reading ended last."""
        path = _part(self._folder, self._part)
        content = storage.read_appended(path, self._offset, 2**30)
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        found = []
        for text in whole.splitlines():
            line = storage.parse_json(text, str(path))
            if not isinstance(line, dict) or type(line.get("number")) is not int:
                raise storage.BadFileError(f"{path} is not the log of a run: it is damaged or was replaced.")
            if line["number"] > self._number:
                self._number = line["number"]
                found.append(line)
        return found
