import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLineEdit, QSpinBox, QWidget
from pytestqt.qtbot import QtBot

from studio.blocks import registry as blocks
from studio.fields import Declared, field, specs
from studio.settings import TrainingSettings, optimizers
from studio.ui.widgets.declared_form import DeclaredForm
from studio.ui.widgets.field_editor import commit_pending, value_text


class Sample(Declared):
    """One field of each type."""

    flag: bool = field(True, help="On or off.")
    count: int = field(3, min=0, max=2**31 - 1, unit="samples", special="none", help="How many.")
    rate: float = field(1e-5, min=0.0, max=1.0, help="How fast.")
    mode: str = field("b", choices=("a", "b", "c"))
    name: str = field("x")
    shape: tuple[int, ...] = field((1, 28, 28), min=1)


class Slid(Declared):
    """Numbers with sliders."""

    share: float = field(0.1, min=0.0, max=0.5, slider=True, help="How much.")
    few: int = field(3, min=2, max=5, slider=True)
    many: int = field(400, min=4, max=5_000, slider=True)


class Other(Declared):
    """Another class with a field of the same name."""

    count: int = field(5, min=-3)


SPECS = {spec.name: spec for spec in specs(Sample)}


@pytest.fixture
def form(qtbot: QtBot) -> DeclaredForm:
    form = DeclaredForm()
    qtbot.addWidget(form)
    form.set_declared(Sample())
    with qtbot.waitExposed(form):
        form.show()
    return form


def type_into(form: DeclaredForm, name: str, text: str, end: Qt.Key = Qt.Key.Key_Return) -> None:
    control = form.editors[name].control
    form.activateWindow()
    control.setFocus()
    control.selectAll()
    QTest.keyClick(control, Qt.Key.Key_Delete)
    QTest.keyClicks(control, text)
    QTest.keyClick(control, end)


def edits(form: DeclaredForm) -> list[tuple[Sample, str]]:
    heard: list[tuple[Sample, str]] = []
    form.edited.connect(lambda value, name: heard.append((value, name)))
    return heard


@pytest.mark.parametrize(
    ("name", "control", "shown"),
    [("flag", QCheckBox, ""), ("count", QSpinBox, "3 samples"), ("rate", QLineEdit, "1e-5"), ("mode", QComboBox, "b"),
     ("name", QLineEdit, "x"), ("shape", QLineEdit, "1, 28, 28")],
)  # fmt: skip
def test_each_type_has_its_widget(form: DeclaredForm, name: str, control: type, shown: str) -> None:
    editor = form.editors[name]
    assert isinstance(editor.control, control)
    assert editor.value() == getattr(Sample(), name)
    text = editor.control.currentText() if control is QComboBox else editor.control.text()
    assert text == shown
    assert editor.control.objectName() == f"edit_{name}"
    assert editor.control.accessibleName() == SPECS[name].label


def test_the_smallest_value_can_have_a_meaning(form: DeclaredForm) -> None:
    form.editors["count"].set_value(0)
    assert form.editors["count"].control.text() == "none"


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("count", "128", 128), ("count", str(2**31 - 1), 2**31 - 1), ("rate", "3e-4", 3e-4), ("rate", ".5", 0.5),
     ("name", "<b>y", "<b>y"), ("shape", "3x32×32", (3, 32, 32)), ("shape", "7", (7,))],
)  # fmt: skip
def test_what_is_typed_is_announced_once(form: DeclaredForm, name: str, text: str, value: object) -> None:
    heard = edits(form)
    type_into(form, name, text)
    assert [(getattr(new, changed), changed) for new, changed in heard] == [(value, name)]


def test_leaving_the_field_announces_too(form: DeclaredForm) -> None:
    heard = edits(form)
    type_into(form, "rate", "0.25", Qt.Key.Key_Tab)
    assert heard[0][0].rate == 0.25
    assert len(heard) == 1


def test_check_boxes_and_choices_announce(form: DeclaredForm) -> None:
    heard = edits(form)
    form.editors["flag"].control.click()
    QTest.keyClick(form.editors["mode"].control, Qt.Key.Key_Down)
    assert [(new.flag, new.mode, name) for new, name in heard] == [(False, "b", "flag"), (False, "c", "mode")]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [("rate", "fast", "such as 0.001"), ("rate", "", "such as 0.001"), ("rate", "2", "at most 1"),
     ("rate", "nan", "finite"), ("shape", "1, two", "commas"), ("shape", "", "1 to 8 numbers"),
     ("shape", "0, 2", "at least 1"), ("shape", "9" * 5000, "commas")],
)  # fmt: skip
def test_what_does_not_fit_is_told_and_changes_nothing(form: DeclaredForm, name: str, text: str, reason: str) -> None:
    heard = edits(form)
    type_into(form, name, text)
    refusal = form.editors[name].refusal
    assert refusal.isVisible()
    assert reason in refusal.text()
    assert heard == []
    type_into(form, name, {"rate": "0.5", "shape": "4"}[name])
    assert not refusal.isVisible()
    assert len(heard) == 1


def test_a_refused_value_typed_back_to_the_old_one_is_fine_again(form: DeclaredForm) -> None:
    type_into(form, "rate", "5")
    type_into(form, "rate", "1e-5")
    assert not form.editors["rate"].refusal.isVisible()


def test_another_value_of_the_same_class_keeps_the_widgets(form: DeclaredForm) -> None:
    heard = edits(form)
    before = form.editors["shape"]
    type_into(form, "shape", "wrong")
    form.set_declared(Sample(count=9, shape=(2,)))
    assert form.editors["shape"] is before
    assert before.control.text() == "2"
    assert not before.refusal.isVisible()
    assert form.editors["count"].value() == 9
    assert heard == []


