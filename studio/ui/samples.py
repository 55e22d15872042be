"""What one real sample looks like after every block, worked out away from the GUI thread."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.blocks import Input
from studio.compile.analysis import Analysis
from studio.data.base import DataError
from studio.data.choice import DataChoice
from studio.graph import Graph
from studio.graph.paths import flatten
from studio.project import Project
from studio.ui.document import Document
from studio.ui.newest import NewestOnly
from studio.ui.preferences import Preferences
from studio.ui.run_state import IDLE

if TYPE_CHECKING:
    from torch import Tensor

    from studio.compile.pictures import Picture
    from studio.data.examples import Example

# Above these a look at a sample would take seconds, or a good part of the memory.
MAX_FLOPS = 4 * 10**9
MAX_MEMORY = 2**29
MAX_PARAMETERS = 50_000_000
MAX_BLOCKS = 400

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sighting:
    """A sample on its way through the network.

    Args:
        pictures: by the paths of the blocks; those that are not reached have none.
        caption: which sample it is, and with which weights.
        reason: why there are no pictures, in plain words; empty if there are.
    """

    pictures: dict[str, Picture] = field(default_factory=dict)
    caption: str = ""
    reason: str = ""


@dataclass(frozen=True)
class _Wish:
    """What to look at."""

    graph: Graph
    data: DataChoice
    folder: Path | None
    sample: int
    checkpoint: Path | None


class Samples(QObject):
    """Runs a sample through the network after each edit, unless it is switched off or a run is under way.

    While a run trains, the pictures stay as they are: it is to have the processor for itself. After it, they show what
    the learned weights make of the sample.
    """

    seen = Signal(object)  # Sighting
    _finished = Signal(int, object)  # number of the request, Sighting; comes from the worker thread

    def __init__(self, document: Document, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._preferences = preferences
        self._wanted = preferences.samples
        self._worker: NewestOnly[tuple[int, _Wish]] | None = None
        self._asked: _Wish | None = None  # what is seen, or will be
        self._analysis = Analysis()
        self._sighting = Sighting()
        self._running = False
        self._checkpoint: Path | None = None
        self._request = 0
        self._sample = 0
        self._looker = _Looker()
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        document.replaced.connect(self._forget_weights)
        document.project_changed.connect(self._follow)

    @property
    def sighting(self) -> Sighting:
        """What was seen last."""
        return self._sighting

    @property
    def wanted(self) -> bool:
        """Whether pictures are to be shown."""
        return self._wanted

    @Slot()
    def start(self) -> None:
        """Begin: torch is loaded."""
        if self._worker is None:
            self._worker = NewestOnly("samples", self._look)
            self._worker.start()
            self._ask()

    def close(self) -> None:
        """Stop, and wait for the look under way."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    @Slot(bool)
    def set_wanted(self, wanted: bool) -> None:
        """Switch on or off; it is remembered."""
        self._wanted = self._preferences.samples = wanted
        self._ask()

    @Slot()
    def show_next(self) -> None:
        """Take another sample."""
        self._sample += 1
        self._ask()

    @Slot(object)
    def follow_analysis(self, analysis: Analysis) -> None:
        """The shapes are known: look again."""
        self._analysis = analysis
        self._ask()

    def follow_run(self, state: str, checkpoint: Path | None) -> None:
        """A run began or ended.

        Args:
            state: of the session.
            checkpoint: of the latest run that came to its end.
        """
        ended, self._running = self._running and state == IDLE, state != IDLE
        if ended:
            self._checkpoint = checkpoint
            self._ask()

    @Slot(object, object)
    def _follow(self, before: Project, after: Project) -> None:
        if before.data != after.data:
            self._ask()

    @Slot()
    def _forget_weights(self) -> None:
        self._checkpoint = None

    def _ask(self) -> None:
        reason = self._refusal()
        if not self._wanted or reason:
            self._asked = None
            self._request += 1  # what is under way is out of date
            self._show(Sighting(reason=reason if self._wanted else ""))
        elif self._worker is not None and not self._running:
            project = self._document.project
            folder = self._preferences.data_folder(project.data.source.kind)
            wish = _Wish(project.graph, project.data, folder, self._sample, self._checkpoint)
            if wish != self._asked:
                self._asked = wish
                self._request += 1
                self._worker.ask((self._request, wish))

    def _refusal(self) -> str:
        known = self._analysis
        if len(known.nodes) > MAX_BLOCKS:
            return f"Samples are shown in networks of at most {MAX_BLOCKS} blocks."
        if known.flops > MAX_FLOPS or known.memory > MAX_MEMORY or known.parameters > MAX_PARAMETERS:
            return "The network is too large to show a sample after every edit."
        return ""

    def _look(self, asked: tuple[int, _Wish]) -> None:
        """In the worker thread."""
        number, wish = asked
        try:
            sighting = self._looker.look(wish)
        except DataError as error:
            sighting = Sighting(reason=str(error))
        except Exception as error:  # whatever is wrong must not end the thread
            logger.exception("a sample could not be shown")
            sighting = Sighting(reason=f"The sample could not be shown: {error}")
        self._finished.emit(number, sighting)

    @Slot(int, object)
    def _deliver(self, request: int, sighting: Sighting) -> None:
        if request == self._request and self._worker is not None:
            self._show(sighting)

    def _show(self, sighting: Sighting) -> None:
        self._sighting = sighting
        self.seen.emit(sighting)


