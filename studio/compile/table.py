"""What is known of every block as a table, for people and for other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio import storage
from studio.compile.analysis import Analysis, NodeAnalysis
from studio.graph import Graph
from studio.graph.groups import GroupUse
from studio.graph.paths import join, scope_of
from studio.tensors import TensorSpec

COLUMNS = ("Block", "Kind", "Input", "Output", "Parameters", "Operations", "Memory (bytes)")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run what follows


@dataclass(frozen=True)
class Row:
    """One block.

    Args:
        path: where it is.
        name: its name, indented by two spaces for each group in which it stands.
        kind: the block's title, with how often it is repeated.
        inputs, outputs: shapes; empty if they are unknown.
        parameters, flops, memory: for one sample; of a group the sum of its blocks.
    """

    path: str
    name: str
    kind: str
    inputs: str
    outputs: str
    parameters: int
    flops: int
    memory: int

    @property
    def cells(self) -> tuple[str | int, ...]:
        """Its values in the order of COLUMNS."""
        return (self.name, self.kind, self.inputs, self.outputs, self.parameters, self.flops, self.memory)


def table_rows(graph: Graph, analysis: Analysis, scope: str = "") -> Iterator[Row]:
    """A row for each block in the order in which data passes; those in a group come below it."""
    for node in graph.order:
        path = join(scope, node.id)
        found = analysis.nodes.get(path, NodeAnalysis())
        indent = "  " * (path.count("/"))
        kind = node.block.title + (f" ×{node.repeat}" if node.repeat > 1 else "") + (" (bypassed)" * node.bypassed)
        kind += " (frozen)" * node.frozen
        shapes = _shapes(found.inputs), _shapes(found.outputs)
        yield Row(path, indent + node.name, kind, *shapes, found.parameters, found.flops, found.memory)
        if isinstance(node.block, GroupUse):
            yield from table_rows(node.block.body, analysis, path)


def totals(rows: list[Row]) -> Row:
    """The sum over all blocks that are in no group; a group counts for its blocks."""
    own = [row for row in rows if not scope_of(row.path)]
    sums = (sum(getattr(row, name) for row in own) for name in ("parameters", "flops", "memory"))
    return Row("", "Total", f"{len(own)} block{'' if len(own) == 1 else 's'}", "", "", *sums)


def write_csv(path: Path, graph: Graph, analysis: Analysis) -> None:
    """Write the table for a spreadsheet: UTF-8, with commas. Raises StorageError."""
    rows = list(table_rows(graph, analysis))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in [*rows, totals(rows)]:
        writer.writerow([harmless(cell) for cell in row.cells])
    storage.write_text(path, text.getvalue())


def harmless(cell: str | int) -> str | int:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


def _shapes(specs: tuple[TensorSpec, ...]) -> str:
    return "  ".join(f"({spec})" for spec in specs)
