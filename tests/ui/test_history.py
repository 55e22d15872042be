"""The history of a project against the plainest model of one: a list of states and a place in it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from studio.graph import Graph
from studio.project import Project
from studio.ui.history import History, Step
from studio.ui.panels.undo_history import UndoHistory

EMPTY = Project(graph=Graph())


class Titles:
    """A history whose projects differ in their title only."""

    def __init__(self) -> None:
        self.project = EMPTY
        self.history = History(self._show)

    def _show(self, project: Project) -> None:
        self.project = project

    def write(self, title: str, merge: str = "") -> None:
        if title != self.project.title:
            self.history.add(Step(f"Write {title}", self.project, replace(self.project, title=title), merge))


ACTIONS = st.lists(
    st.one_of(
        st.integers(0, 3).map(lambda n: ("write", n)),
        st.integers(0, 6).map(lambda n: ("go to", n)),
        st.sampled_from([("undo", 0), ("redo", 0), ("save", 0)]),
    ),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(ACTIONS)
def test_it_goes_where_a_list_of_states_goes(actions: list[tuple[str, int]]) -> None:
    titles, states, at, saved = Titles(), [EMPTY.title], 0, EMPTY.title
    told: list[bool] = []
    titles.history.clean_changed.connect(told.append)
    for action, number in actions:
        match action:
            case "write" if str(number) != states[at]:
                states[at + 1 :] = [str(number)]
                at += 1
                titles.write(str(number))
            case "go to":
                at = min(number, len(states) - 1)
                titles.history.go_to(number)
            case "undo":
                at = max(0, at - 1)
                titles.history.undo()
            case "redo":
                at = min(len(states) - 1, at + 1)
                titles.history.redo()
            case "save":
                titles.history.set_clean()
                saved = states[at]
        assert (titles.project.title, titles.history.index, titles.history.count) == (states[at], at, len(states) - 1)
        assert not titles.history.clean or titles.project.title == saved
        assert (told[-1] if told else True) == titles.history.clean


def test_where_it_was_saved_is_clean_as_long_as_a_way_leads_there() -> None:
    titles = Titles()
    titles.write("a")
    titles.history.set_clean()
    titles.history.undo()
    assert not titles.history.clean
    titles.history.redo()
    assert titles.history.clean
    titles.history.undo()
    titles.write("b")
    titles.history.undo()
    assert not titles.history.clean
    titles.history.clear()
    assert titles.history.clean


def test_steps_that_merge_go_back_to_where_the_first_began() -> None:
    titles = Titles()
    titles.write("a")
    for title in ("ab", "abc"):
        titles.write(title, merge="title")
    assert titles.history.texts == ("Write a", "Write abc")
    titles.history.undo()
    assert (titles.project.title, titles.history.redo_text) == ("a", "Write abc")


def test_the_list_shows_where_one_is(qtbot: QtBot) -> None:
    titles = Titles()
    shown = UndoHistory(titles.history)
    qtbot.addWidget(shown)
    for title in "abc":
        titles.write(title)
    assert (shown.list.count(), shown.list.currentRow()) == (4, 3)
    titles.history.undo()
    assert (shown.list.count(), shown.list.currentRow()) == (4, 2)
    titles.write("d")
    assert [shown.list.item(row).text() for row in range(4)] == ["As it was opened", "Write a", "Write b", "Write d"]
    assert shown.list.currentRow() == 3
    shown.list.setCurrentRow(0)
    assert titles.project == EMPTY
