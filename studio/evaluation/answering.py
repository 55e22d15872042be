"""Answers to new inputs by a trained network, without the dataset that it was trained on.

    answerer = open_answerer(Path("a run"))      # or the file of a checkpoint; `Answerer.of` for a network in memory
    answerer.parts                               # what is to be given: a name and a form for each part
    reading = answerer.read(Path("cat.jpg"))     # bytes, an array, a text, a row …: see studio.data.forms
    answer = answerer.answer(reading)
    answer.top(3)                                # [("cat", 0.93), ("dog", 0.05), ("horse", 0.01)]
    for answer in answerer.stream(many): ...     # in batches, files read ahead in threads

A `str` is always a text and never a path, so what comes from elsewhere opens no file. What cannot be read raises
`InputError` with a sentence for people; in `stream` it comes in the place of the answer, and the others go on.

Axis letters: N samples, K classes or labels, D numbers, P places of a sample.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from studio.compile.plan import Plan, make_plan
from studio.data.forms import InputError, PictureForm, Raw
from studio.evaluation.answer import Answer, answers_of
from studio.evaluation.parts import Part, Preparation, read_preparation
from studio.evaluation.trained import find_checkpoint, network_of
from studio.graph.groups import trust_code
from studio.project import Project
from studio.training.checkpoint import Checkpoint, read_checkpoint
from studio.training.devices import resolve_device
from studio.training.errors import CheckpointError
from studio.training.setup import has_images

__all__ = ["Answer", "Answerer", "InputError", "Part", "Reading", "open_answerer"]

BATCH = 256  # samples; where one is large, fewer
MOST_NUMBERS = 8_000_000  # of the inputs, or of the answers, of a batch
READERS = 4  # threads that read files while the network answers

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Reading:
    """One sample as the network takes it.

    Args:
        tensors: of each input, scaled, (1, *dims), on the CPU.
        notes: what a person should know of how it was read, in sentences.
        places: how many steps at the beginning are real; 0 if all are.
        words: what stands at these steps, where they were given as words.
    """

    tensors: tuple[Tensor, ...]
    notes: tuple[str, ...] = ()
    places: int = 0
    words: tuple[str, ...] = ()


class Answerer:
    """A trained network that answers what a person gives it. It may be used from several threads; they take turns.

    Args:
        plan: of the network. Of several Outputs the main one is answered.
        preparation: what its checkpoint says of the data, checked.
        model: on `device`. One that is in the state for training is put into that for answering for each answer, so
            it must not train meanwhile: give an answerer of its own the weights of a run under way by `take`.
        device: where it answers.
    """

    def __init__(self, plan: Plan, preparation: Preparation, model: nn.Module, device: torch.device) -> None:
        self.plan, self.model, self.device = plan, model, device
        self.preparation = preparation
        self._lock = threading.Lock()
        self._channels_last = has_images(plan)
        self._batch = _batch_size(preparation)

    @classmethod
    def of(
        cls, plan: Plan, project: Project, preparation: Mapping[str, Any], model: nn.Module, device: torch.device
    ) -> Answerer:
        """An answerer with a network that lives in this process already.

        Args:
            preparation: as `studio.training.preparation.describe_preparation` gives it, or a checkpoint has it.

        Raises:
            CheckpointError: if the preparation does not belong to the network.
        """
        return cls(plan, read_preparation(preparation, plan.main_only(), project.data), model, device)

    @classmethod
    def from_checkpoint(cls, checkpoint: Checkpoint, device: str = "auto") -> Answerer:
        """An answerer with the weights of a checkpoint; its network is built anew.

        Args:
            device: one of "auto", "cpu", "cuda" and "mps".

        Raises:
            CompileError: if its graph cannot become a network, as one with custom code that nobody trusts.
            CheckpointError: if the weights or the preparation do not belong to it.
            TrainingError: if this machine has no such device.
        """
        where, plan = resolve_device(device), make_plan(checkpoint.project.graph).main_only()
        preparation = read_preparation(checkpoint.preparation, plan, checkpoint.project.data)
        model = network_of(checkpoint, plan).to(where)
        if has_images(plan):
            model = model.to(memory_format=torch.channels_last)
        return cls(plan, preparation, model, where)

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be given for one answer: usually one part."""
        return self.preparation.parts

    @property
    def kind(self) -> str:
        """What is answered, one of the kinds in studio.evaluation.answer."""
        return self.preparation.kind

    @property
    def names(self) -> tuple[str, ...]:
        """Of the classes, labels or numbers."""
        return self.preparation.target.names

    def take(self, weights: Mapping[str, Tensor]) -> None:
        """Answer with other weights of the same network from now on, such as those of a run under way.

        Args:
            weights: a state dict.

        Raises:
            CheckpointError: if they do not fit; then the earlier ones stay.
        """
        wanted = self.model.state_dict()
        odd = sorted(set(wanted) ^ set(weights))
        shapes = [name for name in wanted if name in weights and wanted[name].shape != weights[name].shape]
        if odd or shapes:
            raise CheckpointError(f"These are not weights of this network: “{(odd + shapes)[0]}” does not fit.")
        with self._lock:
            self.model.load_state_dict(weights)

    def read(self, given: object) -> Reading:
        """Prepare one sample as those of the training were prepared.

        Args:
            given: what the form of the only part takes; of several parts a mapping of their names, or a list in order.

        Raises:
            InputError: if it cannot be.
        """
        return self.prepared([part.form.read(value) for part, value in self._shared_out(given)])

    def _shared_out(self, given: object) -> Iterable[tuple[Part, object]]:
        parts = self.parts
        if len(parts) == 1:
            return [(parts[0], given)]
        names = ", ".join(f"“{part.name}”" for part in parts)
        if isinstance(given, Mapping) and all(part.name in given for part in parts):
            return [(part, given[part.name]) for part in parts]
        if isinstance(given, list | tuple) and len(given) == len(parts):
            return zip(parts, given, strict=True)
        raise InputError(f"The network has {len(parts)} inputs: give a value for each of {names}.")

    def read_drawing(self, given: Path | bytes | np.ndarray) -> Reading:
        """Prepare a drawing, or a photograph of handwriting, as the pictures of the dataset were made of handwriting,
        where that is known; else as any picture.

        Args:
            given: a picture's file or its content, dark on light or light on dark; or the ink alone (H, W) uint8, 0 for
                paper and 255 for full ink.

        Raises:
            InputError: if nothing is drawn, or the network takes no picture.
        """
        form = self.parts[0].form
        if len(self.parts) > 1 or not isinstance(form, PictureForm):
            raise InputError(f"The network takes no drawing, but this: {form.about}")
        ink = given if isinstance(given, np.ndarray) else form.ink_of(given)
        return self.prepared([form.drawn(ink)])

    def prepared(self, raws: Sequence[Raw]) -> Reading:
        """What was read of each part as one sample, scaled.

        Raises:
            InputError: if there are tokens that the network does not have.
        """
        arrays = [array for raw in raws for array in raw.arrays]
        tensors = []
        for array, scaling, tokens in zip(arrays, self.preparation.scalings, self.preparation.tokens, strict=True):
            if tokens and array.dtype == "int64" and (array.min() < 0 or array.max() >= tokens):
                raise InputError(f"Tokens must be whole numbers from 0 to {tokens - 1:,}.")
            tensors.append(scaling.apply(torch.from_numpy(array.copy())[None]))
        notes = tuple(itertools.chain.from_iterable(raw.notes for raw in raws))
        return Reading(tuple(tensors), notes, raws[-1].places, raws[-1].words)

    def answer(self, reading: Reading) -> Answer:
        """The answer to one sample."""
        return self.answer_all([reading])[0]

    def answer_all(self, readings: Sequence[Reading]) -> list[Answer]:
        """The answers to several samples, in order; computed in batches."""
        found: list[Answer] = []
        for start in range(0, len(readings), self._batch):
            some = readings[start : start + self._batch]
            answers = self.compute([torch.cat(tensors) for tensors in zip(*(r.tensors for r in some), strict=True)])
            found += answers_of(self.preparation, answers, some)
        return found

    def compute(self, inputs: Sequence[Tensor]) -> Tensor:
        """What the network answers to a batch of scaled inputs (N, *dims) each: raw scores or scaled numbers, on the
        CPU.
        """
        moved = [tensor.to(self.device) for tensor in inputs]
        if self._channels_last:
            moved = [x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x for x in moved]
        with self._lock, torch.inference_mode(), _answering(self.model):
            answers = self.model(*moved)
        # A network in memory may give several answers, of which the main one counts.
        main: Tensor = answers[self.plan.main] if isinstance(answers, tuple) else answers
        return main.float().cpu()

    def stream(
        self, many: Iterable[T], read: Callable[[T], Reading] | None = None, threads: int = READERS
    ) -> Generator[Answer | InputError]:
        """The answers to many samples, in order; some are read ahead in threads while the network answers others.

        Args:
            many: of them; taken a few hundred at a time.
            read: how each is read; None for `read`.
            threads: that read.

        Yields:
            an answer, or why there is none.
        """
        reader: Callable[[Any], Reading] = read or self.read

        def attempt(one: T) -> Reading | InputError:
            try:
                return reader(one)
            except InputError as error:
                return error

        pool = ThreadPoolExecutor(threads, thread_name_prefix="inputs")
        try:
            ahead: Iterator[Reading | InputError] = iter(())
            for chunk in _chunks(many, self._batch):
                coming = pool.map(attempt, chunk)
                yield from self._answered(list(ahead))
                ahead = coming
            yield from self._answered(list(ahead))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _answered(self, readings: list[Reading | InputError]) -> Iterator[Answer | InputError]:
        answers = iter(self.answer_all([reading for reading in readings if isinstance(reading, Reading)]))
        for reading in readings:
            yield next(answers) if isinstance(reading, Reading) else reading


def open_answerer(path: Path, device: str = "auto", *, trusted: bool = False) -> Answerer:
    """An answerer with the weights of a checkpoint's file, or of the best one in the folder of a run.

    Args:
        device: as in `Answerer.from_checkpoint`.
        trusted: whether custom code in the network may run.

    Raises:
        RunFolderError, CheckpointError, CompileError, TrainingError: as `open_trained` and `from_checkpoint`.
    """
    checkpoint = read_checkpoint(find_checkpoint(path))
    if trusted:
        trust_code(checkpoint.project.graph)
    return Answerer.from_checkpoint(checkpoint, device)


@contextlib.contextmanager
def _answering(model: nn.Module) -> Iterator[None]:
    """In the state for answering; each module is put back into its own."""
    training = [module for module in model.modules() if module.training]
    if training:
        model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _chunks(many: Iterable[T], size: int) -> Iterator[list[T]]:
    source = iter(many)
    while some := list(itertools.islice(source, size)):
        yield some


def _batch_size(preparation: Preparation) -> int:
    numbers = max(preparation.target.answer.numel, *(spec.numel for spec in preparation.inputs))
    return max(1, min(BATCH, MOST_NUMBERS // max(1, numbers)))
