"""What each feature is worth for the answers to a whole split: what is lost when its values are shuffled.

Axis letters: N samples, D features, C channels, T steps, K classes, labels or numbers, P points of a curve.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from studio.data.series.rules import listed
from studio.data.series.sources import Series
from studio.data.tables.categories import Categories
from studio.data.tables.features import CHOICES, NUMBER, ORDERED, SWITCH, Columns
from studio.evaluation.trained import Trained
from studio.training.errors import TrainingError
from studio.training.tasks import CLASSES, LABELS, NUMBERS, kind_of

Progress = Callable[[int, int], None]  # parts done, and of how many; may raise to cancel

MOST_ROWS = 10_000  # samples that are asked about; of more, so many at equal distances
MOST_NUMBERS = 100_000_000  # of their inputs, which are all kept in memory
MOST_FEATURES = 500
MOST_CURVE_ROWS = 500
LOSS = "loss"
_BATCH = 1_024


@dataclass(frozen=True)
class Feature:
    """What is shuffled as a whole: a column of a table, a named number, or a channel of a series.

    Args:
        name: for people.
        which: the number of the Input that it is in.
        places: its features there, or its channel.
        channels: whether the places are on the axis of channels, for all steps at once.
        choices: of a column of categories, their names in the order of its places, or of its tokens.
        first: of a column that became tokens, the first one of them.
        is_number: whether its first place is a number that stands for all of it; behind it may stand whether it is
            missing.
    """

    name: str
    which: int
    places: tuple[int, ...]
    choices: tuple[str, ...] = ()
    first: int | None = None
    is_number: bool = True


@dataclass(frozen=True)
class Importance:
    """What one feature is worth.

    Args:
        feature: which one.
        drops: by how much the score became worse, once for each time it was shuffled.
    """

    feature: Feature
    drops: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over all times."""
        return float(np.mean(self.drops))

    @property
    def spread(self) -> float:
        """Their standard deviation."""
        return float(np.std(self.drops))


@dataclass(frozen=True)
class Importances:
    """What all features are worth, the most important first.

    Args:
        score: name of the score.
        before: its value with nothing shuffled.
        split, samples: what it was measured on.
    """

    score: str
    before: float
    split: str
    samples: int
    found: tuple[Importance, ...]


def scores_of(trained: Trained) -> tuple[str, ...]:
    """The scores that can be asked for: the usual one for such answers, and the loss."""
    return trained.task.metric, LOSS


def features_of(trained: Trained) -> tuple[Feature, ...]:
    """What can be shuffled: columns, numbers and channels, none of pictures and texts."""
    given = enumerate(trained.dataset.spec.inputs)
    return tuple(feature for which, tensor in given for feature in _features(trained, which, tensor.axes, tensor.dims))


def _features(trained: Trained, which: int, axes: str, dims: tuple[int, ...]) -> list[Feature]:
    learned, spec = trained.dataset.learned[which], trained.dataset.spec
    several = len(spec.inputs) > 1
    if axes == "D" and isinstance(learned, Columns | Categories):
        return _columns(learned, which)
    if axes == "D" and len(spec.features) == dims[0]:
        names: Sequence[str] = spec.features
    elif axes == "D" and spec.inputs[which].dtype == "float":
        names = [f"x{number + 1}" for number in range(dims[0])]
    elif axes in ("TD", "CT"):
        names = _channels(trained, dims[1] if axes == "TD" else dims[0])
    else:
        return []
    name_of = (lambda name: f"{trained.plan.inputs[which][0]}: {name}") if several else str
    return [Feature(name_of(name), which, (number,)) for number, name in enumerate(names)]


def _channels(trained: Trained, count: int) -> list[str]:
    """Names of the channels of a series, as far as its settings name them."""
    source = trained.project.data.source
    names = list(listed(source.inputs)) if isinstance(source, Series) else []
    return [*names, *(f"channel {number + 1}" for number in range(len(names), count))][:count]


def _columns(learned: Columns | Categories, which: int) -> list[Feature]:
    """The columns of a table: one has as many places as it became features, or a single one with its token."""
    found, place = [], 0
    for number, code in enumerate(learned.codes):
        choices = code.features if code.kind == CHOICES else ()
        short = tuple(name.removeprefix(f"{code.name} = ") for name in choices)
        if isinstance(learned, Categories):
            found.append(Feature(code.name, which, (number,), short, learned.firsts[number]))
        else:
            size = len(code.features)
            amount = code.kind in (NUMBER, ORDERED, SWITCH)
            found.append(Feature(code.name, which, tuple(range(place, place + size)), short, is_number=amount))
            place += size
    return found


