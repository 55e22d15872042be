"""What a person says of samples becomes a change of the project: one undo step each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio import storage
from studio.data.marks import Later, Relabelled, refusal
from studio.project import StartingWeights
from studio.ui.document import Document
from studio.ui.evaluation.one_task import OneTask, Progress, Say
from studio.ui.evaluation.sample_actions import Selected

if TYPE_CHECKING:
    from studio.data.choice import DataChoice
    from studio.ui.evaluation.work import Evaluated


class Marking(QObject):
    """Leaves samples out, gives them classes, notes them for later, and makes a checkpoint what runs start from."""

    failed = Signal(str)  # why it was not done
    weights_chosen = Signal()

    def __init__(self, document: Document, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._evaluated: Evaluated | None = None
        self.task = OneTask(self)  # reads samples, or a file: away from the window

    def begin(self, evaluated: Evaluated) -> None:
        """These are the samples from now on."""
        self._evaluated = evaluated

    @property
    def data(self) -> DataChoice:
        """That of the project."""
        return self._document.project.data

    @property
    def same_data(self) -> bool:
        """Whether the samples of the project are those of the run."""
        evaluated = self._evaluated
        return (
            evaluated is not None
            and self.data.source == evaluated.trained.project.data.source
            and not evaluated.trained.changed
        )

    def about(self, samples: tuple[int, ...]) -> Selected:
        """What is known of some samples."""
        chosen, same, data = frozenset(samples), self.same_data, self.data
        later = [mark for mark in data.later if mark.sample in chosen] if same else []
        known = self._evaluated
        return Selected(
            count=len(samples),
            excluded=sum(sample in chosen for sample in data.excluded) if same else 0,
            relabelled=sum(mark.sample in chosen for mark in data.relabelled) if same else 0,
            later=len(later),
            note=later[0].note if later else "",
            same_data=same,
            refusal=refusal(known.trained.dataset.spec.target) if known is not None else "",
        )

    def exclude(self, samples: tuple[int, ...], *, out: bool) -> None:
        """Leave samples out of all splits, or take them back."""
        known = set(self.data.excluded)
        excluded = tuple(sorted(known | set(samples) if out else known - set(samples)))
        self._choose(replace(self.data, excluded=excluded), f"{'Leave out' if out else 'Take back'} {_words(samples)}")

    def look_later(self, samples: tuple[int, ...], note: str | None) -> None:
        """Put samples on the list with a note, or take them off it (None)."""
        if note is None:
            kept = tuple(mark for mark in self.data.later if mark.sample not in samples)
            self._choose(replace(self.data, later=kept), f"{_words(samples, capital=True)} off the list")
        else:
            self._choose(self.data.noted(Later(sample, note) for sample in samples), f"Look at {_words(samples)} later")

    def give_class(self, samples: tuple[int, ...], number: int | None) -> None:
        """Give samples another class; None for those of their files."""
        if number is None:
            kept = tuple(mark for mark in self.data.relabelled if mark.sample not in samples)
            self._choose(replace(self.data, relabelled=kept), f"Class of {_words(samples)} as in the file")
            return
        evaluated = self._evaluated
        assert evaluated is not None
        label, dataset = evaluated.predictions.names[number], evaluated.trained.dataset

        def read(_say: Say, progress: Progress) -> list[Relabelled]:
            marks = []
            for done, sample in enumerate(samples):
                progress(done, len(samples))
                marks.append(Relabelled(sample, label, dataset.digest(sample)))
            return marks

        def give(marks: list[Relabelled]) -> None:
            if self._evaluated is evaluated and self.same_data:
                self._choose(self.data.given(marks), f"Class “{label[:40]}” for {_words(samples)}")

        self.task.start(read, give, lambda error: self.failed.emit(str(error)))

    def start_from(self, evaluated: Evaluated) -> None:
        """Let the next run start from the weights that were evaluated."""
        path = evaluated.trained.path.absolute()
        self.task.start(
            lambda _say, _progress: StartingWeights(path, storage.sha256(path)),
            self._take_weights,
            lambda error: self.failed.emit(str(error)),
        )

    def _take_weights(self, weights: StartingWeights) -> None:
        self._document.set_weights(weights)
        self.weights_chosen.emit()

    def _choose(self, data: DataChoice, text: str) -> None:
        self._document.choose_data(data, text, own_step=True)


def _words(samples: tuple[int, ...], *, capital: bool = False) -> str:
    words = f"{len(samples):,} samples" if len(samples) > 1 else f"sample {min(samples) + 1:,}"
    return f"{words[0].upper()}{words[1:]}" if capital else words
