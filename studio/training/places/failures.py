"""Why a run ended without a result, as plain data: the same error is raised where the run is watched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.data.base import DataError, MissingDataError, UntrustedDataError
from studio.fields import FieldError
from studio.registry import UnknownKindError
from studio.runs import RunFolderError
from studio.settings import TrainingSettings
from studio.storage import BadFileError, StorageError
from studio.training.errors import (
    ChangedDataError,
    CheckpointError,
    MemoryShortageError,
    MissingWeightsError,
    TrainingError,
)  # fmt: skip
from studio.training.pretrained import weights_file

# Their messages are made for people. Of an error of another kind, the nearest of these that it is one of is told.
KINDS: dict[str, type[Exception]] = {
    kind.__name__: kind
    for kind in (
        TrainingError, DataError, MissingDataError, UntrustedDataError, RunFolderError, StorageError, BadFileError,
        CheckpointError, ChangedDataError,
    )
}  # fmt: skip


def failure_to_json(error: Exception) -> dict[str, Any]:
    """What is told of an error; one that is a fault of the program becomes a TrainingError that names it."""
    if isinstance(error, MissingWeightsError):
        return {"kind": "MissingWeightsError", "message": str(error), "network": error.file.network}
    if isinstance(error, MemoryShortageError):
        smaller = None if error.smaller is None else error.smaller.to_json()
        return {"kind": "MemoryShortageError", "message": str(error), "run": str(error.run), "smaller": smaller}
    for kind in type(error).__mro__:
        if kind.__name__ in KINDS:
            return {"kind": kind.__name__, "message": str(error)}
    message = (
        f"The run ended with an unexpected error: {type(error).__name__}: {error}. What was written so far is kept in "
        "the run’s folder."
    )
    return {"kind": TrainingError.__name__, "message": message}


def failure_from_json(data: object) -> Exception:
    """The error that was told. Raises BadFileError if it is none."""
    match data:
        case {"kind": "MissingWeightsError", "message": str() as message, "network": str() as network}:
            return _missing_weights(message, network)
        case {"kind": "MemoryShortageError", "message": str() as message, "run": str() as run, "smaller": smaller}:
            return MemoryShortageError(message, Path(run), _settings(smaller))
        case {"kind": str() as kind, "message": str() as message} if kind in KINDS:
            return KINDS[kind](message)
    raise BadFileError(f"The run ended with an error that cannot be read: {str(data)[:200]!r}.")


def _settings(data: object) -> TrainingSettings | None:
    try:
        return None if data is None else TrainingSettings.from_json(data)
    except (FieldError, UnknownKindError) as error:
        raise BadFileError(f"The run ended with settings that cannot be read: {error}") from error


def _missing_weights(message: str, network: str) -> MissingWeightsError:
    try:
        return MissingWeightsError(message, weights_file(network))
    except KeyError as error:
        raise BadFileError(f"The run needs weights of “{network[:40]}”, which the studio does not know.") from error
