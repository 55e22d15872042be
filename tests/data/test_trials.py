"""What a person sees of transforms is what training does."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from studio.data import DataChoice, DataError, Source
from studio.data import registry as sources
from studio.data.base import DataSpec, Samples, Target
from studio.data.batches import Batches
from studio.data.dataset import prepare
from studio.data.transforms import Transform
from studio.data.transforms import registry as transforms
from studio.data.transforms.augmentation import Augmentation
from studio.data.trials import HIDDEN, MOVED, samples_to_try
from studio.tensors import TensorSpec

SEED = 3


class Made(Source):
    """Numbers over time, as a series or as a sound."""

    kind: ClassVar[str] = "made"
    title: ClassVar[str] = "Made up"
    group: ClassVar[str] = "Test"
    about: ClassVar[str] = "Nothing real."
    axes: str = "TD"

    @property
    def spec(self) -> DataSpec:
        dims = (40, 2) if self.axes == "TD" else (2, 40)
        return DataSpec((TensorSpec(dims, self.axes),), Target("classification", ("a", "b")))

    def load(self, folder: Path | None = None) -> Samples:
        values = np.random.default_rng(0).normal(size=(60, *self.spec.inputs[0].dims)).astype(np.float32)
        return Samples((values,), np.arange(60) % 2)


def made(*kinds: str) -> tuple[Transform, ...]:
    return tuple(transforms.get(kind)() for kind in kinds)


def texts(folder: Path) -> Source:
    lines = [f"{'good' if i % 2 else 'bad'},the film number {i} was a long and {'good' if i % 2 else 'bad'} one"
             for i in range(60)]  # fmt: skip
    (folder / "films.csv").write_text("mood,text\n" + "\n".join(lines), encoding="utf-8")
    source: Any = sources.get("text-files")
    return source(path=str(folder / "films.csv"), max_length=20)


def in_training(choice: DataChoice, number: int, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
    """What a network gets of a sample in an epoch of a run, and its target."""
    dataset = prepare(choice)
    rows = dataset.splits["train"]
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(SEED))
    place = rows[order].tolist().index(number)
    batches = Batches(dataset, "train", 16, torch.device("cpu"))
    found = list(batches.epoch(torch.Generator().manual_seed(SEED), epoch))
    inputs, targets = torch.cat([given[0] for given, _ in found]), torch.cat([target for _, target in found])
    return inputs[place : place + 1], targets[place : place + 1]


CASES = {
    "digits": ("rotation", "flip_horizontally", "pixel_noise"),
    "shapes": ("crop", "colour", "flip_vertically"),
    "wine": ("table_noise",),
    "series": ("series_noise", "series_scale"),
    "sounds": ("gain", "sound_shift", "sound_noise"),
    "texts": ("token_dropout", "token_swap"),
}


@pytest.mark.parametrize("data", list(CASES))
def test_a_trial_is_what_the_batches_of_that_epoch_give(data: str, tmp_path: Path) -> None:
    made_up = {"series": lambda: Made(), "sounds": lambda: Made(axes="CT"), "texts": lambda: texts(tmp_path)}
    source = made_up[data]() if data in made_up else sources.get(data)()
    choice = DataChoice(source=source, transforms=made(*CASES[data]))
    trials = samples_to_try(choice)
    for place, epoch in ((0, 1), (5, 2)):
        given = trials.given(place, Augmentation(choice.transforms, SEED, epoch))
        number = trials.trial(place, choice.transforms, SEED, [epoch]).number
        inputs, targets = in_training(choice, number, epoch)
        assert torch.allclose(given.input.float(), inputs.float(), atol=1e-5)
        if given.places is not None:
            assert torch.equal(given.places, targets)
    assert not torch.equal(given.input, trials.given(place, Augmentation((), SEED, epoch)).input)
    assert (given.places is not None) == (data == "shapes")


def test_pictures_and_their_masks_in_the_shades_of_the_data() -> None:
    choice = DataChoice(source=sources.get("shapes")())
    flip = transforms.get("flip_horizontally")(chance=1.0)
    trial = samples_to_try(choice).trial(2, (flip,), SEED, (1, 2))
    stored = prepare(choice)
    assert np.array_equal(trial.before.picture, stored.inputs[0][trial.number].permute(1, 2, 0).expand(-1, -1, 3))
    assert np.array_equal(trial.before.mask, stored.targets[trial.number])
    assert len(trial.after) == 2
    for shown in trial.after:
        assert np.array_equal(shown.picture, trial.before.picture[:, ::-1])
        assert np.array_equal(shown.mask, trial.before.mask[:, ::-1])


def test_pictures_of_few_shades_are_spread_alike() -> None:
    jitter = transforms.get("colour")(brightness=0.9, contrast=0.0, saturation=0.0)
    trial = samples_to_try(DataChoice(source=sources.get("digits")())).trial(0, (jitter,), SEED, range(1, 7))
    brightest = [int(shown.picture.max()) for shown in (trial.before, *trial.after)]
    assert max(brightest) == 255
    assert len(set(brightest)) > 3


def test_numbers_are_in_the_units_of_the_data() -> None:
    choice = DataChoice(source=sources.get("wine")())
    trial = samples_to_try(choice).trial(1, made("table_noise"), SEED, (1,))
    stored = prepare(choice).inputs[0][trial.number].tolist()
    assert [float(text) for _, text in trial.before.cells] == pytest.approx(stored, rel=1e-3)
    assert trial.after[0].cells != trial.before.cells
    assert trial.answer.startswith("class_")


def test_hidden_and_moved_words_are_marked(tmp_path: Path) -> None:
    trials = samples_to_try(DataChoice(source=texts(tmp_path)))
    hide, swap = transforms.get("token_dropout")(share=0.5), transforms.get("token_swap")(share=0.5)
    before = trials.trial(0, (hide,), SEED, (1,)).before
    words = [word for word, _ in before.tags]
    assert words[:3] == ["the", "film", "number"]
    assert {mark for _, mark in before.tags} == {""}
    (hidden,) = trials.trial(0, (hide,), SEED, (1,)).after
    assert {word for word, mark in hidden.tags if mark == HIDDEN} == {"[UNK]"}
    assert [word for word, mark in hidden.tags if not mark] == [
        word for word, (_, mark) in zip(words, hidden.tags, strict=True) if not mark
    ]
    (swapped,) = trials.trial(0, (swap,), SEED, (1,)).after
    assert sorted(word for word, _ in swapped.tags) == sorted(words)
    assert {mark for _, mark in swapped.tags} == {"", MOVED}


def test_series_and_sounds_are_lines_over_time() -> None:
    for source, kind in ((Made(), "series_noise"), (Made(axes="CT"), "gain")):
        trial = samples_to_try(DataChoice(source=source)).trial(0, made(kind), SEED, (1,))
        assert trial.before.series is not None
        assert trial.before.series.shape == trial.after[0].series.shape == (40, 2)


def test_what_cannot_be_used_is_refused_and_samples_come_round() -> None:
    trials = samples_to_try(DataChoice(source=sources.get("iris")(), transforms=made("flip_vertically")))
    assert trials.trial(len(trials), (), SEED, (1,)).number == trials.trial(0, (), SEED, (1,)).number
    with pytest.raises(DataError, match="Flip up and down is for pictures"):
        trials.trial(0, made("flip_vertically"), SEED, (1,))
