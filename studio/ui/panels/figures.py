"""The figures of the run under way, as a table of names and values."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Slot
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from studio.training.events import EpochEnded, Event, Finished, Progress, Started
from studio.ui.wording import duration, metric_phrase, metric_value, rate

_NOTHING = "–"
_REFRESH_MS = 200  # numbers that change faster cannot be read

_ROWS = (
    ("epoch", "Epoch"),
    ("steps", "Step"),
    ("rate", "Samples per second"),
    ("left", "Time left"),
    ("learning_rate", "Learning rate"),
    ("best", "Best validation loss"),
    ("best_epoch", "Best epoch"),
    ("score", "Validation score"),
    ("baseline", "Without the input"),
    ("parameters", "Parameters"),
    ("samples", "Training samples"),
    ("device", "Device"),
    ("threads", "Threads"),
    ("speed", "Computed"),
)


class Figures(QWidget):
    """Shows where a run stands, how fast it goes and what it runs on."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("figures")
        self.setAccessibleName("Figures of the run")
        self._texts: dict[str, str] = {}
        self._started: Started | None = None
        self._measures: tuple[str, ...] = ()  # that have a row
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REFRESH_MS)
        self._timer.timeout.connect(self._show)
        self._labels: dict[str, QLabel] = {}
        self._values: dict[str, QLabel] = {}
        self._build()

    def _build(self) -> None:
        title = QLabel("This run", self)
        font = title.font()
        font.setBold(True)
        title.setFont(font)
        form = QFormLayout()
        form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        form.setHorizontalSpacing(12)
        self._form = form
        for key, text in _ROWS:
            self._add_row(key, text, form.rowCount())
        layout = QVBoxLayout(self)
        layout.addWidget(title)
        layout.addLayout(form)
        layout.addStretch()

    def _add_row(self, key: str, text: str, place: int) -> None:
        label, value = QLabel(text, self), QLabel(_NOTHING, self)
        value.setObjectName(f"figure_{key}")
        value.setTextFormat(Qt.TextFormat.PlainText)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setAccessibleName(text)
        value.setMinimumWidth(value.fontMetrics().horizontalAdvance("000,000 of 000,000"))
        self._labels[key], self._values[key] = label, value
        self._form.insertRow(place, label, value)

    def _show_measures(self, names: tuple[str, ...]) -> None:
        """Have a row for each figure beside the score, below it."""
        if names == self._measures:
            return
        for name in self._measures:
            self._form.removeRow(self._labels.pop(name))
            del self._values[name]
        self._measures = names
        place = next(row for row in range(self._form.rowCount()) if self._label_at(row) is self._labels["score"])
        for number, name in enumerate(names, 1):
            self._add_row(name, f"Validation {metric_phrase(name)}", place + number)

    def _label_at(self, row: int) -> QWidget | None:
        item = self._form.itemAt(row, QFormLayout.ItemRole.LabelRole)
        return None if item is None else item.widget()

    def text(self, key: str) -> str:
        """The newest value of a row, shown or about to be."""
        return self._texts.get(key, _NOTHING)

    def show_events(self, events: list[Event]) -> None:
        """Take in what happened; the labels follow a few times a second."""
        for event in events:
            match event:
                case Started():
                    self._begin(event)
                case Progress():
                    self._note_progress(event)
                case EpochEnded():
                    self._note_epoch(event)
                case Finished():
                    self._texts["left"] = _NOTHING
        self._schedule()

    def _begin(self, event: Started) -> None:
        self._started = event
        self._labels["score"].setText(f"Validation {metric_phrase(event.metric)}")
        self._show_measures(tuple(name for name in event.measures if name != event.metric))
        self._texts = {
            "parameters": f"{event.parameters:,}",
            "samples": f"{event.samples.get('train', 0):,}",
            "device": event.device,
            "threads": str(event.threads),
            "speed": event.speed or "exact",
            "baseline": metric_value(event.metric, event.baseline[event.metric]) if event.baseline else _NOTHING,
            "epoch": f"0 of {event.epochs:,}",
        }

    def _note_progress(self, event: Progress) -> None:
        self._note_position(event.epoch, event.step)
        self._texts["rate"] = rate(event.samples_per_second)
        self._texts["left"] = duration(event.seconds_left)
        self._texts["learning_rate"] = f"{event.learning_rate:.3g}"

    def _note_epoch(self, event: EpochEnded) -> None:
        assert self._started is not None
        self._note_position(event.epoch, event.step)
        if event.best:
            self._texts["best"] = f"{event.validation['loss']:.4g}"
            self._texts["best_epoch"] = f"{event.epoch:,}"
        metric = self._started.metric
        self._texts["score"] = metric_value(metric, event.validation[metric])
        for name in self._measures:
            known = name in event.validation
            self._texts[name] = metric_value(name, event.validation[name]) if known else _NOTHING

    def _note_position(self, epoch: int, step: int) -> None:
        assert self._started is not None
        self._texts["epoch"] = f"{epoch:,} of {self._started.epochs:,}"
        self._texts["steps"] = f"{step:,} of {self._started.epochs * self._started.steps_per_epoch:,}"

    def _schedule(self) -> None:
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _show(self) -> None:
        for key, label in self._values.items():
            label.setText(self.text(key))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._show()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._timer.stop()
