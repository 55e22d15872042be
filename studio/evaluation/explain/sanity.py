"""Whether an explanation tells of what the network learned: it must change when the weights become random.

Source: Adebayo et al., "Sanity checks for saliency maps", 2018 (cascading randomization of the parameters).
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from studio.evaluation.explain.explained import Explained, Question, explain
from studio.evaluation.explain.methods import Method
from studio.evaluation.explain.randomness import own_randomness
from studio.evaluation.explain.watching import Watch
from studio.evaluation.trained import Trained

MOST_STAGES = 10
ALIKE = 0.5  # a rank correlation above which an explanation with random weights is hardly another one
FEW = 8  # parts of a sample, below which ranks agree by chance

Step = Callable[[int, int], None]  # stages done, and of how many


@dataclass(frozen=True, eq=False)
class Stage:
    """An explanation after more layers lost what they learned.

    Args:
        layer: the last one of them, by its path; empty before any did.
        explained: with these weights.
        correlation: rank correlation of the values with the first ones, from -1 to 1.
        of_sizes: the same of the values without their signs.
    """

    layer: str
    explained: Explained
    correlation: float
    of_sizes: float


@dataclass(frozen=True, eq=False)
class Sanity:
    """What came out, from the trained network to one with only random weights."""

    stages: tuple[Stage, ...]

    @property
    def parts(self) -> int:
        """How many parts of the sample are worth anything at any stage."""
        return int(np.any([stage.explained.values.ravel() != 0 for stage in self.stages], axis=0).sum())

    @property
    def suspicious(self) -> bool:
        """Whether the values stay much the same though nothing is left of what was learned."""
        return self.parts >= FEW and min(self.stages[-1].correlation, self.stages[-1].of_sizes) > ALIKE

    @property
    def verdict(self) -> str:
        """The same in words."""
        last = self.stages[-1]
        title = last.explained.method.title
        found = f"With random weights in all layers the rank correlation is {last.correlation:.2f}"
        if self.parts < FEW:
            return f"{found}, but of only {self.parts} parts of the sample, which tells nothing."
        if self.suspicious:
            return (
                f"{found}: {title} hardly changes. Here it tells of the sample itself, not of what the network "
                "learned, so do not rely on it."
            )
        if last.of_sizes > ALIKE:
            return (
                f"{found}, but {last.of_sizes:.2f} without the signs: where {title} is strong comes mostly from the "
                "sample itself; which sign it has comes from what the network learned."
            )
        return f"{found}: {title} depends on what the network learned, as it should."


def sanity_check(
    trained: Trained, question: Question, method: Method, seed: int = 0, watch: Watch | None = None,
    step: Step | None = None,
) -> Sanity:  # fmt: skip
    """Explain one answer again and again, while one layer after the other gets random weights, the last one first.

    Args:
        seed: the same one draws the same weights.
        watch: as in `explain`.
        step: told how far it is; may raise to give up.

    Raises:
        TrainingError: if this method cannot explain this sample.
    """
    first = explain(trained, question, method, watch)
    stages = [Stage("", first, 1.0, 1.0)]
    other = replace(trained, model=copy.deepcopy(trained.model))
    parts = _parts(other.model)
    for number, layers in enumerate(parts):
        if step is not None:
            step(number, len(parts))
        for place, path in enumerate(layers):
            _forget(other.model.get_submodule(path), seed * 1_000_003 + number * 1_009 + place)
        found = explain(other, first.question, method, watch)
        values, known = found.values.ravel(), first.values.ravel()
        stages.append(
            Stage(layers[-1], found, rank_correlation(values, known), rank_correlation(abs(values), abs(known)))
        )
    return Sanity(tuple(stages))


def _parts(model: nn.Module) -> list[list[str]]:
    """The paths of the layers with weights, from the end to the start, in at most MOST_STAGES stages."""
    paths = [path for path, layer in _layers(model, "")][::-1]
    ends = np.linspace(0, len(paths), min(len(paths), MOST_STAGES) + 1).round().astype(int)
    return [paths[start:end] for start, end in itertools.pairwise(ends)]


def _layers(module: nn.Module, prefix: str) -> Iterator[tuple[str, nn.Module]]:
    """All modules with weights of their own, in order; one that knows how to begin anew counts as a whole."""
    if any(True for _ in module.parameters(recurse=False)):
        yield prefix, module
    for name, child in module.named_children():
        path = f"{prefix}.{name}" if prefix else name
        if not any(True for _ in child.parameters()):
            continue
        if _reset_of(child) is not None:
            yield path, child
        else:
            yield from _layers(child, path)


def _reset_of(layer: nn.Module) -> Callable[[], object] | None:
    found = getattr(layer, "reset_parameters", None) or getattr(layer, "_reset_parameters", None)
    return found if callable(found) else None


def _forget(layer: nn.Module, seed: int) -> None:
    """Give a layer the weights with which it would begin; one that does not say which, its own ones in any order."""
    reset = _reset_of(layer)
    with own_randomness(seed), torch.no_grad():
        if reset is not None:
            reset()
            for child in layer.children():
                if (of_child := _reset_of(child)) is not None:
                    of_child()
            return
        for weights in layer.parameters(recurse=False):
            order = torch.randperm(weights.numel(), generator=torch.Generator().manual_seed(seed))
            weights.copy_(weights.flatten()[order.to(weights.device)].view_as(weights))


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Spearman's rank correlation of two lists of numbers, from -1 to 1; 0 where one of them is all the same."""
    from scipy.stats import rankdata

    ranks = [rankdata(values) - (len(values) + 1) / 2 for values in (first, second)]
    sizes = [float(np.sqrt((values**2).sum())) for values in ranks]
    return float((ranks[0] * ranks[1]).sum() / (sizes[0] * sizes[1])) if min(sizes) > 0 else 0.0