class _Looker:
    """Keeps between two looks what they have in common. Used in one thread only."""

    def __init__(self) -> None:
        self._data: tuple[DataChoice, Path | None] | None = None
        self._examples: tuple[Example, ...] = ()
        self._weights: tuple[Path, dict[str, Tensor]] | None = None

    def look(self, wish: _Wish) -> Sighting:
        """Run the sample through the network.

        Raises:
            DataError: if there is no sample.
        """
        from studio.compile.trace import trace

        graph, example = wish.graph, self._example(wish)
        fits = len(graph.inputs) == len(example.inputs) and all(
            isinstance(node.block, Input) and node.block.spec.dims == tuple(value.shape[1:])
            for node, value in zip(graph.inputs, example.inputs, strict=True)
        )
        if not fits:
            return Sighting(reason="The Input does not fit the samples of the dataset.")
        weights = self._learned(wish.checkpoint)
        results = trace(graph, example.inputs, weights)
        pictures = _pictures(wish, example, results)
        learned = "with the weights of the last run" if weights else "before any training"
        text = f": “{example.text}…”" if example.text else ""
        return Sighting(pictures, f"Sample {example.number} ({example.target}), {learned}{text}")

    def _example(self, wish: _Wish) -> Example:
        from studio.data.examples import examples

        data = (wish.data, wish.folder)
        if data != self._data:
            self._examples = examples(*data)
            self._data = data
        return self._examples[wish.sample % len(self._examples)]

    def _learned(self, checkpoint: Path | None) -> dict[str, Tensor]:
        """The weights of a run; none if there is none, or if its files are gone."""
        from studio.training.checkpoint import read_checkpoint
        from studio.training.errors import CheckpointError

        if checkpoint is None:
            return {}
        if self._weights is None or self._weights[0] != checkpoint:
            try:
                self._weights = (checkpoint, read_checkpoint(checkpoint).model)
            except CheckpointError:
                return {}
        return self._weights[1]


def _pictures(wish: _Wish, example: Example, results: dict[str, Tensor]) -> dict[str, Picture]:
    """What each block gives; an Output shows its answer as what it stands for."""
    from studio.compile.outputs import target_of
    from studio.compile.pictures import class_picture, picture

    target, answers = wish.data.spec.target, [node.id for node in wish.graph.outputs]
    images = {node.id for node in flatten(wish.graph).nodes if isinstance(node.block, Input)}
    drawn = [node.id for node in wish.graph.outputs if (own := target_of(node, wish.data.spec)) and own.is_input]
    images.update(drawn)
    pictures = {path: picture(value, image=path in images) for path, value in results.items()}
    for path in answers:
        if example.pixels is not None and path in results and results[path].shape == target.answer.dims:
            pictures[path] = class_picture(results[path], example.pixels)
    return pictures
