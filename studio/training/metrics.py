"""Figures beside the loss and the score: measured from the answers that are there anyway, in one pass.

What is counted needs no memory that grows with the split: hits and counts of each class. Only the area under the ROC
curve wants all scores together; above MOST_SCORES numbers it is not told. The formulas are those of scikit-learn, which
the tests compare them with; a class that does not occur, neither wanted nor answered, counts in no mean.

Axis letters: N samples or places, K classes, labels or numbers, T steps, H W space.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from studio.data.base import IGNORED, Texts
from studio.data.dataset import Dataset
from studio.data.scaling import IDENTITY, Scaling
from studio.training.events import Metrics
from studio.training.tasks import CLASSES, LABELS, NUMBERS, PLACES, STEPS, kind_of

MOST_CONFUSED = 200  # classes of which each pair is counted; its square is the size of an event
MOST_SCORES = 4_000_000  # of all samples and classes together, for the area under the ROC curve
FEWEST_FOR_TOP5 = 6  # classes: among five of five the right one always is


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Args:
        kind: one of TASKS of studio.training.tasks.
        classes: how many there are; labels, or numbers to predict.
        next_token: whether the answer at each step is the token that follows.
        answers: how numbers to predict are scaled for the network.
        shares: of numbers, whether the softmax of the answers is meant.
        named: of numbers, whether each has a name, and so a unit of its own; else they are places of one thing.
    """

    kind: str
    classes: int
    next_token: bool = False
    answers: Scaling = IDENTITY
    named: bool = True
    shares: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The figures beside the loss that can be told, the score first."""
        if self.kind == NUMBERS:
            return ("mae", "rmse", "r2")
        if self.kind == LABELS:
            return ("accuracy", "f1", "auroc")
        if self.kind == PLACES:
            return ("accuracy", "iou", "dice")
        if self.kind == STEPS:
            return ("accuracy", "f1", *(("perplexity",) if self.next_token else ()))
        top5 = ("top5_accuracy",) if self.classes >= FEWEST_FOR_TOP5 else ()
        return ("accuracy", *top5, "balanced_accuracy", "f1", "auroc")

    @property
    def confused(self) -> bool:
        """Whether it is counted which class was taken for which."""
        return self.kind in (CLASSES, STEPS, PLACES) and self.classes <= MOST_CONFUSED


def subject_of(dataset: Dataset, *, shares: bool = False) -> Subject:
    """What is measured of a dataset.

    Args:
        shares: whether the softmax of the answers is what is compared with its numbers.
    """
    target = dataset.spec.target
    followed = bool(dataset.spec.characters) or any(isinstance(own, Texts) and own.followed for own in dataset.raw)
    return Subject(kind_of(target), target.size, followed, dataset.answers, not target.dims, shares)


class Meter:
    """Takes in the answers of a split, batch by batch, and tells its figures at the end.

    A batch only keeps its tensors; they are counted together at the end, or when they grow large.
    """

    MAX_KEPT_NUMBERS = 1_000_000

    def __init__(self, subject: Subject) -> None:
        self._counts: _Counts = _COUNTS[subject.kind](subject)
        self._answers: list[Tensor] = []
        self._targets: list[Tensor] = []
        self._kept = 0

    def add(self, answers: Tensor, targets: Tensor) -> None:
        """Take in a batch: answers and targets as the task's loss takes them."""
        self._answers.append(answers.detach())
        self._targets.append(targets)
        self._kept += answers.numel()
        if self._kept > self.MAX_KEPT_NUMBERS:
            self._count()

    @torch.no_grad()
    def _count(self) -> None:
        if self._answers:
            several = len(self._answers) > 1
            answers, targets = self._answers[0], self._targets[0]
            if several:
                answers, targets = torch.cat(self._answers), torch.cat(self._targets)
            self._counts.take(answers, targets)
        self._answers, self._targets, self._kept = [], [], 0

    def figures(self) -> Metrics:
        """All figures beside loss and score; one that is not defined, as with a single class, is left out."""
        self._count()
        return {name: value for name, value in self._counts.figures().items() if math.isfinite(value)}

    def confusion(self) -> tuple[int, ...]:
        """How often each class (row) was taken for each (column), row by row; empty if that is not counted."""
        self._count()
        matrix = self._counts.matrix
        return () if matrix is None else tuple(matrix.flatten().tolist())


class _Counts:
    """Base of what is counted of one kind of target."""

    matrix: Tensor | None = None  # (K, K) int64 on the CPU: class of the target, class of the answer

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    def take(self, answers: Tensor, targets: Tensor) -> None:
        """Take in some samples."""
        raise NotImplementedError

    def figures(self) -> Metrics:
        """The figures of all samples so far."""
        raise NotImplementedError