def permutation_importance(
    trained: Trained, split: str, score: str = "", repeats: int = 5, seed: int = 0, progress: Progress | None = None
) -> Importances:
    """Shuffle the values of one feature among the samples, and see how much worse the answers become.

    Features that say the same stand in for each other, so each of them may look worthless.

    Args:
        split: "train", "validation" or "test".
        score: one of `scores_of`; empty for the first.
        repeats: how often each feature is shuffled, at least 1.
        seed: the same one shuffles in the same way.

    Raises:
        TrainingError: if there is nothing to shuffle, or too much.

    Source: Breiman, "Random forests", 2001; Fisher, Rudin and Dominici, "All models are wrong, but many are useful",
    2019. Shuffled as scikit-learn does it.
    """
    features = features_of(trained)
    if not features:
        raise TrainingError(
            "The network gets no features that could be shuffled: only tables, numbers and series have."
        )
    if len(features) > MOST_FEATURES:
        raise TrainingError(
            f"There are {len(features):,} features; at most {MOST_FEATURES} can be shuffled one by one."
        )
    asked = _Asked(trained, split, MOST_ROWS)
    name = score or scores_of(trained)[0]
    total = 1 + len(features) * repeats
    tell = progress or (lambda _done, _total: None)
    before = asked.score(name, asked.inputs, lambda: tell(0, total))
    draws = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    state, found = draws.get_state(), []
    for number, feature in enumerate(features):
        draws.set_state(state)  # every feature is shuffled in the same way
        drops: list[float] = []
        for inputs in _shuffled(asked.inputs, feature, trained, draws, repeats):
            done = 1 + number * repeats + len(drops)
            after = asked.score(name, inputs, lambda done=done: tell(done, total))  # type: ignore[misc]
            drops.append(before - after if name == "accuracy" else after - before)
        found.append(Importance(feature, tuple(drops)))
    tell(total, total)
    found.sort(key=lambda each: -each.mean)
    return Importances(name, before, split, len(asked.targets), tuple(found))


def _shuffled(
    inputs: list[Tensor], feature: Feature, trained: Trained, draws: np.random.RandomState, repeats: int
) -> Iterator[list[Tensor]]:
    """The inputs with one feature shuffled, again and again; each time what was shuffled before."""
    order = np.arange(len(inputs[0]))
    changed = list(inputs)
    changed[feature.which] = values = inputs[feature.which].clone()
    axis, places = _axis(trained, feature.which), torch.tensor(feature.places, device=values.device)
    for _ in range(repeats):
        draws.shuffle(order)
        mixed = values.index_select(axis, places)[torch.from_numpy(order).to(values.device)]
        values.index_copy_(axis, places, mixed)
        yield changed


def _axis(trained: Trained, which: int) -> int:
    """The axis of features or channels in a batch."""
    return 2 if trained.dataset.spec.inputs[which].axes == "TD" else 1


