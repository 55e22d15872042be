"""Drawn samples with which an exported network is tried, and how its answers are compared with the studio's.

Axis letters: N batch, L tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from studio.compile.plan import Plan
from studio.export.formats import ExportError
from studio.tensors import TensorSpec

TOLERANCE = 1e-5  # of the largest answer, or of 1 where all answers are smaller
FOR_EXPORT = 3  # samples of the batch with which a network is traced; neither 0 nor 1, which are taken for constants


@dataclass(frozen=True, eq=False)
class Case:
    """One batch for the trial.

    Args:
        inputs: one (N, *) for each Input.
        answers: what the studio's network says to it, one (N, *) for each Output.
        lengths: of the inputs with a free length, by name.
    """

    inputs: tuple[Tensor, ...]
    answers: tuple[Tensor, ...]
    lengths: dict[str, int]


def draw(plan: Plan, count: int, seed: int = 0) -> tuple[Tensor, ...]:
    """Samples (count, *) for each Input: numbers as scaled ones are, and tokens that end earlier in some samples."""
    generator = torch.Generator().manual_seed(seed)
    sizes = [dict(layer.arguments).get("num_embeddings") for layer in plan.layers()]
    tokens = min((size for size in sizes if size), default=1)
    return tuple(_draw_input(spec, count, tokens, generator) for _, spec in plan.inputs)


def _draw_input(spec: TensorSpec, count: int, tokens: int, generator: torch.Generator) -> Tensor:
    shape = (count, *spec.dims)
    if spec.dtype == "float":
        return torch.randn(shape, generator=generator)
    numbers = torch.randint(min(1, tokens - 1), tokens, shape, generator=generator)  # 0 only fills up, at the end
    for number in range(1, count, 2):  # the first one is whole
        end = int(torch.randint(1, spec.dims[0] + 1, (1,), generator=generator))
        numbers[number, end:] = 0
    return numbers


def answers_of(model: nn.Module, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """What a network answers, always as a tuple."""
    with torch.no_grad():
        answers = model(*inputs)
    return answers if isinstance(answers, tuple) else (answers,)


@dataclass(frozen=True)
class Difference:
    """How far answers are apart.

    Args:
        largest: of all differences between two numbers.
        scale: the largest answer, at least 1: single precision has seven digits, so that more of an answer of 10,000
            cannot be the same on two ways of computing it.
    """

    largest: float = 0.0
    scale: float = 1.0

    @property
    def is_small(self) -> bool:
        """Whether it is rounding only."""
        return self.largest <= TOLERANCE * self.scale

    def or_larger(self, other: Difference) -> Difference:
        """The one that is worse for its scale."""
        return other if not other.largest / other.scale <= self.largest / self.scale else self


def difference(expected: Sequence[Tensor], found: Sequence[Tensor]) -> Difference:
    """How far the answers to one batch are apart; infinitely far if they have other sizes."""
    worst = Difference()
    if len(expected) != len(found):
        return Difference(float("inf"))
    for ours, theirs in zip(expected, found, strict=True):
        if ours.shape != theirs.shape:
            return Difference(float("inf"))
        same = (ours == theirs) | (ours.isnan() & theirs.isnan())  # infinities have no difference
        apart = (ours.double() - theirs.double()).abs().masked_fill(same, 0.0).nan_to_num(float("inf"))
        finite = ours[ours.isfinite()]
        scale = max(1.0, float(finite.abs().max())) if len(finite) else 1.0
        worst = worst.or_larger(Difference(float(apart.max()) if len(apart) else 0.0, scale))
    return worst


def check(worst: Difference, what: str) -> None:
    """Raises ExportError unless a difference is rounding only."""
    if not worst.is_small:
        raise ExportError(
            f"{what} answers differently: by up to {worst.largest:.3g}, where the largest answer is {worst.scale:.3g}. "
            f"At most {TOLERANCE * worst.scale:.1g} would be rounding. Nothing was written."
        )


def batches_and_lengths(cases: Sequence[Case]) -> str:
    """In words: with what it was tried."""
    counts = sorted({len(case.inputs[0]) for case in cases})
    text = f"batches of {_listed(counts)}"
    names = dict.fromkeys(name for case in cases for name in case.lengths)
    lengths = sorted({case.lengths[name] for case in cases for name in names if name in case.lengths})
    return f"{text} and lengths from {lengths[0]} to {lengths[-1]}" if len(lengths) > 1 else text


def _listed(numbers: Iterator[int] | Sequence[int]) -> str:
    *most, last = map(str, numbers)
    return f"{', '.join(most)} and {last}" if most else last
