"""Batches from tensors in memory, without a loader that goes from item to item.

Many batches are gathered and scaled at once and then cut into views, so that a step costs almost nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from studio.data.dataset import Dataset
from studio.data.rows import Rows
from studio.data.shares import Share
from studio.data.transforms.augmentation import Augmentation

if TYPE_CHECKING:
    import torch

    Batch = tuple[tuple[torch.Tensor, ...], torch.Tensor]
    Chunk = tuple[int, Iterator[Batch]]  # number of its first sample in the epoch, and its batches

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
        ahead: prepare the next chunk of batches in a second thread while somebody works with these.
    """

    def __init__(
        self, dataset: Dataset, split: str, batch_size: int, device: torch.device, channels_last: bool = False,
        ahead: bool = False,
    ) -> None:  # fmt: skip
        assert batch_size >= 1, batch_size
        self.batch_size = batch_size
        self.device = device
        self.channels_last = channels_last
        self._ahead = ahead
        self._scalings = dataset.scalings
        self._answers = dataset.answers
        self._shapes = [tensor.shape[1:] for tensor in dataset.inputs]
        self._rows = dataset.splits[split]
        self._inputs = dataset.input_rows()
        self._places = dataset.targets.shape[1:]
        # What is to be predicted is the input: it need not be gathered twice.
        self._targets = None if dataset.spec.target.is_input else dataset.target_rows()
        self._transforms = dataset.transforms if split == "train" else ()
        self._numbers: torch.Tensor | None = None  # of the samples in the dataset, where `_rows` are others
        self._drops_single = split == "train"
        self.share: Share | None = None  # of this process in shuffled batches, where several train together
        self._members = _by_class(dataset.targets[self._rows]) if dataset.balanced and split == "train" else None
        if device.type == "cuda" and self._bytes() < RESIDENT_SHARE * _free_bytes(device):
            self._move_to_device()

    def __len__(self) -> int:
        """Batches per epoch: a shuffled one of the train split, one in order of the others."""
        return -(-self.samples // self.batch_size)

    @property
    def samples(self) -> int:
        """Samples per epoch, as above."""
        return self._count(shuffled=self._drops_single)

    @property
    def per_chunk(self) -> int:
        """How many batches are made at once."""
        numbers = sum(values.numbers for values in self._inputs)
        return max(1, CHUNK_BYTES // (4 * numbers * self.batch_size))

    def epoch(self, generator: torch.Generator | None = None, number: int = 1, done: int = 0) -> Iterator[Batch]:
        """All batches once; those of the train split with the dataset's transforms, if they are shuffled.

        Batch norm cannot train on one sample, so a shuffled epoch of the train split leaves out a last batch of one
        sample, unless it is the only batch.

        Args:
            generator: gives the order, the same for the same seed; None for the order of the dataset. Where the
                classes are balanced, it draws samples with replacement, each class equally often on average. Its seed
                is that of the transforms.
            number: of the epoch, from 1; it decides what the transforms draw.
            done: how many batches to leave out at the start, in an epoch that goes on. The others are the same to the
                last bit, and the generator is left as if all had been drawn.

        Yields:
            the inputs, scaled, (N, *dims) each, and the targets (N,), (N, targets) or (N, *places), all on the device:
            numbers to predict scaled, too; the input itself, scaled, where that is to be predicted.
        """
        rows = self._order(generator)
        step = self.per_chunk * self.batch_size
        change = None
        if generator is not None and self._transforms:
            change = Augmentation(self._transforms, generator.initial_seed(), number)
        share = self.share if generator is not None else None
        starts = range(done // self.per_chunk * step, len(rows), step)
        chunks = ((start, self._chunk(rows[start : start + step], change, share)) for start in starts)
        for start, chunk in _one_ahead(chunks) if self._ahead else chunks:
            # A whole chunk also where some of it is left out: another size could round in another way.
            yield from itertools.islice(chunk, max(0, done - start // self.batch_size), None)

    def _order(self, generator: torch.Generator | None) -> torch.Tensor:
        import torch

        if generator is None:
            return self._rows
        if self._members is None:
            order = torch.randperm(len(self._rows), generator=generator, device=generator.device)
        else:
            order = _draw(self._members, len(self._rows), generator)
        return self._rows[order.to(self._rows.device)[: self._count(shuffled=True)]]

    def _count(self, *, shuffled: bool) -> int:
        """Samples of an epoch."""
        count = len(self._rows)
        leaves_one = count > self.batch_size > 1 and count % self.batch_size == 1
        return count - 1 if shuffled and self._drops_single and leaves_one else count

    def _chunk(self, rows: torch.Tensor, change: Augmentation | None, share: Share | None) -> Iterator[Batch]:
        import torch

        sizes: int | list[int] = self.batch_size
        if share is not None:
            rows, sizes = share.cut(rows, self.batch_size)
        inputs = [
            torch.split(self._input(i, rows, change if i == 0 else None), sizes) for i in range(len(self._inputs))
        ]
        targets = inputs[0]
        if self._targets is not None:
            targets = torch.split(self._target(self._targets, rows, change), sizes)
        return zip(zip(*inputs, strict=True), targets, strict=True)

    def _target(self, targets: Rows, rows: torch.Tensor, change: Augmentation | None) -> torch.Tensor:
        """The targets of a chunk, (rows, *places), as the network has to predict them.

        Class numbers that were stored in fewer bytes become int64.
        """
        x = targets.take(rows).to(self.device, non_blocking=True).view(-1, *self._places)
        if x.is_floating_point():
            return self._answers.apply(x)
        return change.of_places(x.long(), self._samples(rows)) if change and len(self._places) == 2 else x.long()

    def _input(self, index: int, rows: torch.Tensor, change: Augmentation | None) -> torch.Tensor:
        """One input of a chunk, (rows, *dims)."""
        import torch

        # Bytes go to the device as bytes: a quarter of the way.
        x = self._inputs[index].take(rows).to(self.device, non_blocking=True)
        x = x.view(-1, *self._shapes[index])
        if change is not None:
            x = change.before_scaling(x, self._samples(rows))
        if self.channels_last and x.ndim == 4:
            x = x.contiguous(memory_format=torch.channels_last)
        x = self._scalings[index].apply(x)
        return change.after_scaling(x, self._samples(rows)) if change is not None else x

    def _samples(self, rows: torch.Tensor) -> torch.Tensor:
        """Numbers in the dataset, on the device."""
        return (rows if self._numbers is None else self._numbers[rows]).to(self.device)

    def _bytes(self) -> int:
        """What the split's samples take on the device."""
        return len(self._rows) * sum(values.bytes for values in (*self._inputs, self._targets) if values is not None)

    def _move_to_device(self) -> None:
        import torch

        self._inputs = [values.moved(self._rows, self.device) for values in self._inputs]
        if self._targets is not None:
            self._targets = self._targets.moved(self._rows, self.device)
        self._numbers = self._rows.to(self.device)
        self._rows = torch.arange(len(self._rows), device=self.device)


def _one_ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same, each made in another thread while the one before is in use."""
    import torch

    # Torch counts its threads for each thread: here more than one would take them from the mathematics.
    with ThreadPoolExecutor(1, "batches", torch.set_num_threads, (1,)) as executor:
        coming = executor.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = executor.submit(next, chunks, None)
            yield chunk


def _by_class(classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Numbers of samples (N,), class after class, and how many each class has, where it has any."""
    import torch

    return classes.argsort(stable=True), torch.unique(classes, return_counts=True)[1]


def _draw(members: tuple[torch.Tensor, torch.Tensor], count: int, generator: torch.Generator) -> torch.Tensor:
    """So many samples (count,): for each first a class, all equally likely, then one of its samples."""
    import torch

    rows, sizes = members
    classes = torch.randint(len(sizes), (count,), generator=generator, device=generator.device).to(sizes.device)
    shares = torch.rand(count, dtype=torch.float64, generator=generator, device=generator.device).to(sizes.device)
    places = (shares * sizes[classes]).long()  # in doubles, a share below 1 of a size stays below it
    return rows[sizes.cumsum(0)[classes] - sizes[classes] + places]


def _free_bytes(device: torch.device) -> int:
    import torch

    free, _ = torch.cuda.mem_get_info(device)
    return free
