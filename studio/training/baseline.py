"""What is reached without looking at the inputs at all: a network that is no better has learned nothing.

Axis letters: N samples, K classes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.data.dataset import Dataset
from studio.training.counts import CHUNK_NUMBERS, class_counts, training_targets
from studio.training.events import Metrics
from studio.training.tasks import Tally, Task, task_of


def trivial_baseline(dataset: Dataset, split: str, task: Task | None = None) -> Metrics:
    """Loss and score of the best constant answer, which is learned from the training split; or of the dataset's naive
    answers, where these are better in training, as the last value of a series is.

    For classes these are their shares, so that the most frequent one is answered, and for labels the share of each;
    for numbers their mean. Classes at each place are answered alike everywhere; numbers at each place have a mean each.

    Args:
        split: one of SPLITS, on which the answer is measured.
        task: with whose loss it is measured, on the CPU; None for the usual one, by which the
            answer is the best.
    """
    task = task or task_of(dataset.spec.target, dataset.answers)
    answer: Tensor | None = _constant(dataset)
    if answer is not None and task.shares:
        answer = answer.clamp_min(1e-6).log()
    if dataset.naive is not None:
        constant, naive = (_figures(dataset, "train", tried, task)["loss"] for tried in (answer, None))
        answer = answer if constant <= naive else None
    return _figures(dataset, split, answer, task)


def _figures(dataset: Dataset, split: str, answer: Tensor | None, task: Task) -> Metrics:
    """Loss and score of the same answer to all samples of a split; of the naive ones for None."""
    tally, rows = Tally(task), dataset.splits[split]
    step = max(1, CHUNK_NUMBERS // dataset.spec.target.answer.numel)
    with torch.inference_mode():
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            targets = dataset.wanted(some)
            answers = _naive(dataset, some) if answer is None else answer.expand(len(targets), *answer.shape)
            tally.add(task.loss(answers, targets), answers, targets)
    sums = tally.sums()
    return {"loss": sums.mean_loss, task.metric: sums.mean_score}


def _naive(dataset: Dataset, rows: Tensor) -> Tensor:
    assert dataset.naive is not None
    return dataset.answers.apply(dataset.naive.index_select(0, rows))


def _constant(dataset: Dataset) -> Tensor:
    """The answer to all samples, of the shape that the target wants."""
    target = dataset.spec.target
    if target.task == "regression":
        return _mean(dataset)
    if target.task == "multi-label":
        return _mean(dataset).clamp(1e-3, 1 - 1e-3).logit()
    scores_K = _shares(dataset, target.size).log()
    if len(target.dims) < 2:
        return scores_K.expand(*target.dims, target.size)
    return scores_K.view(-1, 1, 1).expand(target.size, *target.dims)


def _shares(dataset: Dataset, classes: int) -> Tensor:
    """How frequent each class is (K,); one that does not occur is taken to be a little frequent."""
    counts_K = class_counts(dataset)
    return ((counts_K + 0.5) / (counts_K.sum() + 0.5 * classes)).float()


def _mean(dataset: Dataset) -> Tensor:
    total, samples = torch.zeros(()), 0
    for targets in training_targets(dataset):
        total = total + targets.double().sum(0)
        samples += len(targets)
    return (total / samples).float()
