"""What was done to the project, to be taken back and done again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal, Slot

from studio.project import Project


@dataclass(frozen=True)
class Step:
    """One thing the person did.

    Args:
        text: its name in the Undo menu, such as "Connect".
        before: the project that undo brings back.
        after: the project that redo brings back.
        merge: steps in a row with the same text here become one; empty for never.
    """

    text: str
    before: Project
    after: Project
    merge: str = ""


class History(QObject):
    """The steps, and how many of them are in force.

    It is plain Python, not a QUndoStack: if Python's garbage collector meets one of those with its commands, it deletes
    the commands first, and the stack then deletes them again.

    Args:
        show: called with the project to show, before any signal.
    """

    changed = Signal()  # other steps, or another number of them in force
    clean_changed = Signal(bool)

    def __init__(self, show: Callable[[Project], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._show = show
        self._steps: list[Step] = []
        self._index = 0
        self._clean: int | None = 0  # steps in force when the project was saved; None if there is no way back there

    @property
    def texts(self) -> tuple[str, ...]:
        """Names of all steps, the oldest first, also of those that were taken back."""
        return tuple(step.text for step in self._steps)

    @property
    def index(self) -> int:
        """How many steps are in force."""
        return self._index

    @property
    def count(self) -> int:
        """How many steps there are, also those that were taken back."""
        return len(self._steps)

    @property
    def undo_text(self) -> str:
        """Name of the step that undo takes back; empty if there is none."""
        return self._steps[self._index - 1].text if self._index else ""

    @property
    def redo_text(self) -> str:
        """Name of the step that redo does again; empty if there is none."""
        return self._steps[self._index].text if self._index < self.count else ""

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return self._index > 0

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return self._index < self.count

    @property
    def clean(self) -> bool:
        """Whether the project is as it was saved, or opened."""
        return self._index == self._clean

    def add(self, step: Step) -> None:
        """Do a step. What was taken back before is forgotten."""
        was_clean = self.clean
        if self._clean is not None and self._clean > self._index:
            self._clean = None
        del self._steps[self._index :]
        last = self._steps[-1] if self._steps and not was_clean else None
        if last is not None and step.merge and last.merge == step.merge:
            self._steps[-1] = replace(step, before=last.before)
            if last.before == step.after:  # changed and changed back: no step to undo
                self._steps.pop()
        else:
            self._steps.append(step)
        self._index = self.count
        self._go(step.after, was_clean)

    @Slot()
    def undo(self) -> None:
        """Take the last step back, if there is one."""
        if self.can_undo:
            self.go_to(self._index - 1)

    @Slot()
    def redo(self) -> None:
        """Do the next step again, if there is one."""
        if self.can_redo:
            self.go_to(self._index + 1)

    def go_to(self, index: int) -> None:
        """Let so many steps be in force; back and forth, one may jump."""
        index = max(0, min(index, self.count))
        if index == self._index:
            return
        was_clean, forward = self.clean, index > self._index
        self._index = index
        self._go(self._steps[index - 1].after if forward else self._steps[index].before, was_clean)

    def set_clean(self) -> None:
        """The project was saved as it is."""
        if not self.clean:
            self._clean = self._index
            self.clean_changed.emit(True)

    def clear(self) -> None:
        """Forget all steps; what is shown now is clean."""
        was_clean = self.clean
        self._steps.clear()
        self._index = self._clean = 0
        self._announce(was_clean)

    def _go(self, project: Project, was_clean: bool) -> None:
        self._show(project)
        self._announce(was_clean)

    def _announce(self, was_clean: bool) -> None:
        self.changed.emit()
        if self.clean != was_clean:
            self.clean_changed.emit(self.clean)
