"""What was answered to each place of one sample: to its pixels, or to its words.

Axis letters: H W space, T steps, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from studio.data.base import IGNORED
from studio.data.texts.tokens import Tokenization
from studio.evaluation.predictions import guessed
from studio.evaluation.trained import Trained
from studio.training.tasks import PLACES, STEPS, kind_of


@dataclass(frozen=True, eq=False)
class Placed:
    """The answers to the places of a sample.

    Args:
        row: the number of the sample in the dataset.
        guesses, truths: classes (H, W) or (T,) int64; a truth of IGNORED is not to be answered.
        sureness: how probable each answer was taken (H, W) or (T,), from 0 to 1.
        words: what stands at each step (T,); none for pixels.
    """

    row: int
    guesses: np.ndarray
    truths: np.ndarray
    sureness: np.ndarray
    words: tuple[str, ...] = ()

    @property
    def wrong(self) -> np.ndarray:
        """Where the answer is another one than the truth."""
        return np.asarray((self.guesses != self.truths) & (self.truths != IGNORED))


def has_places(trained: Trained) -> bool:
    """Whether each sample has many answers."""
    return kind_of(trained.dataset.spec.target) in (PLACES, STEPS)


def answer_places(trained: Trained, row: int) -> Placed:
    """What a network answers to the places of one sample.

    Args:
        row: its number in the dataset.
    """
    dataset, kind = trained.dataset, kind_of(trained.dataset.spec.target)
    rows = torch.tensor([row])
    inputs = tuple(
        scaling.apply(values.take(rows).view(-1, *tensor.shape[1:]).to(trained.device))
        for values, tensor, scaling in zip(dataset.input_rows(), dataset.inputs, dataset.scalings, strict=True)
    )
    with torch.inference_mode():
        answers = trained.model(*inputs).float()
    guesses = guessed(kind, answers)[0].cpu().numpy()
    sureness = answers.softmax(2 if kind == STEPS else 1).amax(2 if kind == STEPS else 1)[0].cpu().numpy()
    truths = dataset.wanted(rows)[0].numpy()
    words = _words(trained, row)[: len(truths)] if kind == STEPS else ()
    return Placed(row, guesses, truths, sureness, words)


def _words(trained: Trained, row: int) -> tuple[str, ...]:
    """What the steps of the first input are called; numbers where they have no names."""
    dataset = trained.dataset
    stored, learned = dataset.inputs[0][row], dataset.learned[0]
    if dataset.spec.inputs[0].dtype != "int":
        return tuple(f"step {step + 1:,}" for step in range(len(stored)))
    if isinstance(learned, Tokenization):
        names = learned.names(learned.size)
        return tuple(names[number] for number in stored.tolist())
    characters = dataset.spec.characters
    return tuple(characters[n] if n < len(characters) else str(n) for n in stored.tolist())
