"""What transforms make of a few samples in training, to look at.

Axis letters: C channels, H W space, T steps, D features, L tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.answers import target_text
from studio.data.base import DataError, DataSpec, Progress
from studio.data.choice import DataChoice
from studio.data.dataset import Dataset, prepare
from studio.data.examples import COUNT
from studio.data.listing import MOST_CELLS, Shown
from studio.data.scaling import Scaling
from studio.data.texts.tokens import PADDING, UNKNOWN, Tokenization
from studio.data.transforms import Transform
from studio.data.transforms.augmentation import Augmentation
from studio.data.transforms.base import unusable

if TYPE_CHECKING:
    import torch

HIDDEN, MOVED = "hidden", "moved"  # what the tags of a token tell
MOST_TOKENS = 40
_MOST_CHANNELS = 6
_FEWEST_SHADES = 32  # fewer are spread: digits have 16


@dataclass(frozen=True, eq=False)
class Trial:
    """A sample as it is, and as training gets it, in the units of the data.

    All have the same of `picture` with `mask`, `series` (channels of a sound, too), `cells` or `tags`; tags are HIDDEN
    or MOVED where the token is another one than before, and empty elsewhere.

    Args:
        number: of the sample in the dataset, from 0.
        answer: what is to be predicted, in words.
        before: without transforms.
        after: in the epochs, in their order.
    """

    number: int
    answer: str
    before: Shown
    after: tuple[Shown, ...]


@dataclass(frozen=True, eq=False)
class Given:
    """What a network gets of one sample.

    Args:
        input: the first one (1, *dims), scaled.
        places: the classes of its pixels (1, H, W), where these are to be predicted.
    """

    input: torch.Tensor
    places: torch.Tensor | None


class Trials:
    """At most COUNT samples of the training split, always the same ones, in a mixed order; without all the others.

    Args:
        dataset: what `prepare` gave.
    """

    def __init__(self, dataset: Dataset) -> None:
        import torch

        rows = dataset.splits["train"]
        # A generator of its own: a run in another thread draws from the global one.
        rows = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:COUNT]]
        self._numbers = rows
        self._spec, self._scaling, known = dataset.spec, dataset.scalings[0], dataset.learned[0]
        self._tokens = known if isinstance(known, Tokenization) else None
        self._inputs, self._targets = dataset.inputs[0][rows], dataset.targets[rows]

    def __len__(self) -> int:
        return len(self._numbers)

    def given(self, place: int, change: Augmentation) -> Given:
        """What a network gets of a sample in the epoch of `change`; as `Batches` gives it.

        Args:
            place: of the sample among these, from 0.
            change: what is done to it; without transforms, it stays as it is.
        """
        one = slice(place, place + 1)
        x = change.before_scaling(self._inputs[one], self._numbers[one])
        x = change.after_scaling(self._scaling.apply(x), self._numbers[one])
        target = self._spec.target
        if target.task != "classification" or len(target.dims) != 2:
            return Given(x, None)
        return Given(x, change.of_places(self._targets[one].long(), self._numbers[one]))

    def trial(self, place: int, transforms: Sequence[Transform], seed: int, epochs: Sequence[int]) -> Trial:
        """What training makes of a sample.

        Args:
            place: of the sample among these, from 0; it comes round after the last.
            transforms: in the order in which they are applied.
            seed: of the training.
            epochs: from 1.

        Raises:
            DataError: if a transform cannot be used on the data.
        """
        if reason := unusable(transforms, self._spec.inputs):
            raise DataError(reason)
        place %= len(self)
        before = self.given(place, Augmentation((), seed, 1))
        after = [self.given(place, Augmentation(tuple(transforms), seed, epoch)) for epoch in epochs]
        target, number = self._spec.target, int(self._numbers[place])
        shown = self._shown(before, after, spread=self._is_spread(place))
        return Trial(number, target_text(target, target.names, self._targets[place].numpy()), shown[0], shown[1:])

    def _is_spread(self, place: int) -> bool:
        """Whether the shades of a picture are others than those from 0 to 255."""
        picture = self._inputs[place]
        return picture.is_floating_point() or int(picture.max()) < _FEWEST_SHADES

    def _shown(self, before: Given, after: list[Given], *, spread: bool) -> tuple[Shown, ...]:
        axes = self._spec.inputs[0].axes
        values = [_unscaled(self._scaling, given.input)[0] for given in (before, *after)]
        if axes == "CHW":
            places = [given.places for given in (before, *after)]
            masks = [None if classes is None else classes[0].numpy() for classes in places]
            pictures = _pictures(values, spread=spread)
            return tuple(replace(one, mask=mask) for one, mask in zip(pictures, masks, strict=True))
        if self._spec.inputs[0].dtype == "int":
            return _texts(values, self._names)
        if axes == "CT" or (axes.startswith("T") and values[0].ndim > 1):
            steps = [x.T if axes == "CT" else x.flatten(1) for x in values]
            return tuple(Shown("", series=x[:, :_MOST_CHANNELS].numpy()) for x in steps)
        return _cells(values, self._spec)

    def _names(self, numbers: list[int]) -> list[str]:
        if self._tokens is not None:
            return _token_names(self._tokens, numbers)
        characters = self._spec.characters
        return [characters[number] if number < len(characters) else f"{number}" for number in numbers]


def samples_to_try(choice: DataChoice, folder: Path | None = None, progress: Progress | None = None) -> Trials:
    """Load, and keep a few samples; the transforms of the choice do not matter.

    Args:
        choice: which data, and how it is divided and scaled.
        folder: where the person keeps the files; None for the studio's own cache folder.
        progress: as in `prepare`.

    Raises:
        MissingDataError: if the files are not there.
        DataError: if a file is broken, or there are too few samples.
    """
    return Trials(prepare(replace(choice, transforms=()), folder, progress))


def _unscaled(scaling: Scaling, x: torch.Tensor) -> torch.Tensor:
    """What was scaled (1, *dims), in the units of the data."""
    import torch

    if not scaling.shift:
        return x
    shift, scale = (torch.tensor(numbers).view(scaling.along(x.ndim)) for numbers in (scaling.shift, scaling.scale))
    return x / scale + shift


def _pictures(values: list[torch.Tensor], *, spread: bool) -> tuple[Shown, ...]:
    """Pictures (C, H, W) in the same shades, so that they can be compared; without colours, the first channel."""
    import torch

    stacked = torch.stack([x if len(x) == 3 else x[:1].expand(3, -1, -1) for x in values])
    low, high = (float(stacked.min()), float(stacked.max())) if spread else (0.0, 255.0)
    shades = ((stacked - low) * (255.0 / max(high - low, 1e-12))).round().clamp(0, 255).to(torch.uint8)
    return tuple(Shown("", picture=x.permute(1, 2, 0).contiguous().numpy()) for x in shades)


def _cells(values: list[torch.Tensor], spec: DataSpec) -> tuple[Shown, ...]:
    flat = [x.reshape(-1)[:MOST_CELLS].tolist() for x in values]
    known = spec.features if len(spec.features) == values[0].numel() else ()
    names = known or tuple(f"x{number}" for number in range(1, len(flat[0]) + 1))
    rows = ([f"{x:.4g}" for x in row] for row in flat)
    return tuple(Shown("", cells=tuple(zip(names, row, strict=False))) for row in rows)


def _texts(values: list[torch.Tensor], names: Callable[[list[int]], list[str]]) -> tuple[Shown, ...]:
    first: list[int] = values[0].reshape(-1)[:MOST_TOKENS].tolist()
    rows: list[list[int]] = [x.reshape(-1)[:MOST_TOKENS].tolist() for x in values]
    return tuple(Shown("", tags=tuple(zip(names(row), _marks(first, row), strict=False))) for row in rows)


def _marks(before: list[int], after: list[int]) -> list[str]:
    pairs = zip(before, after, strict=True)
    return ["" if old == new else HIDDEN if new == UNKNOWN else MOVED for old, new in pairs]


def _token_names(tokens: Tokenization, numbers: list[int]) -> list[str]:
    """One for each number but padding, which stands at the end."""
    return tokens.tokens([number for number in numbers if number != PADDING])
