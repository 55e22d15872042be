"""Findings about a run on the blocks that they are about, as long as these blocks are as they were in the run."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from studio.blocks import Block
from studio.graph.paths import flatten, scopes_of
from studio.training.events import Diagnosis, Event, Finding, Started
from studio.ui.canvas.scene import GraphScene
from studio.ui.document import Document


class Badges(QObject):
    """Marks blocks on the canvas."""

    def __init__(self, document: Document, scene: GraphScene, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._document = document
        self._scene = scene
        self._findings: tuple[Finding, ...] = ()
        self._blocks: dict[str, Block] = {}  # as they were when the run began
        document.graph_changed.connect(self._follow)
        document.replaced.connect(self._forget)

    @Slot(object)
    def show_events(self, events: list[Event]) -> None:
        """Follow a run."""
        before = self._findings
        for event in events:
            if isinstance(event, Started):
                self._findings = ()
                self._blocks = self._blocks_now()
            elif isinstance(event, Diagnosis):
                self._findings = event.findings
        if self._findings != before:
            self._show()

    def _blocks_now(self) -> dict[str, Block]:
        return {node.id: node.block for node in flatten(self._document.graph, everything=True).nodes}

    @Slot()
    def _forget(self) -> None:
        self._findings = ()
        self._show()

    @Slot()
    def _follow(self) -> None:
        if self._findings:
            self._show()

    def _show(self) -> None:
        now = self._blocks_now() if self._findings else {}
        shown = self._document.shown.by_id
        by_node: defaultdict[str, list[Finding]] = defaultdict(list)
        for finding, path in ((f, path) for f in self._findings for path in (f.node, *f.others)):
            if not path or now.get(path) != self._blocks.get(path):
                continue
            if path in shown:
                by_node[path].append(finding)
            else:  # in a group that is folded
                folded = next((scope for scope in scopes_of(path) if scope in shown), "")
                by_node[folded].append(replace(finding, title=f"Inside: {finding.title}"))
        self._scene.show_findings({node: tuple(findings) for node, findings in by_node.items()})
