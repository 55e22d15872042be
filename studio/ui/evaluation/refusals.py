"""Why nothing can be evaluated, in words, and what helps on."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from studio.compile.plan import CompileError
from studio.data.base import DataError, Source
from studio.runs import RunFolderError
from studio.training.errors import CheckpointError, TrainingError
from studio.ui.evaluation.work import RunDataMissingError, UntrustedError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Refusal:
    """What is told.

    Args:
        buttons: names of those that help on.
        source: the data whose files are not there; None if they are.
        error: what was raised.
    """

    heading: str
    reason: str
    buttons: tuple[str, ...]
    error: Exception
    source: Source | None = None


def refusal_of(error: Exception) -> Refusal:
    """What to tell of an error."""
    reason = str(error)
    match error:
        case UntrustedError():
            return Refusal("The code of this run has not run here", reason, ("readRunCode",), error)
        case RunDataMissingError():
            # Where files of the person's own are stands in the run's project.
            buttons = () if error.source.needs_place else ("findRunData",)
            return Refusal("The data of this run is not there", reason, buttons, error, error.source)
        case DataError():
            return Refusal("The data of this run cannot be used", reason, (), error)
        case CheckpointError() | RunFolderError():
            return Refusal("These weights cannot be read", reason, ("openOtherRun",), error)
        case CompileError() | TrainingError():
            return Refusal("This network cannot be evaluated", reason, (), error)
    logger.error("an evaluation failed", exc_info=error)
    return Refusal("Nothing was evaluated", f"A fault in the program ({error!r}). The log has more.", (), error)
