"""Which rows of each batch a process takes, where several train one network together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LEAST = 2  # rows of a process, since batch norm cannot train on one


@dataclass(frozen=True)
class Share:
    """The share of one process in every batch: a slice; all of them together are the batch, each row once.

    Where a last batch is too short for everybody, only the first processes have rows of it. The others compute with
    rows that do not count, so that all do the same steps.

    Args:
        place: of the process, from 0.
        parts: how many processes there are.
    """

    place: int
    parts: int

    def slice(self, rows: int) -> tuple[int, int]:
        """First and last row (not included) in a batch of so many; both the same if there are none for it."""
        working = max(1, min(self.parts, rows // LEAST))
        if self.place >= working:
            return rows, rows
        return self.place * rows // working, (self.place + 1) * rows // working

    def count(self, rows: int) -> int:
        """How many rows of a batch of so many are its own."""
        first, last = self.slice(rows)
        return last - first

    def cut(self, rows: torch.Tensor, batch_size: int) -> tuple[torch.Tensor, list[int]]:
        """Its rows of a chunk of batches.

        Args:
            rows: those of the chunk (rows,).

        Returns:
            rows to compute with, and how many belong to each batch. Of a batch without rows of its own the first ones
            stand in, which do not count.
        """
        import torch

        mine = []
        for batch in torch.split(rows, batch_size):
            first, last = self.slice(len(batch))
            mine.append(batch[first:last] if last > first else batch[:LEAST])
        return torch.cat(mine), [len(part) for part in mine]
