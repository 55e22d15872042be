"""What is checked and shown beside explanations: random weights, giving up, feature maps, filters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor, nn

from studio.evaluation.explain.explained import Question, explain
from studio.evaluation.explain.insides import blocks_of, feature_maps, filtering_layers, filters
from studio.evaluation.explain.methods import Method, registry
from studio.evaluation.explain.sanity import rank_correlation, sanity_check
from studio.evaluation.explain.subject import Subject, prepared, subject_of
from studio.evaluation.trained import Trained


class Edges(Method):
    """A method that looks at the sample alone."""

    title = "Edges"

    def attribute(self, subject: Subject, layer: nn.Module | None) -> tuple[Tensor, float | None]:
        return subject.points[0].diff(dim=2, append=subject.points[0, :, :, -1:]), None


def test_a_method_that_looks_at_the_sample_alone_is_called_out(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("picture")
    found = sanity_check(trained, Question(4), Edges())
    assert found.suspicious
    assert [stage.correlation for stage in found.stages] == pytest.approx([1.0] * 3)
    assert "hardly changes" in found.verdict


def test_what_was_learned_is_forgotten_from_the_end_to_the_start(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("vit")
    before = {name: value.clone() for name, value in trained.model.state_dict().items()}
    steps: list[tuple[int, int]] = []
    method = registry.get("saliency")()
    found = sanity_check(trained, Question(4), method, step=lambda *step: steps.append(step))
    layers = [stage.layer for stage in found.stages]
    assert layers == ["", "dense_1", "self_attention_2", "self_attention_1", "conv2d_1"]
    assert steps == [(number, 4) for number in range(4)]
    assert not found.suspicious
    assert all(torch.equal(value, before[name]) for name, value in trained.model.state_dict().items())
    values = [stage.explained.values.ravel() for stage in found.stages]
    for stage, each in zip(found.stages, values, strict=True):
        assert stage.correlation == pytest.approx(float(spearmanr(each, values[0]).statistic))
        assert stage.explained.question.target == found.stages[0].explained.question.target
    again = sanity_check(trained, Question(4), method)
    assert [stage.correlation for stage in again.stages] == [stage.correlation for stage in found.stages]


def test_ranks_of_a_few_parts_are_not_believed(trained_on: Callable[[str], Trained]) -> None:
    found = sanity_check(trained_on("numbers"), Question(4), registry.get("integrated-gradients")(steps=2))
    assert found.parts == 4
    assert not found.suspicious
    assert "only 4 parts" in found.verdict


def test_ranks_without_any_difference_are_unlike_all_others() -> None:
    assert rank_correlation(np.ones(5), np.arange(5)) == 0.0


@pytest.mark.parametrize("kind", [method.kind for method in registry])
def test_any_method_is_given_up_between_two_layers(trained_on: Callable[[str], Trained], kind: str) -> None:
    trained = trained_on("vit")
    told: list[int] = []

    def give_up(asked: int) -> None:
        told.append(asked)
        if len(told) == 3:  # layers; there are four in a pass
            raise KeyboardInterrupt

    layer = trained.model.get_submodule("conv2d_1")
    with pytest.raises(KeyboardInterrupt):
        registry.get(kind)().explain(subject_of(trained, 2), layer, watch=give_up)
    assert told[0] == told[2] > 0
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in trained.model.modules())


def test_feature_maps_are_those_of_the_trained_weights(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("picture")
    names = {name: path for path, name in blocks_of(trained).items()}
    inside = feature_maps(trained, 9, names["conv2d_1"])
    with torch.no_grad():
        maps = trained.model.get_submodule("conv2d_1")(*prepared(trained, 9))[0]
    assert (inside.of, inside.picture.caption) == ("conv2d_1", "3 feature maps")
    assert (inside.picture.low, inside.picture.high) == pytest.approx((float(maps.min()), float(maps.max())))
    other = feature_maps(trained, 10, names["conv2d_1"])
    assert not np.array_equal(inside.picture.pixels, other.picture.pixels)


def test_filters_are_the_weights_and_in_colours_for_three_channels(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("picture")
    assert filtering_layers(trained.model) == ["conv2d_1"]
    shown = filters(trained, "conv2d_1").picture
    weights = trained.model.get_submodule("conv2d_1").weight
    assert shown.pixels.shape == (7, 7)  # 3 filters of 3 × 3, two beside each other
    assert (shown.low, shown.high) == pytest.approx((float(weights.min()), float(weights.max())))
    coloured = replace(trained, model=nn.Sequential(nn.Conv2d(3, 4, 2)))
    with torch.no_grad():
        coloured.model[0].weight.zero_()[0, 2] = 0.5
    pixels = filters(coloured, "0").picture.pixels
    assert pixels[0, 0].tolist() == [128, 128, 255]
    assert pixels[0, 3].tolist() == [128, 128, 128]


def test_one_place_of_an_answer_is_explained(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("next-token")
    row = int(trained.dataset.splits["test"][0])
    with torch.no_grad():
        answers = trained.model(*prepared(trained, row))[0]
    place = 3
    found = explain(trained, Question(row, place=place), registry.get("saliency")())
    assert found.question.target == int(answers[place].argmax())
    assert found.score == pytest.approx(float(answers[place].max()), abs=1e-5)
    assert np.abs(found.values[: place + 1]).min() > 0
    assert np.abs(found.values[place + 1 :]).max() == 0  # what comes later cannot have a part in it
    pixel = explain(trained_on("autoencoder"), Question(3, place=11), registry.get("saliency")())
    with torch.no_grad():
        answers = trained_on("autoencoder").model(*prepared(trained_on("autoencoder"), 3))
    assert pixel.score == pytest.approx(float(answers.flatten()[11]), abs=1e-5)


def test_numbers_are_told_in_their_own_units(trained_on: Callable[[str], Trained]) -> None:
    trained = trained_on("columns")
    found = explain(trained, Question(2), registry.get("integrated-gradients")(steps=200))
    with torch.no_grad():
        answers = [trained.model(x) for x in (prepared(trained, 2)[0], torch.zeros_like(prepared(trained, 2)[0]))]
    scaling = trained.dataset.answers
    told, empty = (float(answer) / scaling.scale[0] + scaling.shift[0] for answer in answers)
    assert found.score == pytest.approx(told, rel=1e-5)
    assert float(found.values.sum()) == pytest.approx(told - empty, rel=0.02)
