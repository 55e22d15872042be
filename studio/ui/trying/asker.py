"""What asks a network in a thread of its own, and tells the panels what it answered."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from studio.compile.plan import CompileError
from studio.data.base import DataError
from studio.runs import RunFolderError
from studio.training.errors import CheckpointError, TrainingError
from studio.ui.background import CancelledError
from studio.ui.gallery.thumbs import Style, Thumb, make_thumb
from studio.ui.trying.newest_of_each import NewestOfEach

if TYPE_CHECKING:
    from studio.data.forms import Raw
    from studio.evaluation.answering import Answer
    from studio.evaluation.inspection import Verdict
    from studio.evaluation.taken import Taken
    from studio.evaluation.trying import Trial
    from studio.ui.evaluation.explaining import Asked

logger = logging.getLogger(__name__)

EXPLAINED = (CheckpointError, CompileError, DataError, RunFolderError, TrainingError)

_RENEW_MS = 250  # so often newer weights are looked for while somebody looks
_LEAST_SECONDS_BETWEEN_CHECKS = 1.0
_SHARE_OF_TIME = 0.01  # that watching the fixed samples may take

Given = tuple[object, ...]
OPEN, RENEW, ANSWER, EXPLAIN, WRITE, TAKE, CHECK = "open", "renew", "answer", "explain", "write", "take", "check"


@dataclass(frozen=True, eq=False)
class Told:
    """An answer.

    Args:
        raws: what was read of each part.
        about: whose weights answered.
    """

    answer: Answer
    raws: tuple[Raw, ...]
    about: str


@dataclass(frozen=True, eq=False)
class Checked:
    """The answers to the fixed samples.

    Args:
        thumbs: one for each sample, small.
        verdicts: one for each.
        followed: whether the end of each text counts, since what comes next is answered.
    """

    samples: list[Taken]
    thumbs: list[Thumb]
    verdicts: list[Verdict]
    about: str
    followed: bool


class Asker(QObject):
    """Owns what is tried. Its signals come in the GUI thread."""

    opened = Signal(object)  # a Trial with weights; it is used in the thread alone
    refused = Signal(str)  # why there is nothing to try
    answered = Signal(object)  # Told
    unreadable = Signal(str)  # why what was given has no answer
    explained = Signal(object)  # what `studio.ui.evaluation.explaining.work_for` gives
    unexplained = Signal(str)
    written = Signal(str)  # a piece that goes behind the text
    writing_ended = Signal(str)  # why, where that is to be told; else empty
    taken = Signal(object)  # a Taken at random
    untaken = Signal(str)
    checked = Signal(object)  # Checked
    _did = Signal(int, object)  # number of what was opened, and what to do in the GUI thread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thread: NewestOfEach | None = None
        self._trial: Trial | None = None  # used in the thread alone
        self._number = 0
        self._given: Given | None = None
        self._draws = 0
        self._check_due = 0.0
        self._thumbs_key: tuple[int, bool, float] | None = None
        self._thumbs: list[Thumb] = []
        self._timer = QTimer(self)
        self._timer.setInterval(_RENEW_MS)
        self._timer.timeout.connect(self._renew)
        self._did.connect(self._do, Qt.ConnectionType.QueuedConnection)

    # Asking -----------------------------------------------------------------------------------------------------------

    def open(self, make: Callable[[], Trial]) -> None:
        """Try another network from now on; what was given is forgotten.

        Args:
            make: called in the thread; may raise what is explained to people.
        """
        self.forget()
        number = self._number
        self._ask(OPEN, lambda: self._open(number, make))

    def forget(self) -> None:
        """Try nothing any more."""
        self._number += 1
        self._given, self._check_due = None, 0.0
        if self._thread is not None:
            self._thread.drop(OPEN, RENEW, ANSWER, EXPLAIN, WRITE, TAKE, CHECK)
            self._ask(OPEN, self._drop)

    def look(self, looked_at: bool) -> None:
        """Whether anybody looks: else no newer weights are asked for."""
        if looked_at:
            self._timer.start()
            self._renew()
        else:
            self._timer.stop()

    def give(self, given: Given) -> None:
        """Answer to this; the newest counts."""
        self._given = given
        number = self._number
        self._ask(ANSWER, lambda: self._answer(number, given))

    def take_back(self) -> None:
        """Nothing is given any more."""
        self._given = None
        if self._thread is not None:
            self._thread.drop(ANSWER, EXPLAIN)

    def explain(self, asked: Asked) -> None:
        """Explain the answer to what was given."""
        number, given = self._number, self._given
        if given is not None:
            self._ask(EXPLAIN, lambda: self._explain(number, given, asked))

    def stop_explaining(self) -> None:
        """Give up the explanation under way."""
        self._ask(EXPLAIN, lambda: None)

    def write(self, given: tuple[str, ...], count: int, temperature: float) -> None:
        """Go on with a text."""
        number = self._number
        self._ask(WRITE, lambda: self._write(number, given, count, temperature))

    def stop_writing(self) -> None:
        """Write no more."""
        self._ask(WRITE, lambda: None)

    def take(self, folder: Path | None) -> None:
        """Fetch a sample of the data at random.

        Args:
            folder: where the person keeps the files of the data.
        """
        number = self._number
        self._draws += 1
        draw = self._draws
        self._ask(TAKE, lambda: self._take(number, folder, draw))

    def check(self, folder: Path | None, style: Style) -> bool:
        """Answer the fixed samples, unless that would come too soon or take too large a share of the time.

        Args:
            folder: where the person keeps the files of the data.
            style: how they are drawn.

        Returns:
            whether they are being answered.
        """
        if time.perf_counter() < self._check_due:
            return False
        number = self._number
        self._ask(CHECK, lambda: self._check(number, folder, style))
        return True

    def close(self) -> None:
        """End the thread, after what it is at."""
        self._number += 1
        self._timer.stop()
        if self._thread is not None:
            self._thread.close()
            self._thread = None
        self._trial = None

    def _ask(self, kind: str, work: Callable[[], None]) -> None:
        if self._thread is None:
            self._thread = NewestOfEach("trying")
            self._thread.start()
        self._thread.ask(kind, work)

    @Slot()
    def _renew(self) -> None:
        number, given = self._number, self._given
        if self._thread is not None:
            self._ask(RENEW, lambda: self._renew_now(number, given))

    @Slot(int, object)
    def _do(self, number: int, act: Callable[[], None]) -> None:
        if number == self._number:
            act()

    # In the thread ----------------------------------------------------------------------------------------------------

    def _tell(self, number: int, act: Callable[..., None], *what: object) -> None:
        self._did.emit(number, functools.partial(act, *what))

    def _attempt(self, number: int, refuse: Callable[[str], None], work: Callable[[Trial], None]) -> None:
        """Do something with what is tried, and tell why it cannot be done."""
        trial = self._trial
        if trial is None or number != self._number:
            return
        try:
            work(trial)
        except CancelledError:
            self._tell(number, refuse, "")
        except EXPLAINED as error:
            self._tell(number, refuse, str(error))
        except Exception as error:
            logger.exception("trying a network failed")
            self._tell(number, refuse, f"A fault in the program ({error!r}). The log has more.")

    def _drop(self) -> None:
        self._trial = None

    def _open(self, number: int, make: Callable[[], Trial]) -> None:
        self._trial = None
        try:
            trial = make()
        except EXPLAINED as error:
            self._tell(number, self.refused.emit, str(error))
            return
        except Exception as error:
            logger.exception("nothing can be tried")
            self._tell(number, self.refused.emit, f"A fault in the program ({error!r}). The log has more.")
            return
        self._trial = trial
        if trial.about:
            self._tell(number, self.opened.emit, trial)

    def _renew_now(self, number: int, given: Given | None) -> None:
        def renew(trial: Trial) -> None:
            first = not trial.about
            if not trial.renew():
                return
            if first:
                self._tell(number, self.opened.emit, trial)
            elif given is not None and not self._waits(ANSWER):
                self._answer(number, given)

        self._attempt(number, self.refused.emit, renew)

    def _waits(self, *kinds: str) -> bool:
        thread = self._thread
        return thread is None or thread.waits(*kinds)

    def _answer(self, number: int, given: Given) -> None:
        def answer(trial: Trial) -> None:
            if trial.about:
                raws, reading = trial.read(given)
                self._tell(number, self.answered.emit, Told(trial.answer(reading), tuple(raws), trial.about))

        self._attempt(number, self.unreadable.emit, answer)

    def _explain(self, number: int, given: Given, asked: Asked) -> None:
        from studio.evaluation.single import with_one_sample
        from studio.ui.evaluation.explaining import work_for

        def check(_done: int, _total: int) -> None:
            if self._waits(EXPLAIN, ANSWER, OPEN):
                raise CancelledError

        def work(trial: Trial) -> None:
            raws, _ = trial.read(given)
            trained = with_one_sample(trial.answerer, trial.project, raws)
            found = work_for(trained, 0, asked)(lambda _what: None, check)
            self._tell(number, self.explained.emit, found)

        self._attempt(number, self.unexplained.emit, work)

    def _write(self, number: int, given: tuple[str, ...], count: int, temperature: float) -> None:
        from studio.evaluation.writing import go_on

        def work(trial: Trial) -> None:
            for piece in go_on(trial.answerer, given, count, temperature):
                if self._waits(WRITE, OPEN):
                    break
                self._tell(number, self.written.emit, piece)
                trial.renew()
            self._tell(number, self.writing_ended.emit, "")

        self._attempt(number, self.writing_ended.emit, work)

    def _take(self, number: int, folder: Path | None, draw: int) -> None:
        def work(trial: Trial) -> None:
            samples = trial.samples(folder)
            if not samples:
                raise DataError("There are no samples to take one from.")
            self._tell(number, self.taken.emit, samples[draw % len(samples)])

        self._attempt(number, self.untaken.emit, work)

    def _check(self, number: int, folder: Path | None, style: Style) -> None:
        from studio.evaluation.answer import NEXT
        from studio.evaluation.taken import judge
        from studio.evaluation.trying import FIXED

        def work(trial: Trial) -> None:
            if not trial.about:
                return
            samples = trial.samples(folder)[:FIXED]
            started = time.thread_time()  # waiting for others takes nothing from them
            answers = trial.answers([one.reading for one in samples])
            verdicts = [judge(one, answer) for one, answer in zip(samples, answers, strict=True)]
            seconds = time.thread_time() - started
            self._check_due = time.perf_counter() + max(_LEAST_SECONDS_BETWEEN_CHECKS, seconds / _SHARE_OF_TIME)
            followed = trial.answerer.kind == NEXT
            checked = Checked(samples, self._drawn(number, samples, style), verdicts, trial.about, followed)
            self._tell(number, self.checked.emit, checked)

        self._attempt(number, self.untaken.emit, work)

    def _drawn(self, number: int, samples: list[Taken], style: Style) -> list[Thumb]:
        """Draw the fixed samples once for each look of the window."""
        key = (number, style.colors.dark, style.ratio)
        if self._thumbs_key != key:
            self._thumbs_key = key
            self._thumbs = [make_thumb(one.shown, style) for one in samples]
        return self._thumbs