class _Asked:
    """Some samples of a split, and what the network answers to them.

    Args:
        most: samples; of more, so many at equal distances.
    """

    def __init__(self, trained: Trained, split: str, most: int) -> None:
        self.trained = trained
        rows = trained.dataset.splits[split]
        most = max(1, min(most, MOST_NUMBERS // sum(values[0].numel() for values in trained.dataset.inputs)))
        if len(rows) > most:
            rows = rows[torch.linspace(0, len(rows) - 1, most).round().long()]
        pairs = zip(trained.dataset.input_rows(), trained.dataset.inputs, trained.dataset.scalings, strict=True)
        self.raw = [values.take(rows).view(-1, *tensor.shape[1:]) for values, tensor, _ in pairs]
        self.inputs = [
            scaling.apply(raw).to(trained.device)
            for raw, scaling in zip(self.raw, trained.dataset.scalings, strict=True)
        ]
        self.targets = trained.dataset.wanted(rows).to(trained.device)

    def answers(self, inputs: list[Tensor], check: Callable[[], None]) -> Tensor:
        """What the network says to all of them (N, *)."""
        found = []
        for start in range(0, len(inputs[0]), _BATCH):
            check()
            with torch.inference_mode():
                found.append(self.trained.model(*(values[start : start + _BATCH] for values in inputs)))
        return torch.cat(found)

    def score(self, name: str, inputs: list[Tensor], check: Callable[[], None]) -> float:
        """The score over all of them."""
        task, answers = self.trained.task, self.answers(inputs, check).float()
        weight = float(task.weight(self.targets)) if task.weight is not None else len(self.targets)
        if name == LOSS:
            return float(task.loss(answers, self.targets))
        return float(task.score(answers, self.targets).double()) / max(weight, 1e-12)


@dataclass(frozen=True, eq=False)
class Dependence:
    """What the network answers on average when a feature has the same value in all samples.

    Args:
        feature: which one.
        labels: the categories, in the order of `points`; none for a number.
        points: the values (P,) in the feature's own units, or 0, 1, 2, ... for categories.
        means: probabilities of classes or labels, or numbers in their own units (P, K).
        low, high: the tenth and the ninetieth percentile over the samples (P, K).
        names: of the K.
    """

    feature: Feature
    labels: tuple[str, ...]
    points: np.ndarray
    means: np.ndarray
    low: np.ndarray
    high: np.ndarray
    names: tuple[str, ...]


def has_dependence(trained: Trained, feature: Feature) -> bool:
    """Whether a curve can be drawn: of a single number, and of categories, where a sample has one answer."""
    target = trained.dataset.spec.target
    whole = kind_of(target) in (CLASSES, LABELS) or (kind_of(target) == NUMBERS and not target.dims)
    single = trained.dataset.spec.inputs[feature.which].axes == "D"
    return whole and single and (bool(feature.choices) or feature.is_number)


def partial_dependence(
    trained: Trained, split: str, feature: Feature, points: int = 25, progress: Progress | None = None
) -> Dependence:
    """Give all samples the same value of a feature, for many values one after the other.

    Values that never go together in the data are put together, too, so do not read much into it where features depend
    on each other.

    Args:
        split: "train", "validation" or "test".
        points: of the curve of a number, from its 2nd to its 98th percentile.

    Raises:
        TrainingError: if no curve can be drawn of it, see `has_dependence`.

    Source: Friedman, "Greedy function approximation: A gradient boosting machine", 2001.
    """
    if not has_dependence(trained, feature):
        raise TrainingError(f"“{feature.name}” is no single number and no category, so there is no curve of it.")
    asked = _Asked(trained, split, MOST_CURVE_ROWS)
    which, places, tell = feature.which, feature.places, progress or (lambda _done, _total: None)
    known = asked.raw[which][:, places[0]].double().numpy()
    grid = np.arange(len(feature.choices)) if feature.choices else _grid(known, points)
    rows = []
    for number, value in enumerate(grid.tolist()):
        raw = asked.raw[which].clone()
        _set(raw, feature, places, value)
        inputs = list(asked.inputs)
        inputs[which] = trained.dataset.scalings[which].apply(raw).to(trained.device)
        answers = asked.answers(inputs, lambda number=number: tell(number, len(grid)))  # type: ignore[misc]
        rows.append(_told(trained, answers.float()).double().cpu().numpy())
    told = np.stack(rows)
    low, high = np.quantile(told, (0.1, 0.9), axis=1)
    names = trained.dataset.spec.target.names
    return Dependence(feature, feature.choices, grid.astype(np.float64), told.mean(1), low, high, names)


def _grid(values: np.ndarray, points: int) -> np.ndarray:
    different = np.unique(values)
    if len(different) <= points:
        return different
    low, high = np.quantile(values, (0.02, 0.98)).tolist()
    return np.linspace(low, high, points)


def _set(raw: Tensor, feature: Feature, places: tuple[int, ...], value: float) -> None:
    """Give all rows (N, D) a value, a feature of 0 and 1, or a token."""
    if feature.first is not None:
        raw[:, places[0]] = feature.first + int(value)
        return
    raw[:, list(places)] = 0  # whether it is missing, too
    if feature.choices:
        raw[:, places[int(value)]] = 1
    else:
        raw[:, places[0]] = value


def _told(trained: Trained, answers: Tensor) -> Tensor:
    """Scores as probabilities, scaled numbers in their own units (N, K)."""
    kind, scaling = kind_of(trained.dataset.spec.target), trained.dataset.answers
    if kind != NUMBERS:
        return answers.softmax(1) if kind == CLASSES else answers.sigmoid()
    if not scaling.shift:
        return answers
    shape = scaling.along(answers.ndim)
    shift, scale = (torch.tensor(part, device=answers.device).view(shape) for part in (scaling.shift, scaling.scale))
    return answers / scale + shift