class _ClassCounts(_Counts):
    """Hits of each class: right ones, wanted ones and answered ones (K,)."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        classes = subject.classes
        if subject.confused:
            self.matrix = torch.zeros(classes, classes, dtype=torch.int64)
        self._right, self._wanted, self._answered = torch.zeros(3, classes, dtype=torch.int64)

    def _note(self, answered_N: Tensor, wanted_N: Tensor) -> None:
        classes = self.subject.classes
        if self.matrix is not None:
            pairs = torch.bincount(wanted_N * classes + answered_N, minlength=classes * classes)
            self.matrix += pairs.view(classes, classes).cpu()
            return
        hits_N = wanted_N[wanted_N == answered_N]
        for counts, classes_N in ((self._right, hits_N), (self._wanted, wanted_N), (self._answered, answered_N)):
            counts += torch.bincount(classes_N, minlength=classes).cpu()

    def _totals(self) -> tuple[Tensor, Tensor, Tensor]:
        """Right, wanted and answered ones of each class, in doubles."""
        if self.matrix is None:
            return self._right.double(), self._wanted.double(), self._answered.double()
        matrix = self.matrix.double()
        return matrix.diagonal(), matrix.sum(1), matrix.sum(0)

    def _f1(self) -> float:
        right_K, wanted_K, answered_K = self._totals()
        return _mean(2 * right_K / (wanted_K + answered_K))


class _OfSamples(_ClassCounts):
    """Answers (N, K) for classes of samples (N,)."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._among_five = self._samples = 0
        self._scores = _Scores()

    def take(self, answers: Tensor, targets: Tensor) -> None:
        self._note(answers.argmax(1), targets)
        self._samples += len(targets)
        if self.subject.classes >= FEWEST_FOR_TOP5:
            self._among_five += int((answers.topk(5, dim=1).indices == targets[:, None]).sum())
        self._scores.take(answers.float().softmax(1), targets)

    def figures(self) -> Metrics:
        right_K, wanted_K, _ = self._totals()
        top5 = self._among_five / (self._samples or 1)
        return {
            **({"top5_accuracy": top5} if self.subject.classes >= FEWEST_FOR_TOP5 else {}),
            "balanced_accuracy": _mean(right_K / wanted_K),
            "f1": self._f1(),
            "auroc": self._scores.area(),
        }


class _OfSteps(_ClassCounts):
    """Answers (N, T, K) for classes of steps (N, T)."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._surprise = 0.0
        self._steps = 0

    def take(self, answers: Tensor, targets: Tensor) -> None:
        real = targets != IGNORED
        answers_NK, targets_N = answers[real], targets[real]
        self._note(answers_NK.argmax(1), targets_N)
        if self.subject.next_token:
            self._surprise += float(functional.cross_entropy(answers_NK.float(), targets_N, reduction="sum"))
            self._steps += len(targets_N)

    def figures(self) -> Metrics:
        if not self.subject.next_token:
            return {"f1": self._f1()}
        return {"f1": self._f1(), "perplexity": math.exp(min(self._surprise / (self._steps or 1), 700.0))}


class _OfPlaces(_ClassCounts):
    """Answers (N, K, H, W) for classes of pixels (N, H, W)."""

    def take(self, answers: Tensor, targets: Tensor) -> None:
        real = targets != IGNORED
        self._note(answers.argmax(1)[real], targets[real])

    def figures(self) -> Metrics:
        right_K, wanted_K, answered_K = self._totals()
        return {"iou": _mean(right_K / (wanted_K + answered_K - right_K)), "dice": self._f1()}


class _OfLabels(_Counts):
    """Answers (N, K) for labels (N, K) of 0 and 1."""

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._right, self._both = torch.zeros(2, subject.classes, dtype=torch.float64)
        self._scores = _Scores()

    def take(self, answers: Tensor, targets: Tensor) -> None:
        answered_NK, wanted_NK = answers > 0, targets > 0.5
        self._right += (answered_NK & wanted_NK).sum(0).cpu()
        self._both += (answered_NK.sum(0) + wanted_NK.sum(0)).cpu()
        self._scores.take(answers.float(), wanted_NK)

    def figures(self) -> Metrics:
        return {"f1": _mean(2 * self._right / self._both), "auroc": self._scores.area()}


class _OfNumbers(_Counts):
    """Answers and targets (N, ...). Sums of squares in doubles, merged so that a far mean costs no digits.

    Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    def __init__(self, subject: Subject) -> None:
        super().__init__(subject)
        self._rows = 0
        self._errors = torch.zeros((), dtype=torch.float64)  # squared, of each of the K numbers
        self._spread = torch.zeros((), dtype=torch.float64)  # squared distances from the mean
        self._mean = torch.zeros((), dtype=torch.float64)

    def take(self, answers: Tensor, targets: Tensor) -> None:
        given = answers.float().softmax(1) if self.subject.shares else answers
        answered, wanted = self._columns(given), self._columns(targets)
        rows, mean = len(wanted), wanted.mean(0)
        step, total = mean - self._mean, self._rows + rows
        self._errors = self._errors + (answered - wanted).square_().sum(0)
        self._spread = self._spread + (wanted - mean).square_().sum(0) + step.square() * (self._rows * rows / total)
        self._mean = self._mean + step * (rows / total)
        self._rows = total

    def _columns(self, values: Tensor) -> Tensor:
        """The numbers in their own units, less their shift: (N, K) if they have names, else one column."""
        values = values.cpu().double()
        if scale := self.subject.answers.scale:
            values = values / torch.tensor(scale, dtype=torch.float64).view(1, -1, *[1] * (values.ndim - 2))
        return values if self.subject.named else values.reshape(-1, 1)

    def figures(self) -> Metrics:
        if not self._rows:
            return {}
        return {
            "rmse": math.sqrt(float((self._errors / self._rows).mean())),
            "r2": float(_explained(self._errors, self._spread).mean()),
        }


