"""Two thousand hostile texts: what comes from a file never becomes code."""

from __future__ import annotations

import ast
import itertools
import random
from dataclasses import replace
from typing import Any

import pytest

from studio.compile.plan import Plan, make_plan
from studio.compile.source import class_name
from studio.export.python import make_source
from studio.graph.edits import Rename
from studio.graph.errors import GraphError
from studio.graph.group_edits import Expose, MakeGroup, RenameGroup
from studio.graph.model import Note
from studio.project import Project, ProjectFileError, project_from_json, project_to_json, read_template

PIECES = (
    "import os", "__import__('os').system('true')", "exec('1')", "eval", "'", '"', "'''", '"""', "\\", "\n", "\r", "\t",
    "\0", "\x1b", "\u2028", "\u2029", "\x85", "\u202e", "\ufeff", "\xa0", "ﬀ", "ｅxec", "é", "名", "𝐜𝐥𝐚𝐬𝐬", ")", "(",
    "]", "{", "}", "{0}", "${name}", "$name", "%s", "#", ";", ":", "=", "class", "def", "lambda: 0", "None", "self",
    "torch", "nn", "__class__", "__init__", "forward", "print", "super", "0", "1e999", "-", " ", "..", "a.b", "@",
    "`", "raise",
    "\\N{DASH}", "\\x00", "\\u0027", "*/", "<b>", "&quot;",
)  # fmt: skip
COUNT = 2_000


def hostile_texts() -> list[str]:
    rng = random.Random(5)
    singles = [*PIECES, *(f"x{piece}" for piece in PIECES), *(f"{piece}x" for piece in PIECES), "", "a" * 5_000]
    pairs = ["".join(pair) for pair in itertools.permutations(PIECES, 2)]
    rng.shuffle(pairs)
    longer = ("".join(rng.choices(PIECES, k=rng.randint(3, 9))) for _ in range(COUNT))
    return [*singles, *pairs[:900], *longer][:COUNT]


TEXTS = hostile_texts()


class _Plain(ast.NodeTransformer):
    """Code without its constants, and with one name for the class that is called after the title."""

    def __init__(self, name: str) -> None:
        self.name = name

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        return ast.Constant(type(node.value).__name__)

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        return ast.Constant("tuple") if all(isinstance(item, ast.Constant) for item in node.elts) else node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.name = node.name.replace(self.name, "TITLE")
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        node.id = "TITLE" if node.id == self.name else node.id
        return node


def shape_of(source: str, name: str) -> str:
    return ast.dump(_Plain(name).visit(ast.parse(source)))


@pytest.fixture(scope="module")
def project() -> Project:
    return read_template("digits-mlp")


@pytest.fixture(scope="module")
def plan(project: Project) -> Plan:
    return make_plan(project.graph)


def preparation(plan: Plan, label: str, scaling: dict[str, Any] | None = None) -> dict[str, Any]:
    (name, spec), *_ = plan.inputs
    given = {"name": name, "dims": list(spec.dims), "axes": spec.axes, "dtype": spec.dtype}
    scale = scaling or {"shift": [0.5], "scale": [2.0]}
    return {"inputs": [{**given, "scaling": scale}], "task": "classification", "names": [label, "b"]}


def test_there_are_enough_of_them() -> None:
    assert len(TEXTS) == len(set(TEXTS)) == COUNT


def test_titles_and_labels_change_constants_only(plan: Plan) -> None:
    expected = shape_of(make_source(plan, "Digits", preparation(plan, "a")), "Digits")
    for text in TEXTS:
        name = class_name(text)
        assert name.isidentifier(), text
        source = make_source(plan, name, preparation(plan, text))
        assert shape_of(source, name) == expected, text
        assert repr(text) in source


def test_a_project_with_them_is_refused_or_gives_the_same_code(project: Project, plan: Plan) -> None:
    """Title, notes, the name of a block, a group and a setting; each text in each place."""
    expected = shape_of(make_source(plan, "Digits", preparation(plan, "a")), "Digits")
    plain = project_to_json(project)
    for number, text in enumerate(TEXTS):
        changed = project_to_json(
            replace(project, title=text, notes=text, graph=replace(project.graph, notes=(Note("t9", text[:10_000]),)))
        )
        try:
            read = project_from_json(changed, "p")
        except ProjectFileError:
            continue  # such as a text that no file can hold
        if number % 50 == 0:  # the graph is the same for all
            name = class_name(read.title)
            assert shape_of(make_source(make_plan(read.graph), name, preparation(plan, "a")), name) == expected, text
        assert read.graph.nodes == project.graph.nodes
        named = {**plain, "nodes": [{**plain["nodes"][0], "name": text}, *plain["nodes"][1:]]}
        try:
            name = project_from_json(named, "p").graph.nodes[0].name
        except ProjectFileError:
            continue
        assert name.isidentifier(), text
        assert name.isascii(), text


def test_edits_refuse_them_as_names(project: Project) -> None:
    group = MakeGroup(frozenset({node.id for node in project.graph.nodes[2:4]}))
    graph = group.apply(project.graph)
    (node,) = (node for node in graph.nodes if node.block.kind == "group")
    inside = next(inner for inner in node.block.definition.body.nodes if inner.block.kind == "dense")
    for text in TEXTS:
        edits = (
            Rename(node.id, text), RenameGroup(node.id, text), Expose(f"{node.id}/{inside.id}", "units", text),
        )  # fmt: skip
        for edit in edits:
            try:
                changed = edit.apply(graph)
            except GraphError:
                continue
            use = next(n for n in changed.nodes if n.id == node.id)
            names = [use.name, use.block.definition.name, *(e.name for e in use.block.definition.exposed)]
            assert all(name.isidentifier() and name.isascii() for name in names), (text, names)
            ast.parse(make_source(make_plan(changed), "Net", preparation(make_plan(changed), "a")))
