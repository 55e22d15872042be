"""The source of a network, and where in it each block stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from studio.blocks import Input, Output
from studio.compile.plan import Plan, make_plan
from studio.compile.source import class_name, class_source, source_imports
from studio.compile.source_classes import SourceClasses
from studio.graph import Graph
from studio.graph.paths import join

HEADER = ("import torch", "from torch import nn")


@dataclass(frozen=True)
class Code:
    """Python source for people to read.

    Args:
        text: the whole file; empty if there is none.
        places: numbers of lines, from 0, by the path of the block that they are about.
        reason: why there is no source, in plain words.
    """

    text: str = ""
    places: dict[str, tuple[int, ...]] = field(default_factory=dict)
    reason: str = ""


def located_source(graph: Graph, title: str) -> Code:
    """Write a network as Python.

    Args:
        graph: a sound one.
        title: of the project; the class is named after it.

    Raises:
        CompileError: if it has problems; the message lists them.
    """
    plan, name = make_plan(graph), class_name(title)
    text = "\n".join([*HEADER, *source_imports(plan), "", "", class_source(plan, name)])
    finder = _Finder(text, SourceClasses(plan, name))
    finder.find(plan, name, "")
    for node in graph.nodes:  # they have no step
        if isinstance(node.block, Input):
            finder.places[node.id] = finder.lines(name, rf"\b{node.name}: torch\.Tensor")
        elif isinstance(node.block, Output):
            finder.places[node.id] = finder.lines(name, r"^\s+return\b")
    return Code(text, finder.places)


class _Finder:
    def __init__(self, text: str, classes: SourceClasses) -> None:
        self.classes = classes
        self.rows = text.split("\n")
        self.places: dict[str, tuple[int, ...]] = {}

    def find(self, plan: Plan, name: str, scope: str) -> None:
        """Find the blocks of a class, and of the groups in it."""
        for step in plan.steps:
            path = join(scope, step.node.id)
            layers, results = ("|".join(map(re.escape, names)) for names in (step.layer_names, step.results))
            made = rf"\bself\.({layers})\b|" if layers else ""
            self.places[path] = self.lines(name, rf"{made}^\s+({results})\b[^=]* = ")
            part = step.parts[0]
            if isinstance(part, Plan) and part.title:
                self.find(part, self.classes.of(part).name, path)

    def lines(self, name: str, pattern: str) -> tuple[int, ...]:
        """Where a class has a pattern."""
        wanted = re.compile(pattern)
        start = self.rows.index(f"class {name}(nn.Module):")
        found = []
        for number in range(start, len(self.rows)):
            if number > start and self.rows[number].startswith("class "):
                break
            if wanted.search(self.rows[number]):
                found.append(number)
        return tuple(found)