class _Scores:
    """The scores of all samples, for the area under the ROC curve; let go of when they become too many."""

    def __init__(self) -> None:
        self._scores: list[Tensor] = []
        self._wanted: list[Tensor] = []
        self._numbers = 0

    def take(self, scores_NK: Tensor, wanted: Tensor) -> None:
        """Take in some samples: their classes (N,), or whether each label is wanted (N, K)."""
        self._numbers += scores_NK.numel()
        if self._numbers > MOST_SCORES:
            self._scores, self._wanted = [], []
        else:
            self._scores.append(scores_NK.cpu())
            self._wanted.append(wanted.cpu())

    def area(self) -> float:
        """The mean over all classes, each against the rest; not a number if it is not defined or they are too many."""
        if not self._scores:
            return math.nan
        scores_NK, wanted = torch.cat(self._scores), torch.cat(self._wanted)
        if wanted.ndim == 1:
            wanted = functional.one_hot(wanted, scores_NK.shape[1]).bool()
        return _mean(areas(scores_NK, wanted))


def areas(scores_NK: Tensor, wanted_NK: Tensor) -> Tensor:
    """The area under the ROC curve of each class (K,), not a number where all samples or none are of it.

    It is the share of pairs of a sample that is of the class and one that is not, in which the first has the higher
    score; equal scores count half. That follows from the ranks of the scores.

    Source: Hanley and McNeil, "The meaning and use of the area under a ROC curve", 1982.
    """
    ordered_KN, order_KN = scores_NK.T.contiguous().sort(1)
    wanted_KN = wanted_NK.T.gather(1, order_KN)
    positives_K = wanted_KN.sum(1).double()
    negatives_K = len(scores_NK) - positives_K
    won_K = (_ranks(ordered_KN) * wanted_KN).sum(1) - positives_K * (positives_K + 1) / 2
    return won_K / (positives_K * negatives_K)


def _ranks(ordered_KN: Tensor) -> Tensor:
    """From 1 on, of equal scores their mean (K, N), double. Looking each one up would take three times as long."""
    count = ordered_KN.shape[1]
    places = torch.arange(count)
    ends_KN = torch.ones(ordered_KN.shape[0], count + 1, dtype=torch.bool)  # where one of equal scores begins or ended
    torch.ne(ordered_KN[:, 1:], ordered_KN[:, :-1], out=ends_KN[:, 1:-1])
    first_KN = torch.where(ends_KN[:, :-1], places, 0).cummax(1).values
    last_KN = torch.where(ends_KN[:, 1:], places, count).flip(1).cummin(1).values.flip(1)
    return (first_KN + last_KN).double() / 2 + 1


def _mean(shares_K: Tensor) -> float:
    """Over the classes for which it is defined."""
    return float(shares_K.nanmean())


def _explained(errors_K: Tensor, spread_K: Tensor) -> Tensor:
    """The share of the spread that the answers explain; of numbers that are all the same 1 or 0: hit, or not."""
    constant_K = spread_K == 0
    shares_K = 1 - errors_K / torch.where(constant_K, 1.0, spread_K)
    return torch.where(constant_K, (errors_K == 0).double(), shares_K)


_COUNTS: dict[str, type[_Counts]] = {
    CLASSES: _OfSamples, STEPS: _OfSteps, PLACES: _OfPlaces, LABELS: _OfLabels, NUMBERS: _OfNumbers,
}  # fmt: skip