def test_what_is_being_typed_survives_an_update_of_other_fields(form: DeclaredForm) -> None:
    control = form.editors["rate"].control
    control.setFocus()
    control.selectAll()
    QTest.keyClicks(control, "0.0")
    form.set_declared(Sample(count=9))
    assert control.text() == "0.0"


def test_another_class_gets_its_own_widgets(form: DeclaredForm, qtbot: QtBot) -> None:
    form.set_declared(Other())
    assert list(form.editors) == ["count"]
    assert form.editors["count"].value() == 5
    assert form.editors["count"].control.minimum() == -3


def test_a_form_can_be_replaced_while_one_of_its_fields_announces(form: DeclaredForm) -> None:
    form.edited.connect(lambda *_: form.set_declared(Other()))
    type_into(form, "rate", "0.5")
    QApplication.processEvents()
    assert list(form.editors) == ["count"]


@pytest.mark.parametrize("name", ["count", "mode"])
def test_the_wheel_changes_only_what_has_the_focus(form: DeclaredForm, name: str) -> None:
    control = form.editors[name].control
    form.editors["name"].control.setFocus()
    before = form.editors[name].value()
    assert not turn_wheel(control)
    assert form.editors[name].value() == before
    control.setFocus()
    assert turn_wheel(control)
    assert form.editors[name].value() != before


def turn_wheel(control: QWidget) -> bool:
    """Whether the control took the turn; otherwise it goes to the scroll area around it."""
    middle = QPointF(control.rect().center())
    wheel = QWheelEvent(
        middle, control.mapToGlobal(middle), QPoint(), QPoint(0, 120), Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    control.wheelEvent(wheel)
    return wheel.isAccepted()


@pytest.mark.parametrize("name", ["count", "rate"])
def test_what_is_being_typed_can_be_committed_from_outside(form: DeclaredForm, name: str) -> None:
    heard = edits(form)
    control = form.editors[name].control
    form.activateWindow()
    control.setFocus()
    control.selectAll()
    QTest.keyClicks(control, "1")
    assert heard == []
    commit_pending()
    assert [getattr(new, name) for new, _ in heard] == [1]


def test_nothing_to_commit_is_fine(qapp: QApplication) -> None:
    commit_pending()


def test_numbers_are_written_as_people_type_them() -> None:
    values = [1e-5, 0.001, 1e22, 5.0, (1, 28), 3]
    assert [value_text(v) for v in values] == ["1e-5", "0.001", "1e+22", "5.0", "1, 28", "3"]


def declared_classes() -> list[type[Declared]]:
    return [*blocks, *optimizers, TrainingSettings]


@pytest.mark.parametrize("cls", declared_classes(), ids=lambda cls: cls.__name__)
def test_every_declared_field_can_be_edited(cls: type[Declared], qtbot: QtBot) -> None:
    form = DeclaredForm()
    qtbot.addWidget(form)
    value = cls()
    form.set_declared(value)
    for spec in specs(cls):
        assert form.editors[spec.name].value() == getattr(value, spec.name)
        assert form.editors[spec.name].control.accessibleDescription() != ""


@pytest.fixture
def slid(qtbot: QtBot) -> DeclaredForm:
    form = DeclaredForm()
    qtbot.addWidget(form)
    form.set_declared(Slid())
    with qtbot.waitExposed(form):
        form.show()
    return form


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [("share", Qt.Key.Key_Right, 0.11), ("share", Qt.Key.Key_Home, 0.0), ("share", Qt.Key.Key_End, 0.5),
     ("few", Qt.Key.Key_Left, 2), ("few", Qt.Key.Key_End, 5), ("many", Qt.Key.Key_Right, 410),
     ("many", Qt.Key.Key_Home, 4), ("many", Qt.Key.Key_End, 5_000)],
)  # fmt: skip
def test_a_slider_moves_through_the_range_in_round_steps(
    slid: DeclaredForm, name: str, key: Qt.Key, value: float
) -> None:
    heard = edits(slid)
    editor = slid.editors[name]
    QTest.keyClick(editor.slider, key)
    assert [(getattr(new, changed), changed) for new, changed in heard] == [(value, name)]
    assert type(getattr(heard[0][0], name)) is type(value)
    assert editor.value() == value
    assert editor.slider.accessibleName() == f"{editor.spec.label}, slider"


def test_a_slider_follows_what_is_typed_or_set_and_announces_nothing_more(slid: DeclaredForm) -> None:
    heard = edits(slid)
    slider = slid.editors["share"].slider
    type_into(slid, "share", "0.25")
    assert (slider.value(), len(heard)) == (slider.maximum() // 2, 1)
    slid.set_declared(Slid(share=0.5))
    assert (slider.value(), len(heard)) == (slider.maximum(), 1)


def test_a_slider_takes_back_what_was_refused(slid: DeclaredForm) -> None:
    type_into(slid, "share", "7")
    assert slid.editors["share"].refusal.isVisible()
    QTest.keyClick(slid.editors["share"].slider, Qt.Key.Key_Left)
    assert not slid.editors["share"].refusal.isVisible()
    assert slid.editors["share"].value() == 0.49


def test_only_a_number_with_both_bounds_has_a_slider(form: DeclaredForm) -> None:
    assert [editor.slider for editor in form.editors.values()] == [None] * len(form.editors)
