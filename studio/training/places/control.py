"""The wishes of somebody who may leave a run without ending it."""

from __future__ import annotations

from studio.training.control import Control


class DetachedError(Exception):
    """Whoever watched a run left it, as they wished; it goes on."""


class DetachableControl(Control):
    """A control of a run that can go on alone."""

    def __init__(self) -> None:
        super().__init__()
        self._detached = False

    @property
    def detached(self) -> bool:
        """Whether the run is to be left alone."""
        return self._detached

    def detach(self) -> None:
        """Leave the run; one that is paused goes on, since nobody would be there to let it."""
        self.resume()
        self._detached = True
