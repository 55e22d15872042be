"""Batches from tensors in memory, without a loader that goes from item to item.

Many batches are gathered and scaled at once and then cut into views, so that a step costs almost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from studio.data.dataset import Dataset

if TYPE_CHECKING:
    import torch

    Batch = tuple[tuple[torch.Tensor, ...], torch.Tensor]

CHUNK_BYTES = 2**22  # of scaled inputs; four times as much is slower, for it leaves the processor's cache
RESIDENT_SHARE = 0.25  # of a GPU's free memory that a split may take


class Batches:
    """The batches of one split.

    Args:
        dataset: what `prepare` gave.
        split: one of SPLITS.
        batch_size: samples per batch; the last batch may have fewer.
        device: where the batches are wanted.
        channels_last: lay images (N, C, H, W) out with the channels last, which convolutions are faster on.
    """

    def __init__(
        self, dataset: Dataset, split: str, batch_size: int, device: torch.device, channels_last: bool = False
    ) -> None:
        assert batch_size >= 1, batch_size
        self.batch_size = batch_size
        self.device = device
        self.channels_last = channels_last
        self._scalings = dataset.scalings
        self._answers = dataset.answers
        self._shapes = [tensor.shape[1:] for tensor in dataset.inputs]
        self._rows = dataset.splits[split]
        # As (M, numbers): torch gathers rows of a matrix 30 times faster than images.
        self._inputs = [tensor.flatten(1) for tensor in dataset.inputs]
        self._places = dataset.targets.shape[1:]
        # What is to be predicted is the input: it need not be gathered twice.
        self._targets = None if dataset.spec.target.is_input else dataset.targets.flatten(1 if self._places else 0)
        self._drops_single = split == "train"
        if device.type == "cuda" and self._bytes() < RESIDENT_SHARE * _free_bytes(device):
            self._move_to_device()

    def __len__(self) -> int:
        """Batches per epoch: a shuffled one of the train split, one in order of the others."""
        return -(-self._count(shuffled=self._drops_single) // self.batch_size)

    def epoch(self, generator: torch.Generator | None = None) -> Iterator[Batch]:
        """All batches once.

        Batch norm cannot train on one sample, so a shuffled epoch of the train split leaves out a last batch of one
        sample, unless it is the only batch.

        Args:
            generator: gives the order, the same for the same seed; None for the order of the dataset.

        Yields:
            the inputs, scaled, (N, *dims) each, and the targets (N,), (N, targets) or (N, *places), all on the device:
            numbers to predict scaled, too; the input itself, scaled, where that is to be predicted.
        """
        rows = self._order(generator)
        step = self._batches_per_chunk() * self.batch_size
        for start in range(0, len(rows), step):
            yield from self._chunk(rows[start : start + step])

    def _order(self, generator: torch.Generator | None) -> torch.Tensor:
        import torch

        if generator is None:
            return self._rows
        order = torch.randperm(len(self._rows), generator=generator, device=generator.device)
        return self._rows[order.to(self._rows.device)[: self._count(shuffled=True)]]

    def _count(self, *, shuffled: bool) -> int:
        """Samples of an epoch."""
        count = len(self._rows)
        leaves_one = count > self.batch_size > 1 and count % self.batch_size == 1
        return count - 1 if shuffled and self._drops_single and leaves_one else count

    def _batches_per_chunk(self) -> int:
        numbers = sum(tensor.shape[1] for tensor in self._inputs)
        return max(1, CHUNK_BYTES // (4 * numbers * self.batch_size))

    def _chunk(self, rows: torch.Tensor) -> Iterator[Batch]:
        import torch

        inputs = [torch.split(self._input(i, rows), self.batch_size) for i in range(len(self._inputs))]
        targets = inputs[0]
        if self._targets is not None:
            targets = torch.split(self._target(self._targets, rows), self.batch_size)
        return zip(zip(*inputs, strict=True), targets, strict=True)

    def _target(self, targets: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        """The targets of a chunk, (rows, *places), as the network has to predict them."""
        wanted = targets.index_select(0, rows).to(self.device, non_blocking=True).view(-1, *self._places)
        return self._answers.apply(wanted)

    def _input(self, index: int, rows: torch.Tensor) -> torch.Tensor:
        """One input of a chunk, (rows, *dims)."""
        import torch

        # Bytes go to the device as bytes: a quarter of the way.
        x = self._inputs[index].index_select(0, rows).to(self.device, non_blocking=True)
        x = x.view(-1, *self._shapes[index])
        if self.channels_last and x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        return self._scalings[index].apply(x)

    def _bytes(self) -> int:
        """What the split's samples take on the device."""
        tensors = [*self._inputs, *([] if self._targets is None else [self._targets])]
        return sum(len(self._rows) * tensor[:1].numel() * tensor.element_size() for tensor in tensors)

    def _move_to_device(self) -> None:
        import torch

        self._inputs = [tensor.index_select(0, self._rows).to(self.device) for tensor in self._inputs]
        if self._targets is not None:
            self._targets = self._targets.index_select(0, self._rows).to(self.device)
        self._rows = torch.arange(len(self._rows), device=self.device)


def _free_bytes(device: torch.device) -> int:
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return free
