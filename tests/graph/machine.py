"""All that can be done to a graph, in any order, with undo and redo: a hypothesis state machine.

The window's tests inherit from it and compare what the canvas shows after each step.
"""

from __future__ import annotations

import json
import os

from hypothesis import HealthCheck, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from studio.blocks import Block
from studio.graph import Graph, GraphError, Link
from studio.graph.copies import duplicate, fragment_of, paste
from studio.graph.edits import (
    AddLink,
    AddNote,
    Dissolve,
    Edit,
    Move,
    Remove,
    Rename,
    SetBlock,
    SetBypassed,
    SetNote,
    SetRepeat,
)
from studio.graph.group_edits import Detach, Expose, Hide, MakeGroup, RenameGroup, Unfold, Ungroup
from studio.graph.groups import BOUNDARY, GroupInput, GroupOutput, GroupUse, check_graph, definitions, setting_specs
from studio.graph.model import Note
from studio.graph.names import fresh_id
from studio.graph.paths import find, flatten
from studio.graph.placement import add, append, insert
from studio.project import Project, project_from_json, project_to_json
from studio.project.clipboard import fragment_from_text, fragment_to_text
from tests.helpers import block

EXAMPLES = int(os.environ.get("STUDIO_MACHINE_EXAMPLES", "500"))
SETTINGS = settings(
    max_examples=EXAMPLES, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
KINDS = ("input", "dense", "relu", "add", "concatenate", "flatten", "output")
NAMES = ("alpha", "beta", "dense_1", "relu_1", "torch", "class", "9")
MOST_BLOCKS = 120  # so that no example takes long

numbers = st.integers(0, 10_000)


def text_of(graph: Graph) -> str:
    """The graph as it stands in a project file."""
    return json.dumps(project_to_json(Project(graph=graph)), ensure_ascii=False)


class GraphMachine(RuleBasedStateMachine):
    """Edits of one graph. What is refused changes nothing; everything else can be undone and done again.

    Which node or link an edit is about is drawn as a number, modulo how many there are.
    """

    def __init__(self) -> None:
        super().__init__()
        self.history = [Graph()]
        self.texts = [text_of(Graph())]
        self.now = 0
        self.copied: str | None = None

    # What a subclass may do in another way

    @property
    def graph(self) -> Graph:
        return self.history[self.now]

    def do(self, edit: Edit) -> bool:
        """Apply an edit; whether it was accepted."""
        before = text_of(self.graph)
        try:
            after: Graph | None = edit.apply(self.graph)
        except GraphError as error:
            after, reason = None, str(error)
        if after is None:
            assert reason
            assert text_of(self.graph) == before
            return False
        if after != self.graph:
            self.remember(after)
        return True

    def remember(self, after: Graph) -> None:
        """A new state after the present one; what was undone is gone."""
        self.history[self.now + 1 :] = [after]
        self.texts[self.now + 1 :] = [text_of(after)]
        self.now += 1

    def step_back(self) -> None:
        """Undo."""
        self.now -= 1

    def step_forward(self) -> None:
        """Redo."""
        self.now += 1

    # Helpers

    @property
    def shown(self) -> Graph:
        return flatten(self.graph)

    def path(self, number: int) -> str:
        nodes = self.shown.nodes
        assume(nodes)
        return nodes[number % len(nodes)].id

    def paths(self, drawn: list[int]) -> frozenset[str]:
        return frozenset(self.path(number) for number in drawn)

    def group(self, number: int) -> str:
        groups = [node.id for node in self.shown.nodes if isinstance(node.block, GroupUse)]
        assume(groups)
        return groups[number % len(groups)]

    def block(self, kind: str, size: int) -> Block:
        return block(kind, **{"units": 1 + size % 8} if kind == "dense" else {})

    # Rules

    @initialize(grouped=st.booleans(), linked=st.booleans())
    def begin(self, grouped: bool, linked: bool) -> None:
        for kind in ("input", "dense", "relu", "output"):
            self.append(kind, 4, None)
        if grouped:
            self.do(MakeGroup(frozenset({"n2", "n3"})))
            self.unfold(0, True)
        if grouped and linked:
            self.do(duplicate(self.graph, [self.group(0)])[0])

    @rule(kind=st.sampled_from(KINDS), size=numbers, after=st.none() | numbers)
    def append(self, kind: str, size: int, after: int | None) -> None:
        assume(len(self.shown.nodes) < MOST_BLOCKS)
        anchor = None if after is None or not self.shown.nodes else self.path(after)
        self.do(append(self.shown, anchor, self.block(kind, size)).edit)

    @rule(kind=st.sampled_from(KINDS), x=st.integers(-500, 500), y=st.integers(-500, 500), inside=st.none() | numbers)
    def put(self, kind: str, x: int, y: int, inside: int | None) -> None:
        assume(len(self.shown.nodes) < MOST_BLOCKS)
        scope = "" if inside is None else self.group(inside)
        self.do(add(flatten(self.graph, everything=True), self.block(kind, x), x, y, scope).edit)

    @rule(number=numbers, entry=st.booleans())
    def add_port(self, number: int, entry: bool) -> None:
        scope = self.group(number)
        port = GroupInput() if entry else GroupOutput()
        self.do(add(flatten(self.graph, everything=True), port, 0, 0, scope).edit)

    @rule(number=numbers, kind=st.sampled_from(KINDS))
    def insert(self, number: int, kind: str) -> None:
        links = self.shown.links
        assume(links)
        try:
            edit = insert(self.shown, links[number % len(links)], self.block(kind, number)).edit
        except GraphError:
            return
        self.do(edit)

    @rule(start=numbers, end=numbers, output=st.integers(0, 1), input_=st.integers(0, 2), replace=st.booleans())
    def link(self, start: int, end: int, output: int, input_: int, replace: bool) -> None:
        self.do(AddLink(Link(self.path(start), output, self.path(end), input_), replace_existing=replace))

    @rule(number=numbers)
    def unlink(self, number: int) -> None:
        links = self.shown.links
        assume(links)
        self.do(Remove(links=frozenset({links[number % len(links)]})))

    @rule(drawn=st.lists(numbers, min_size=1, max_size=4), x=st.integers(-300, 300), y=st.integers(-300, 300))
    def move(self, drawn: list[int], x: int, y: int) -> None:
        places = {node.id: node for node in self.shown.nodes}
        moved = tuple((path, places[path].x + x, places[path].y + y) for path in sorted(self.paths(drawn)))
        assert self.do(Move(moved))
        shown = {node.id: node for node in self.shown.nodes}
        for path, wanted_x, wanted_y in moved:
            if not any(path.startswith(f"{other}/") for other, _, _ in moved) and "/" not in path:
                assert (shown[path].x, shown[path].y) == (wanted_x, wanted_y)

    @rule(drawn=st.lists(numbers, min_size=1, max_size=3))
    def delete(self, drawn: list[int]) -> None:
        assert self.do(Remove(self.paths(drawn)))

    @rule(drawn=st.lists(numbers, min_size=1, max_size=3))
    def dissolve(self, drawn: list[int]) -> None:
        assert self.do(Dissolve(self.paths(drawn)))

    @rule(number=numbers, kind=st.sampled_from(KINDS))
    def change_block(self, number: int, kind: str) -> None:
        self.do(SetBlock(self.path(number), self.block(kind, number)))

    @rule(number=numbers, name=st.sampled_from(NAMES))
    def rename(self, number: int, name: str) -> None:
        self.do(Rename(self.path(number), name))

    @rule(drawn=st.lists(numbers, min_size=1, max_size=3), bypassed=st.booleans())
    def bypass(self, drawn: list[int], bypassed: bool) -> None:
        self.do(SetBypassed(self.paths(drawn), bypassed))

    @rule(number=numbers, times=st.integers(0, 4))
    def repeat(self, number: int, times: int) -> None:
        self.do(SetRepeat(self.path(number), times))

    @rule(drawn=st.lists(numbers, min_size=1, max_size=5), name=st.sampled_from(("", "Stage", "int")))
    def make_group(self, drawn: list[int], name: str) -> None:
        self.do(MakeGroup(self.paths(drawn), name))

    @rule(number=numbers)
    def ungroup(self, number: int) -> None:
        self.do(Ungroup(self.group(number)))

    @rule(number=numbers, unfolded=st.booleans())
    def unfold(self, number: int, unfolded: bool) -> None:
        assert self.do(Unfold(self.group(number), unfolded))

    @rule(number=numbers, name=st.sampled_from(("", "Stage", "Other")))
    def detach(self, number: int, name: str) -> None:
        self.do(Detach(self.group(number), name))

    @rule(number=numbers, name=st.sampled_from(("Stage", "Other", "torch")))
    def rename_group(self, number: int, name: str) -> None:
        self.do(RenameGroup(self.group(number), name))

    @rule(number=numbers, field=st.sampled_from(("units", "bias", "shape", "nothing")), name=st.sampled_from(NAMES))
    def expose(self, number: int, field: str, name: str) -> None:
        self.do(Expose(self.path(number), field, name))

    @rule(number=numbers, value=st.integers(1, 9))
    def choose_value(self, number: int, value: int) -> None:
        path = self.group(number)
        use = find(self.graph, path).block
        assert isinstance(use, GroupUse)
        specs = [spec for spec in setting_specs(use) if spec.type is int]
        assume(specs)
        self.do(SetBlock(path, use.with_value(specs[value % len(specs)].name, value)))

    @rule(number=numbers)
    def hide(self, number: int) -> None:
        path = self.group(number)
        use = find(self.graph, path).block
        assert isinstance(use, GroupUse)
        assume(use.definition.exposed)
        assert self.do(Hide(path, use.definition.exposed[0].name))

    @rule(drawn=st.lists(numbers, min_size=1, max_size=4))
    def copy(self, drawn: list[int]) -> None:
        self.copied = fragment_to_text(fragment_of(self.graph, self.paths(drawn)))

    @precondition(lambda self: self.copied is not None)
    @rule(inside=st.none() | numbers, x=st.integers(-300, 300))
    def paste(self, inside: int | None, x: int) -> None:
        assume(len(self.shown.nodes) < MOST_BLOCKS)
        assert self.copied is not None
        scope = "" if inside is None else self.group(inside)
        edit, new = paste(self.graph, fragment_from_text(self.copied), scope, (x, 0))
        if self.do(edit):
            assert set(new) <= {node.id for node in flatten(self.graph, everything=True).nodes}

    @rule(drawn=st.lists(numbers, min_size=1, max_size=4))
    def duplicate(self, drawn: list[int]) -> None:
        assume(len(self.shown.nodes) < MOST_BLOCKS)
        edit, _ = duplicate(self.graph, sorted(self.paths(drawn)))
        assert self.do(edit)

    @rule(text=st.text(max_size=20), x=st.integers(-300, 300))
    def note(self, text: str, x: int) -> None:
        assume(len(self.graph.notes) < 5)
        taken = {*self.graph.by_id, *(note.id for note in self.graph.notes)}
        self.do(AddNote(Note(fresh_id(taken, len(taken) + 1), text, x, 0)))

    @rule(number=numbers, text=st.text(max_size=20))
    def change_note(self, number: int, text: str) -> None:
        assume(self.graph.notes)
        self.do(SetNote(Note(self.graph.notes[number % len(self.graph.notes)].id, text, 1.0, 2.0)))

    @precondition(lambda self: self.now > 0)
    @rule()
    def undo(self) -> None:
        self.step_back()

    @precondition(lambda self: self.now < len(self.history) - 1)
    @rule()
    def redo(self) -> None:
        self.step_forward()

    @rule()
    def save_and_load(self) -> None:
        project = project_from_json(json.loads(text_of(self.graph)), "file")
        assert project.graph == self.graph

    # What always holds

    @invariant()
    def is_consistent(self) -> None:
        assert check_graph(self.graph) is self.graph
        shown = self.shown
        ports = {node.id: node.block for node in shown.nodes}
        assert len(ports) == len(shown.nodes)
        for link in shown.links:
            source, target = ports[link.source], ports[link.target]
            assert link.output < len(source.outputs)
            assert target.many_inputs or link.input < len(target.inputs)
        assert not any(isinstance(node.block, BOUNDARY) for node in self.graph.nodes)
        assert len({group.name for group in definitions(self.graph).values()}) == len(definitions(self.graph))

    @invariant()
    def the_present_is_what_was_remembered(self) -> None:
        assert text_of(self.graph) == self.texts[self.now]

    def teardown(self) -> None:
        """Undo to the start and redo to the end: byte for byte what it was."""
        end = len(self.history) - 1
        while self.now > 0:
            self.step_back()
            self.the_present_is_what_was_remembered()
        while self.now < end:
            self.step_forward()
            self.the_present_is_what_was_remembered()
