"""How often each test set was looked at, over all runs on this machine.

Whoever looks often at the same test samples and keeps what does best there chooses by them: then they no longer tell
how well a network does on what nobody has seen. So each look is written down, before it is taken.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

from studio import storage
from studio.places import data_folder

FILE = "test-uses.jsonl"  # one line for each use: only appended to, so that two runs at once lose none
MAX_BYTES = 64 * 2**20

logger = logging.getLogger(__name__)


def record_use(test_set: str, run: Path) -> int:
    """Write down a look at a test set; returns how many there have been, this one included.

    A disk that cannot be written to does not end a run: then the look is only in the run's own record.

    Args:
        test_set: what `Dataset.test_fingerprint` gives.
        run: the folder of the run.
    """
    before = uses(test_set)
    line = {"test_set": test_set, "run": str(run), "when": datetime.now(UTC).isoformat(timespec="seconds")}
    try:
        storage.make_folder(data_folder())
        storage.append_line(data_folder() / FILE, json.dumps(line))
    except storage.StorageError as error:
        logger.warning("a use of the test samples was not counted: %s", error)
    return before + 1


def uses(test_set: str) -> int:
    """How often a test set was looked at, as far as that can be read."""
    path = data_folder() / FILE
    if not path.exists():
        return 0
    try:
        lines = storage.read_bytes(path, MAX_BYTES).splitlines()
    except storage.StorageError as error:
        logger.warning("earlier uses of the test samples are not known: %s", error)
        return 0
    mark = json.dumps({"test_set": test_set})[:-1].encode()
    return sum(line.startswith(mark + b",") for line in lines)
