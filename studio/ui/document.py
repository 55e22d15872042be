"""The open project: the one door through which the window changes it, and its history."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.data.choice import DataChoice
from studio.graph import Graph, GraphError
from studio.graph.edits import Edit, Several
from studio.graph.paths import flatten
from studio.project import Project, StartingWeights, read_project, write_project
from studio.project.model import fit_ends
from studio.settings import TrainingSettings
from studio.ui.history import History, Step


class Document(QObject):
    """Holds the project. Every change goes through one of its methods.

    Each call is one undo step, or none if it changes nothing.
    """

    project_changed = Signal(object, object)  # Project before, Project after: anything changed
    graph_changed = Signal(object, object)  # Graph before, Graph after; only when the graph differs
    refused = Signal(str)  # why an edit was refused, in plain words; nothing changed
    path_changed = Signal(object)  # Path of the project file, or None
    replaced = Signal()  # another project took its place, with another history; after graph_changed and project_changed

    def __init__(self, project: Project, path: Path | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._project = project
        self._path = path
        self._shown: tuple[Graph, Graph] | None = None  # a graph, and how it is shown
        self.history = History(self._set, self)

    @property
    def project(self) -> Project:
        """The project as it is now."""
        return self._project

    @property
    def graph(self) -> Graph:
        """The graph as it is now."""
        return self._project.graph

    @property
    def shown(self) -> Graph:
        """What stands on the canvas: also the blocks of unfolded groups, with paths for ids."""
        if self._shown is None or self._shown[0] is not self.graph:
            self._shown = (self.graph, flatten(self.graph))
        return self._shown[1]

    @property
    def path(self) -> Path | None:
        """Where the project is saved; None if it never was."""
        return self._path

    def do(self, edit: Edit, text: str, *, merge: str = "") -> bool:
        """Apply an edit as one undo step.

        Args:
            edit: what to do.
            text: the step's name in the Undo menu, such as "Connect".
            merge: steps in a row with the same text here become one, as when a slider moves.

        Returns:
            False if it was refused; then `refused` told why and nothing changed.
        """
        try:
            graph = edit.apply(self.graph)
        except GraphError as error:
            self.refused.emit(str(error))
            return False
        self._push(replace(self._project, graph=graph), text, merge)
        return True

    def choose_data(self, choice: DataChoice, text: str = "", *, own_step: bool = False) -> bool:
        """Choose a dataset; the Inputs take its shape, in the same undo step.

        Args:
            choice: the data from now on.
            text: the step's name, if it is a setting that changes; changes of the same one in a row become one step.
            own_step: whether it stays a step of its own also after one of the same name.
        """
        edit = fit_ends(self.graph, choice.spec) if choice.source != self._project.data.source else Several(())
        after = replace(self._project, data=choice, graph=edit.apply(self.graph))
        self._push(after, text or f"Choose {choice.source.title}", "" if own_step else f"data {text}")
        return True

    def change(self, project: Project, text: str) -> None:
        """Put a project in place of the open one, as one undo step; the file stays the same."""
        self._push(project, text, "")

    @property
    def is_untouched(self) -> bool:
        """Whether nothing of the person's is in it: it was not opened from a file, and nothing was ever changed."""
        return self._path is None and self.history.count == 0

    def set_training(self, settings: TrainingSettings, text: str) -> None:
        """Change the training settings; changes of the same setting in a row become one undo step."""
        self._push(replace(self._project, training=settings), text, f"training {text}")

    def set_weights(self, weights: StartingWeights | None) -> None:
        """Choose what runs start from; None for fresh weights."""
        text = "Choose fresh weights" if weights is None else f"Start from {weights.path.name}"
        self._push(replace(self._project, weights=weights), text, "")

    def describe(self, *, title: str | None = None, notes: str | None = None) -> None:
        """Change the project's title or notes; typing in the same one in a row becomes one undo step."""
        if title is not None:
            self._push(replace(self._project, title=title), "Change title", "title")
        if notes is not None:
            self._push(replace(self._project, notes=notes), "Change notes", "notes")

    def _push(self, after: Project, text: str, merge: str) -> None:
        if after != self._project:
            self.history.add(Step(text, self._project, after, merge))

    def _set(self, project: Project) -> None:
        before, self._project = self._project, project
        if before.graph != project.graph:
            self.graph_changed.emit(before.graph, project.graph)
        self.project_changed.emit(before, project)

    def save(self, path: Path) -> None:
        """Write the project file. Raises StorageError; then nothing changed on disk."""
        write_project(path, self._project)
        self._set_path(path)
        self.history.set_clean()

    def open(self, path: Path) -> None:
        """Replace the project by one from a file. Raises StorageError; then the open project stays."""
        self.reset(read_project(path), path)

    def reset(self, project: Project, path: Path | None = None) -> None:
        """Replace the project and forget the undo history."""
        self.history.clear()
        self._set(project)
        self._set_path(path)
        self.replaced.emit()

    def _set_path(self, path: Path | None) -> None:
        if path != self._path:
            self._path = path
            self.path_changed.emit(path)
