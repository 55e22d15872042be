"""How a sample is to be explained: the method with its settings, the answer, and the part of the sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QPushButton, QSlider, QVBoxLayout, QWidget

from studio.evaluation.explain.attention import attention_layers
from studio.evaluation.explain.explained import Explained, Question, convolutions
from studio.evaluation.explain.insides import blocks_of, filtering_layers
from studio.evaluation.explain.methods import GradCam, IntegratedGradients, Method, registry
from studio.fields import Declared
from studio.fields import replace as replace_fields
from studio.ui.evaluation.explaining import ATTENTION, FILTERS, MAPS, Asked
from studio.ui.evaluation.place_box import PlaceBox
from studio.ui.theme import LABEL_WIDTH
from studio.ui.widgets.declared_form import DeclaredForm
from studio.ui.widgets.plain_text import PlainLabel

if TYPE_CHECKING:
    from studio.evaluation.trained import Trained

_MOST_CLASSES = 2_000  # in the picker
_MOST_STEPS = 2_000
_FULL = 100  # of the opacity slider
_LOOKS = {ATTENTION: "Attention weights", MAPS: "Feature maps", FILTERS: "Filters"}
_ABOUT = {
    ATTENTION: "How much each step looks at each other one, in every head of every layer with attention.",
    MAPS: "What a block makes of this sample.",
    FILTERS: "The learned weights of a convolution as small pictures; they are the same for all samples.",
}


@dataclass(frozen=True)
class Choices:
    """What can be chosen for a network.

    Args:
        names: what it answers.
        inputs: names of its Inputs.
        dims: sizes of the places of its answers; empty for one answer.
        convolutions, filters: paths of layers.
        blocks: names of the blocks by their paths.
        attends: whether it has attention weights.
    """

    names: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    dims: tuple[int, ...] = ()
    convolutions: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    blocks: tuple[tuple[str, str], ...] = ()
    attends: bool = False


def choices_for(trained: Trained, names: tuple[str, ...]) -> Choices:
    """What can be chosen for a trained network."""
    inputs = tuple(name for name, _ in trained.plan.inputs[: len(trained.dataset.inputs)])
    return Choices(
        names,
        inputs,
        trained.dataset.spec.target.dims,
        tuple(convolutions(trained.model)),
        tuple(filtering_layers(trained.model)),
        tuple(blocks_of(trained).items()),
        bool(attention_layers(trained.model)),
    )


class ExplainForm(QWidget):
    """The controls of explanations."""

    explain_wanted = Signal(object)  # Asked
    cancel_wanted = Signal()
    opacity_changed = Signal(float)  # 0 to 1

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("explainForm")
        self._settings: dict[str, Method] = {cls.kind: cls() for cls in registry}
        self._choices = Choices()
        self._busy = False
        self.methods = self._combo("explainMethod", "Method of explanation")
        self.inputs = self._combo("explainInput", "Input to explain")
        self.classes = self._combo("explainClass", "Class to explain")
        self.places = PlaceBox(self)
        self.layers = self._combo("explainLayer", "Block or layer to look at")
        self.fields = DeclaredForm(self)
        self.button = self._button("explainButton", "Explain")
        self.check = self._button("explainCheck", "Check the method")
        self.check.setAccessibleName("Check the method with random weights")
        self.check.setToolTip("Explains again while one layer after the other gets random weights: it should change.")
        self.more = self._button("explainMoreSteps", "More steps")
        self.opacity = QSlider(Qt.Orientation.Horizontal, self)
        self.opacity.setObjectName("explainOpacity")
        self.opacity.setAccessibleName("Strength of the colours")
        self.opacity.setRange(0, _FULL)
        self.opacity.setValue(75)
        self.opacity.setToolTip("Strength of the colours: orange speaks for the class, blue against it")
        self.told = PlainLabel(parent=self, color="node_muted")
        self.told.setObjectName("explainTold")
        self._rows: list[tuple[PlainLabel, QWidget]] = []
        self._arrange()
        self._connect()
        self.begin(Choices())

    def _combo(self, name: str, accessible: str) -> QComboBox:
        combo = QComboBox(self)
        combo.setObjectName(name)
        combo.setAccessibleName(accessible)
        combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        return combo

    def _button(self, name: str, text: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setObjectName(name)
        button.setAccessibleName(text)
        return button

    def _arrange(self) -> None:
        rows = QGridLayout()
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setColumnMinimumWidth(0, LABEL_WIDTH)
        rows.setColumnStretch(1, 1)
        named = (("Explain by", self.methods), ("Input", self.inputs), ("Answer", self.classes),
                 ("Place", self.places), ("Layer", self.layers))  # fmt: skip
        for number, (text, editor) in enumerate(named):
            label = PlainLabel(text, self)
            rows.addWidget(label, number, 0)
            rows.addWidget(editor, number, 1)
            self._rows.append((label, editor))
        bottom = QHBoxLayout()
        bottom.addWidget(self.button)
        bottom.addWidget(self.check)
        bottom.addWidget(self.opacity, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(5)
        layout.addLayout(rows)
        layout.addWidget(self.fields)
        layout.addLayout(bottom)
        layout.addWidget(self.told)
        layout.addWidget(self.more)
        self.more.hide()

    def _connect(self) -> None:
        self.methods.currentIndexChanged.connect(self._choose)
        self.fields.edited.connect(self._take)
        self.button.clicked.connect(self._press)
        self.check.clicked.connect(self._press_check)
        self.more.clicked.connect(self._press_more)
        self.opacity.valueChanged.connect(lambda value: self.opacity_changed.emit(value / _FULL))

    def begin(self, choices: Choices) -> None:
        """Another network: what can be asked about it; without a convolution there is no Grad-CAM."""
        chosen = self.methods.currentData() or "integrated-gradients"
        self._choices = choices
        self.methods.blockSignals(True)
        self.methods.clear()
        for cls in registry:
            if choices.convolutions or cls is not GradCam:
                self.methods.addItem(cls.title, cls.kind)
        possible = {ATTENTION: choices.attends, MAPS: bool(choices.blocks), FILTERS: bool(choices.filters)}
        for look, title in _LOOKS.items():
            if possible[look]:
                self.methods.addItem(title, look)
        self.methods.setCurrentIndex(max(0, self.methods.findData(chosen)))
        self.methods.blockSignals(False)
        self.inputs.clear()
        for number, name in enumerate(choices.inputs):
            self.inputs.addItem(name, number)
        self.classes.clear()
        self.classes.addItem("What is answered", None)
        for number, name in enumerate(choices.names[:_MOST_CLASSES]):
            self.classes.addItem(name, number)
        self.places.begin(choices.dims)
        self.tell("")
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
        is_method = kind not in _LOOKS
        cls = registry.get(kind) if is_method else None
        self.methods.setToolTip((cls.__doc__ or "").partition("\n")[0] if cls is not None else _ABOUT[kind])
        if cls is not None:
            self.fields.set_declared(self._settings[kind])
        self.fields.setVisible(is_method and bool(self.fields.editors))
        self.check.setVisible(is_method)
        self.opacity.setVisible(is_method)
        self._fill_layers(kind, cls)
        wanted = (True, is_method and self.inputs.count() > 1, is_method, is_method and bool(self._choices.dims),
                  self.layers.count() > 0)  # fmt: skip
        for (label, editor), shown in zip(self._rows, wanted, strict=True):
            label.setVisible(shown)
            editor.setVisible(shown)
        self.show_busy(self._busy)

    def _fill_layers(self, kind: str, cls: type[Method] | None) -> None:
        choices, known = self._choices, self.layers.currentData()
        pairs: tuple[tuple[str, str], ...] = ()
        if kind == MAPS:
            pairs = choices.blocks
        elif cls is GradCam or kind == FILTERS:
            pairs = tuple((path, path) for path in (choices.convolutions if cls is GradCam else choices.filters))
        self.layers.clear()
        for path, name in pairs:
            self.layers.addItem(name, path)
        self.layers.setCurrentIndex(max(0, self.layers.findData(known)) if pairs else -1)

    @Slot(object, str)
    def _take(self, declared: Declared, _name: str) -> None:
        assert isinstance(declared, Method)
        self._settings[declared.kind] = declared

    def tell(self, text: str) -> None:
        """Say something about what is shown."""
        self.told.setText(text)
        self.more.hide()

    def offer_more(self, explained: Explained) -> None:
        """Offer more steps where the values miss their sum by more than can be neglected."""
        method = explained.method
        if not isinstance(method, IntegratedGradients) or (explained.remainder or 0.0) <= 0.01:
            return
        if method.steps < _MOST_STEPS:
            self.more.setText(f"Again with {min(4 * method.steps, _MOST_STEPS):,} steps")
            self.more.setAccessibleName(self.more.text())
            self.more.show()

    def show_busy(self, busy: bool) -> None:
        """Whether an explanation is being made: then the button gives it up."""
        self._busy = busy
        look = self.methods.currentData() in _LOOKS
        self.button.setText("Cancel" if busy else "Show" if look else "Explain")
        name = "Show what is inside the network" if look else "Explain the answer to this sample"
        self.button.setAccessibleName("Give up the explanation" if busy else name)
        self.check.setEnabled(not busy)
        self.more.setEnabled(not busy)
        if busy:
            self.tell("Working…")

    @Slot()
    def _press(self) -> None:
        if self._busy:
            self.cancel_wanted.emit()
        else:
            self.explain_wanted.emit(self.asked())

    @Slot()
    def _press_check(self) -> None:
        self.explain_wanted.emit(replace(self.asked(), check=True))

    @Slot()
    def _press_more(self) -> None:
        method = self._settings[IntegratedGradients.kind]
        assert isinstance(method, IntegratedGradients)
        more = replace_fields(method, steps=min(4 * method.steps, _MOST_STEPS))
        self._settings[IntegratedGradients.kind] = more
        self.methods.setCurrentIndex(self.methods.findData(IntegratedGradients.kind))
        self.fields.set_declared(more)
        self.explain_wanted.emit(self.asked())

    def asked(self) -> Asked:
        """What is chosen; its row is not known here."""
        kind, layer = self.methods.currentData(), self.layers.currentData() or ""
        if kind in _LOOKS:
            return Asked(None, kind, Question(0), layer)
        method = self._settings[kind]
        which = max(0, self.inputs.currentIndex())
        return Asked(method, "", Question(0, self.classes.currentData(), which, self.places.place, layer))
