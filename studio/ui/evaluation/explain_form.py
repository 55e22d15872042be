"""How a sample is to be explained: the method with its settings, the class, and for some a layer."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from studio.evaluation.explain.methods import GradCam, Method, registry
from studio.fields import Declared
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.declared_form import DeclaredForm
from studio.ui.widgets.plain_text import PlainLabel

_MOST_CLASSES = 2_000  # in the picker
_FULL = 100  # of the opacity slider


@dataclass(frozen=True, eq=False)
class Asked:
    """An explanation that is wanted.

    Args:
        target: number of the class; None for the one that is answered.
        layer: path of a convolution; empty where the method needs none.
    """

    method: Method
    target: int | None
    layer: str


class ExplainForm(QWidget):
    """The controls of explanations."""

    explain_wanted = Signal(object)  # Asked
    cancel_wanted = Signal()
    opacity_changed = Signal(float)  # 0 to 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("explainForm")
        self._settings: dict[str, Method] = {cls.kind: cls() for cls in registry}
        self._busy = False
        self.methods = self._combo("explainMethod", "Method of explanation")
        self.classes = self._combo("explainClass", "Class to explain")
        self.layers = self._combo("explainLayer", "Convolution to look at")
        self.fields = DeclaredForm(self)
        self.button = QPushButton("Explain", self)
        self.button.setObjectName("explainButton")
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setObjectName("explainOpacity")
        self.opacity.setAccessibleName("Strength of the colours")
        self.opacity.setRange(0, _FULL)
        self.opacity.setValue(75)
        self.opacity.setToolTip("Strength of the colours: orange speaks for the class, blue against it")
        self.told = PlainLabel(parent=self, color="node_muted")
        self.told.setObjectName("explainTold")
        self._layer_label = PlainLabel("Layer", self)
        self._arrange()
        self.methods.currentIndexChanged.connect(self._choose)
        self.fields.edited.connect(self._take)
        self.button.clicked.connect(self._press)
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / _FULL))
        self.begin((), [])

    def _combo(self, name: str, accessible: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def _arrange(self) -> None:
        rows = QGridLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setColumnMinimumWidth(0, LABEL_WIDTH)
        rows.setColumnStretch(1, 1)
        labels = (("Explain by", self.methods), ("Answer", self.classes), ("", self.layers))
        for number, (text, combo) in enumerate(labels):
            rows.addWidget(PlainLabel(text, self) if text else self._layer_label, number, 0)
            rows.addWidget(combo, number, 1)
        bottom = QHBoxLayout()
        bottom.addWidget(self.button)
        bottom.addWidget(self.opacity, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(rows)
        layout.addWidget(self.fields)
        layout.addLayout(bottom)
        layout.addWidget(self.told)

    def begin(self, names: tuple[str, ...], layers: list[str]) -> None:
        """Another network: what it answers, and its convolutions; without any there is no Grad-CAM."""
        chosen = self.methods.currentData() or "integrated-gradients"
        self.methods.blockSignals(True)
        self.methods.clear()
        for cls in registry:
            if layers or cls is not GradCam:
                self.methods.addItem(cls.title, cls.kind)
        self.methods.setCurrentIndex(max(0, self.methods.findData(chosen)))
        self.methods.blockSignals(False)
        self.layers.clear()
        for path in layers:
            self.layers.addItem(path, path)
        self.classes.clear()
        self.classes.addItem("What is answered", None)
        for number, name in enumerate(names[:_MOST_CLASSES]):
            self.classes.addItem(name, number)
        self.told.setText("")
        self._choose()

    def choose_class(self, number: int) -> None:
        """Explain this class from now on."""
        self.classes.setCurrentIndex(max(0, self.classes.findData(number)))

    @property
    def strength(self) -> float:
        """That of the colours, 0 to 1."""
        return self.opacity.value() / _FULL

    @Slot()
    def _choose(self) -> None:
        kind = self.methods.currentData()
        cls = registry.get(kind)
        self.methods.setToolTip((cls.__doc__ or "").partition("\n")[0])
        self.fields.set_declared(self._settings[kind])
        self.fields.setVisible(bool(self.fields.editors))
        for part in (self._layer_label, self.layers):
            part.setVisible(cls is GradCam)

    @Slot(object, str)
    def _take(self, declared: Declared, _name: str) -> None:
        assert isinstance(declared, Method)
        self._settings[declared.kind] = declared

    def show_busy(self, busy: bool) -> None:
        """Whether an explanation is being made: then the button gives it up."""
        self._busy = busy
        self.button.setText("Cancel" if busy else "Explain")
        self.button.setAccessibleName("Give up the explanation" if busy else "Explain the answer to this sample")
        if busy:
            self.told.setText("Working…")

    @Slot()
    def _press(self) -> None:
        if self._busy:
            self.cancel_wanted.emit()
            return
        method = self._settings[self.methods.currentData()]
        layer = self.layers.currentData() if isinstance(method, GradCam) else ""
        self.explain_wanted.emit(Asked(method, self.classes.currentData(), layer or ""))
