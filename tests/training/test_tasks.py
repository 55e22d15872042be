"""Losses and scores: every place counts the same."""

from __future__ import annotations

import math

import pytest
import torch

from studio.compile.target_kinds import kind_of
from studio.data import IGNORED, Target
from studio.data.scaling import Scaling
from studio.export import script_text
from studio.settings.losses import CLASSES, LABELS, NUMBERS, PLACES, STEPS
from studio.training.tasks import Tally, task_of

NAMES = ("a", "b", "c", "d", "e")
TARGETS = {
    CLASSES: Target("classification", NAMES),
    STEPS: Target("classification", NAMES, (7,)),
    PLACES: Target("classification", NAMES, (3, 4)),
    LABELS: Target("multi-label", NAMES),
    NUMBERS: Target("regression", ("y",), (2, 3, 4)),
}


def batch(target: Target, samples: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Answers and targets."""
    generator = torch.Generator().manual_seed(seed)
    answers = torch.randn(samples, *target.answer.dims, generator=generator)
    if target.task == "regression":
        return answers, torch.randn(answers.shape, generator=generator)
    if target.task == "multi-label":
        return answers, torch.randint(2, answers.shape, generator=generator).float()
    return answers, torch.randint(len(NAMES), (samples, *target.dims), generator=generator)


@pytest.mark.parametrize("kind", TARGETS)
def test_each_target_has_its_task(kind: str) -> None:
    assert kind_of(TARGETS[kind]) == kind


@pytest.mark.parametrize("kind", [CLASSES, STEPS, PLACES])
def test_who_knows_nothing_loses_the_logarithm_of_the_classes(kind: str) -> None:
    answers, targets = batch(TARGETS[kind], 6)
    assert float(task_of(TARGETS[kind]).loss(answers * 0, targets)) == pytest.approx(math.log(len(NAMES)))


@pytest.mark.parametrize("kind", [STEPS, PLACES])
def test_loss_and_score_are_means_over_places(kind: str) -> None:
    target = TARGETS[kind]
    answers, targets = batch(target, 6)
    rows = answers if kind == STEPS else answers.permute(0, 2, 3, 1)
    rows, flat = rows.reshape(-1, len(NAMES)), targets.reshape(-1)
    by_hand = -rows.log_softmax(1)[torch.arange(len(flat)), flat].mean()
    task = task_of(target)
    torch.testing.assert_close(task.loss(answers, targets), by_hand)
    right = (rows.argmax(1) == flat).double().mean()
    assert float(task.score(answers, targets)) / 6 == pytest.approx(float(right))


def test_the_absolute_error_is_a_mean_over_all_numbers() -> None:
    answers, targets = batch(TARGETS[NUMBERS], 6)
    score = task_of(TARGETS[NUMBERS]).score(answers, targets)
    assert float(score) / 6 == pytest.approx(float((answers - targets).abs().mean()))


def test_labels_are_judged_one_by_one() -> None:
    answers, targets = batch(TARGETS[LABELS], 6)
    task, shares = task_of(TARGETS[LABELS]), 1 / (1 + (-answers).exp())
    by_hand = -(targets * shares.log() + (1 - targets) * (1 - shares).log()).mean()
    torch.testing.assert_close(task.loss(answers, targets), by_hand)
    right = ((shares > 0.5) == targets.bool()).double().mean()
    assert float(task.score(answers, targets)) / 6 == pytest.approx(float(right))


def test_the_error_of_scaled_numbers_is_told_in_their_own_units() -> None:
    target, scaling = Target("regression", ("price", "rooms")), Scaling((200_000.0, 3.0), (1e-5, 2.0))
    stored = torch.tensor([[150_000.0, 2.0], [260_000.0, 5.0]])
    answered = torch.tensor([[160_000.0, 2.5], [250_000.0, 4.5]])
    score = task_of(target, scaling).score(scaling.apply(answered), scaling.apply(stored))
    assert float(score) / 2 == pytest.approx((10_000 + 0.5) / 2, rel=1e-4)


@pytest.mark.parametrize("kind", TARGETS)
def test_a_script_judges_in_the_same_way(kind: str) -> None:
    answers, targets = batch(TARGETS[kind], 6)
    names = {"torch": torch, "functional": torch.nn.functional, "answers": answers, "targets": targets}
    exec(script_text.SCORES[kind], names)
    task = task_of(TARGETS[kind])
    assert torch.equal(names["score"](answers, targets), task.score(answers, targets))
    assert torch.equal(eval(script_text.LOSSES[kind], names), task.loss(answers, targets))


@pytest.mark.parametrize("kind", TARGETS)
def test_a_tally_of_large_answers_keeps_none_and_counts_the_same(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    task, sums = task_of(TARGETS[kind]), []
    for limit in (Tally.LARGE_ANSWER, 1):
        monkeypatch.setattr(Tally, "LARGE_ANSWER", limit)
        tally = Tally(task)
        for seed, samples in enumerate((4, 4, 3)):
            answers, targets = batch(TARGETS[kind], samples, seed)
            tally.add(task.loss(answers, targets), answers, targets)
        assert bool(tally._answers) == (limit > 1)
        sums.append(tally.sums())
        assert tally.sums() == sums[-1]
    assert sums[0].numbers == pytest.approx(sums[1].numbers)
    assert sums[0].samples == sums[0].weight == 11


@pytest.mark.parametrize("kind", [STEPS, PLACES])
@pytest.mark.parametrize("large", [False, True])
def test_ignored_places_count_nowhere_and_all_others_the_same(
    kind: str, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts of very different lengths, in batches of different sizes: as if all their words stood in one row."""
    task, tally = task_of(TARGETS[kind]), Tally(task_of(TARGETS[kind]))
    monkeypatch.setattr(Tally, "LARGE_ANSWER", 1 if large else Tally.LARGE_ANSWER)
    losses, rights = [], []
    for seed, lengths in enumerate(((7, 1, 2), (1, 1), (5, 6, 7, 2))):
        answers, targets = batch(TARGETS[kind], len(lengths), seed)
        for row, length in zip(targets.flatten(1), lengths, strict=True):
            row[length:] = IGNORED
        loss = task.loss(answers, targets)
        tally.add(loss, answers, targets)
        rows = (answers if kind == STEPS else answers.permute(0, 2, 3, 1)).reshape(-1, len(NAMES))
        real = targets.reshape(-1) != IGNORED
        picked = rows.log_softmax(1)[real, targets.reshape(-1)[real]]
        torch.testing.assert_close(loss, -picked.mean())
        losses += (-picked).tolist()
        rights += (rows.argmax(1)[real] == targets.reshape(-1)[real]).tolist()
    sums = tally.sums()
    assert sums.samples == 9
    assert sums.mean_loss == pytest.approx(sum(losses) / 32, rel=1e-5)
    assert sums.mean_score == pytest.approx(sum(rights) / 32, rel=1e-5)
