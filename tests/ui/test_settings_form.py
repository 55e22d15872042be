"""The form of the training settings: every table shows by itself, and what is rare stays out of the way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from studio.fields import replace, specs
from studio.project import read_template
from studio.registry import Registry
from studio.settings import TrainingSettings, losses, optimizers, schedules
from studio.settings.parts import Gradients
from studio.settings.training import CHOSEN, PARTS, with_changes
from studio.ui.document import Document
from studio.ui.panels.settings_form import SettingsForm


@pytest.fixture
def document() -> Iterator[Document]:
    made = Document(read_template("digits-mlp"))
    yield made
    made.deleteLater()


@pytest.fixture
def form(qtbot: QtBot, document: Document) -> Iterator[SettingsForm]:
    made = SettingsForm(document)
    made.show()
    yield made
    made.deleteLater()


def choose(form: SettingsForm, name: str, kind: str) -> None:
    picker = form.chosen[name].picker
    picker.activated.emit(picker.findData(kind))


def test_a_setting_goes_through_the_document(form: SettingsForm, document: Document) -> None:
    form.run_form.editors["epochs"].control.setValue(7)
    assert document.project.training.epochs == 7
    assert document.history.undo_text == "Change epochs"
    document.history.undo()
    assert form.run_form.editors["epochs"].value() == document.project.training.epochs != 7


@pytest.mark.parametrize(("name", "kind"), [(name, kind) for name, kinds in CHOSEN.items() for kind in kinds.kinds()])
def test_each_kind_can_be_chosen(form: SettingsForm, document: Document, name: str, kind: str) -> None:
    choose(form, name, kind)
    assert getattr(document.project.training, name).kind == kind
    shown = form.chosen[name].form
    assert list(shown.editors) == [spec.name for spec in specs(CHOSEN[name].get(kind))]
    document.history.undo()
    assert form.chosen[name].picker.currentData() == getattr(document.project.training, name).kind


@pytest.mark.parametrize("name", list(PARTS))
def test_each_part_is_folded_and_can_be_edited(form: SettingsForm, document: Document, name: str, qtbot: QtBot) -> None:
    section = form.parts[name]
    assert section.is_folded
    section.head.click()
    assert section.form is not None
    assert list(section.form.editors) == [spec.name for spec in specs(PARTS[name])]
    editors = [e for e in section.form.editors.values() if not e.spec.rare]
    qtbot.waitUntil(lambda: all(editor.isVisibleTo(form) for editor in editors))
    usual = document.project.training
    section.form.edited.emit(*_changed(PARTS[name]))
    assert getattr(document.project.training, name) != getattr(usual, name)
    section.head.click()
    assert section.is_folded
    assert section._brief.text(), "what is not as usual is told while it is folded"
    document.history.undo()
    assert section._brief.text() == ""


def _changed(kind: type[Any]) -> tuple[Any, str]:
    spec = specs(kind)[0]
    value = {
        bool: not spec.default, str: (spec.choices or ("", "x"))[1],
        int: spec.default + 1 if spec.type is int else 0, float: 0.5,
    }[spec.type]  # fmt: skip
    return kind(**{spec.name: value}), spec.name


def test_what_is_seldom_changed_is_shown_when_asked(form: SettingsForm, document: Document) -> None:
    shown = form.chosen["optimizer"].form
    assert not shown.editors["beta1"].isVisibleTo(form)
    assert shown.editors["learning_rate"].isVisibleTo(form)
    more = form.chosen["optimizer"].findChild(QToolButton, "moreFields")
    more.click()
    assert shown.editors["beta1"].isVisibleTo(form)
    assert not more.isVisibleTo(form)


def test_what_is_not_as_usual_is_shown_unasked(form: SettingsForm, document: Document) -> None:
    shown = form.chosen["optimizer"].form
    optimizer = replace(document.project.training.optimizer, beta1=0.5)
    document.set_training(replace(document.project.training, optimizer=optimizer), "x")
    assert shown.editors["beta1"].isVisibleTo(form)


def test_a_clipping_that_is_off_says_so(form: SettingsForm, document: Document) -> None:
    section = form.parts["gradients"]
    section.head.click()
    assert section.form is not None
    editor = section.form.editors["clip_norm"]
    assert editor.control.text() == "off"
    for text, value in (("1.5", 1.5), ("off", 0.0)):
        editor.control.setText(text)
        editor.commit()
        assert document.project.training.gradients.clip_norm == value


def test_the_curve_shows_the_schedule(form: SettingsForm, document: Document) -> None:
    assert not form.preview.isVisibleTo(form)
    choose(form, "schedule", "cosine")
    assert form.preview.isVisibleTo(form)
    factors = [factor for _, factor in form.preview.points]
    assert factors == sorted(factors, reverse=True)
    choose(form, "schedule", "one-cycle")
    assert [factor for _, factor in form.preview.points] != factors
    assert not form.preview.grab().toImage().isNull()


def test_losses_of_other_data_cannot_be_chosen(form: SettingsForm) -> None:
    model = form.chosen["loss"].picker.model()
    enabled = {kind.kind for number, kind in enumerate(losses) if model.item(number).isEnabled()}
    assert enabled == {"by-task", "cross-entropy", "focal"}


def test_what_a_run_can_take_is_offered_to_it(form: SettingsForm, document: Document, qtbot: QtBot) -> None:
    run = document.project.training
    form.show_loaded()
    form.show_run(run, busy=True)
    assert not form.apply_bar.isVisibleTo(form)
    assert not form.find_rate.isEnabled()
    wanted = replace(
        run, batch_size=7, optimizer=replace(run.optimizer, learning_rate=0.5), gradients=Gradients(clip_norm=2.0)
    )
    document.set_training(wanted, "x")
    assert form.apply_bar.text.text().splitlines() == [
        "Not in the run yet: learning rate, clip norm.", "For the next run only: batch size.",
    ]  # fmt: skip
    with qtbot.waitSignal(form.apply_requested):
        form.apply_bar.button.click()
    form.show_run(with_changes(run, wanted), busy=True)
    assert form.apply_bar.text.text() == "For the next run only: batch size."
    assert not form.apply_bar.button.isVisibleTo(form)
    form.show_run(None, busy=False)
    assert not form.apply_bar.isVisibleTo(form)
    assert form.find_rate.isEnabled()


def test_changes_for_a_run_are_those_that_can_reach_it() -> None:
    run = TrainingSettings()
    wanted = TrainingSettings(
        epochs=99, optimizer=optimizers.get("adam")(learning_rate=0.5, beta1=0.1), gradients=Gradients(4, 1.0, 2.0),
        schedule=schedules.get("multi-step")(epochs=(1, 2)), loss=losses.get("focal")(),
    )  # fmt: skip
    after = with_changes(run, wanted)
    assert after == replace(run, optimizer=wanted.optimizer, schedule=wanted.schedule, gradients=Gradients(1, 1.0, 2.0))
    other = with_changes(run, replace(wanted, optimizer=optimizers.get("sgd")()))
    assert other.optimizer == run.optimizer, "another optimizer knows nothing of what this one remembers"
    again = replace(wanted, schedule=schedules.get("multi-step")(epochs=(3,)))
    assert with_changes(wanted, again).schedule == again.schedule
    assert isinstance(CHOSEN["schedule"], Registry)
