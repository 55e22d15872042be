"""The window at a bad moment to be closed: one of many situations, told on standard output once it is reached.

Run by bad_quits.py: python bad_moments.py SITUATION PROJECT RUN ARCHIVE ANSWER...
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QDialog, QMessageBox, QPushButton, QWidget

from studio.fields import replace as replace_fields
from studio.ui import run_state
from studio.ui.app import create_window
from studio.ui.main_window import MainWindow

Moment = Callable[[MainWindow, "Things"], Iterator[Callable[[], Any]]]
LOOK_MS = 5


class Things:
    """What the situations need."""

    def __init__(self, run: Path, archive: Path) -> None:
        self.run = run
        self.archive = archive


def loading(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """PyTorch is on its way."""
    yield lambda: True


def _train(window: MainWindow, place: str, **settings: Any) -> Iterator[Callable[[], Any]]:
    yield lambda: window.loader.loaded
    if settings:
        training = window.document.project.training
        speed = replace_fields(training.speed, **settings)
        window.document.set_training(replace_fields(training, speed=speed), "Change speed")
    window.run_bar.choose_place(place)
    window.run_bar.train_action.trigger()


def _until(window: MainWindow, state: str) -> Callable[[], bool]:
    return lambda: window.session.state == state


def starting(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run reads its data."""
    yield from _train(window, "thread")
    yield _until(window, run_state.STARTING)


def training(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run in a thread."""
    yield from _train(window, "thread")
    yield _until(window, run_state.TRAINING)


def compiling(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run whose step is compiled meanwhile."""
    yield from _train(window, "thread", mode="auto")
    yield _until(window, run_state.TRAINING)


def compiling_first(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run that compiles before it begins."""
    yield from _train(window, "thread", compile="whole step")
    yield _until(window, run_state.TRAINING)


def stopping(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run that was asked to stop."""
    yield from training(window, _)
    window.run_bar.stop_action.trigger()


def paused(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run that waits."""
    yield from training(window, _)
    window.run_bar.pause_action.trigger()


def starting_apart(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A process that is only starting."""
    yield from _train(window, "process")
    yield _until(window, run_state.STARTING)


def training_apart(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run in a process of its own."""
    yield from _train(window, "process")
    yield _until(window, run_state.TRAINING)


def paused_apart(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run in a process of its own that waits."""
    yield from training_apart(window, _)
    window.run_bar.pause_action.trigger()


def training_together(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A run in two processes."""
    yield from _train(window, "local:2")
    yield _until(window, run_state.TRAINING)


def checking(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """The check before a run."""
    yield lambda: window.train_place.check_button.isEnabled()
    window.show_place(2)
    window.train_place.check_button.click()
    yield lambda: window.preflight.checking


def finding_rate(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """The dialog that looks for a rate."""
    yield lambda: window.loader.loaded
    window.run_control.find_rate()


def _evaluating(window: MainWindow, things: Things) -> Iterator[Callable[[], Any]]:
    yield lambda: window.loader.loaded
    window.show_place(3)
    yield lambda: window.evaluate_place.workplace is not None and window.evaluate_place.workplace.complete
    place = window.evaluate_place.workplace
    assert place is not None
    place.choice.choose(things.run)
    place.evaluate()


def evaluating(window: MainWindow, things: Things) -> Iterator[Callable[[], Any]]:
    """A trained network is judged."""
    yield from _evaluating(window, things)


def explaining(window: MainWindow, things: Things) -> Iterator[Callable[[], Any]]:
    """A sample is explained."""
    yield from _evaluating(window, things)
    place = window.evaluate_place.workplace
    assert place is not None
    yield lambda: not place.task.busy and place.sample.form.button.isEnabled()
    place.sample.form.button.click()


def exporting(window: MainWindow, things: Things) -> Iterator[Callable[[], Any]]:
    """A file for other programs is written."""
    yield from _evaluating(window, things)
    place = window.evaluate_place.workplace
    assert place is not None
    yield lambda: not place.task.busy
    place.choice.export_wanted.emit()
    yield lambda: window.findChild(QDialog, "exportDialog") is not None
    dialog = window.findChild(QDialog, "exportDialog")
    assert dialog is not None
    button = dialog.findChild(QPushButton, "exportWrite")
    assert button is not None
    yield lambda: button.isEnabled()
    button.click()


def unpacking(window: MainWindow, things: Things) -> Iterator[Callable[[], Any]]:
    """An archive is unpacked and looked into."""
    yield lambda: window.loader.loaded
    window.own_data.use(things.archive)


def import_dialog(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A dialog that lists networks."""
    yield lambda: window.loader.loaded
    window.import_action.trigger()


def looking_at_data(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """The samples are being read for the Data place."""
    yield lambda: window.loader.loaded
    window.show_place(1)


def unsaved(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """Changes that are not saved, and a run."""
    yield from training(window, _)
    window.document.describe(title="Changed")


def question(window: MainWindow, _: Things) -> Iterator[Callable[[], Any]]:
    """A question that waits for its answer."""
    yield lambda: window.loader.loaded
    window.document.describe(title="Changed")
    QTimer.singleShot(0, window.files.new)
    yield lambda: QApplication.activeModalWidget() is not None


MOMENTS: dict[str, Moment] = {
    moment.__name__: moment
    for moment in (
        loading, starting, training, compiling, compiling_first, stopping, paused, starting_apart, training_apart,
        paused_apart, training_together, checking, finding_rate, evaluating, explaining, exporting, unpacking,
        import_dialog, looking_at_data, unsaved, question,
    )
}  # fmt: skip


class Director:
    """Brings the window into a situation, and answers what it asks when it is closed."""

    def __init__(self, window: MainWindow, moment: Iterator[Callable[[], Any]], answers: list[str]) -> None:
        self._moment = moment
        self._reached: Callable[[], Any] | None = next(moment)
        self._answers = answers  # the first of these that a question offers is given
        self._open: QWidget | None = None  # the question that is the situation is not answered
        self.timer = QTimer(window)
        self.timer.setInterval(LOOK_MS)
        self.timer.timeout.connect(self._look)
        self.timer.start()

    def _look(self) -> None:
        while self._reached is not None and self._reached():
            self._reached = next(self._moment, None)
            if self._reached is None:
                self._open = QApplication.activeModalWidget()
                print("READY", flush=True)
        if self._reached is None:
            self._answer()

    def _answer(self) -> None:
        box = QApplication.activeModalWidget()
        if not isinstance(box, QMessageBox) or box is self._open:
            return
        texts = {button.text().replace("&", ""): button for button in box.buttons()}
        for answer in self._answers:
            if answer in texts:
                print(f"ANSWERED {answer}", flush=True)
                texts[answer].click()
                return


def main() -> int:
    """Open the window, bring it there, and let it be closed from outside."""
    situation, project, run, archive, *answers = sys.argv[1:]
    window = create_window(Path(project))
    director = Director(window, MOMENTS[situation](window, Things(Path(run), Path(archive))), answers)
    director.timer.setObjectName(situation)
    from studio.ui.opening import run_until_closed

    return run_until_closed(window)


if __name__ == "__main__":
    sys.exit(main())
