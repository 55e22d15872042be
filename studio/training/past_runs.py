"""What became of a run of a group that was interrupted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from studio import storage
from studio.runs import RunFolder, RunFolderError
from studio.training.event_json import event_from_json
from studio.training.events import DIVERGED, FINISHED, EpochEnded, Event, Finished


@dataclass(frozen=True)
class Past:
    """What a run did before.

    Args:
        finished: how it ended; None if it did not come to its end.
        epochs: what it told of each of its epochs, if it came to its end.
        goes_on: whether there is a checkpoint from which it can go on.
    """

    finished: Finished | None = None
    epochs: tuple[Event, ...] = ()
    goes_on: bool = False


def past_run(path: Path) -> Past:
    """Look at a run. A folder with nothing to go on from is cleared, so that the run can begin anew.

    Raises:
        RunFolderError: if another process trains there.
        StorageError: if the folder cannot be cleared.
    """
    folder = RunFolder(path)
    if not path.exists():
        return Past()
    if folder.is_under_way:
        raise RunFolderError(f"{path} is being trained already, in another window or process.")
    if (finished := _result(folder)) is not None:
        return Past(finished, tuple(_epochs(folder)))
    if (folder.last.exists() or folder.earlier.exists()) and not _is_through(folder):
        return Past(goes_on=True)
    storage.remove_folder(path)  # trained again, it comes to the same
    return Past()


def _result(folder: RunFolder) -> Finished | None:
    """How a run ended, if it came to its end; None also if somebody changed the record."""
    record = folder.read_record()
    if record.get("status") not in (FINISHED, DIVERGED) or not isinstance(record.get("result"), dict):
        return None
    try:
        event = event_from_json({**record["result"], "event": "finished"})
        checkpoint = str(folder.checkpoint())  # the folder may have been moved
    except (storage.StorageError, RunFolderError):
        return None
    return replace(event, run=str(folder.path), checkpoint=checkpoint) if isinstance(event, Finished) else None


def _epochs(folder: RunFolder) -> list[EpochEnded]:
    found = []
    for row in folder.read_metrics():
        try:
            event = event_from_json({**row, "event": "epoch"})
        except storage.StorageError:
            continue
        if isinstance(event, EpochEnded):
            found.append(event)
    return found


def _is_through(folder: RunFolder) -> bool:
    """Whether all epochs are done, but the end was not written any more."""
    match folder.read_position():
        case {"step": int() as step, "steps": int() as steps}:
            return step >= steps
    return False
