"""Explanations: those of Captum called by hand, sums that hold, tokens, and chance that disturbs nobody."""

from __future__ import annotations

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

from studio.data.recognize import recognize
from studio.evaluation.explain.methods import registry
from studio.evaluation.explain.subject import Subject, subject_of
from studio.evaluation.trained import Trained, open_trained
from studio.project.propose import propose_project
from studio.training.errors import TrainingError
from tests.evaluation.runs import trained_run


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder, _ = trained_run(tmp_path_factory.mktemp("digits") / "run", "digits-cnn", epochs=3)
    return open_trained(folder)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Sentences that are bad exactly where “awful” stands in them."""
    folder = tmp_path_factory.mktemp("texts")
    words, generator = ["a", "film", "plot", "actor", "scene", "music", "story"], np.random.default_rng(0)
    lines = []
    for number in range(300):
        some = list(generator.choice(words, 6))
        some[generator.integers(6)] = "awful" if number % 2 else "lovely"
        lines.append(f"{' '.join(some)},{'bad' if number % 2 else 'good'}")
    (folder / "films.csv").write_text("text,verdict\n" + "\n".join(lines) + "\n")
    source = recognize(folder / "films.csv")[0]
    run, told = trained_run(folder / "run", propose_project(source, source.look()), epochs=12)
    assert told["test"]["accuracy"] > 0.95
    return open_trained(run)


def conv(trained: Trained) -> nn.Module:
    return next(module for module in trained.model.modules() if isinstance(module, nn.Conv2d))


@pytest.mark.parametrize("kind", [method.kind for method in registry])
def test_every_method_explains_a_picture_and_repeats(digits: Trained, kind: str) -> None:
    method, subject = registry.get(kind)(), subject_of(digits, 7)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    first, second = (method.explain(subject, conv(digits), seed=3) for _ in range(2))
    assert torch.equal(first.values, second.values)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert first.values.shape == ((8, 8) if kind == "grad-cam" else (1, 8, 8))
    assert first.values.isfinite().all()
    assert first.values.abs().sum() > 0
    other = method.explain(subject_of(digits, 8), conv(digits), seed=3)
    assert not torch.equal(first.values, other.values)


def test_gradients_are_those_of_captum_by_hand(digits: Trained) -> None:
    subject = subject_of(digits, 7, target=4)
    wanted = captum.attr.Saliency(digits.model).attribute(subject.points.clone().requires_grad_(), target=4)
    assert torch.equal(registry.get("saliency")().explain(subject).values, wanted[0])
    wanted = captum.attr.IntegratedGradients(digits.model).attribute(
        subject.points, torch.zeros_like(subject.points), target=4, n_steps=64
    )
    found = registry.get("integrated-gradients")(steps=64).explain(subject)
    torch.testing.assert_close(found.values, wanted[0].float(), rtol=1e-4, atol=1e-5)
    wanted = captum.attr.LayerGradCam(digits.model, conv(digits)).attribute(
        subject.points.clone().requires_grad_(), target=4, relu_attributions=True
    )
    found = registry.get("grad-cam")().explain(subject, conv(digits))
    wanted = nn.functional.interpolate(wanted, (8, 8), mode="bilinear")
    torch.testing.assert_close(found.values, wanted[0, 0].detach())
    wanted = captum.attr.Occlusion(digits.model).attribute(subject.points, (1, 3, 3), (1, 1, 1), target=4, baselines=0)
    found = registry.get("occlusion")(window=3, stride=1).explain(subject)
    torch.testing.assert_close(found.values, wanted[0].float(), rtol=1e-4, atol=1e-5)


def test_integrated_gradients_sum_up_to_the_difference(digits: Trained) -> None:
    subject = subject_of(digits, 7)
    found = registry.get("integrated-gradients")(steps=200).explain(subject)
    with torch.no_grad():
        empty = float(subject.score(subject.baseline))
    assert float(found.values.sum()) == pytest.approx(found.score - empty, rel=0.02)
    assert found.remainder < 0.02
    assert registry.get("integrated-gradients")(steps=2).explain(subject).remainder > found.remainder


def test_shapley_values_of_a_sum_are_its_parts() -> None:
    weights = torch.tensor([[3.0, -2.0, 0.5, 0.0]])
    model = nn.Linear(4, 1, bias=False)
    model.weight = nn.Parameter(weights, requires_grad=False)
    points = torch.tensor([[1.0, 2.0, 4.0, 8.0]])
    subject = Subject(model, (points,), 0, _features(4), 0, "classes", None, points)
    found = registry.get("kernel-shap")(samples=400).explain(subject)
    torch.testing.assert_close(found.values, (weights * points)[0], rtol=1e-3, atol=1e-3)


def _features(count: int):
    from studio.tensors import TensorSpec

    return TensorSpec((count,), "D")


GRADIENTS = ("saliency", "smoothgrad", "integrated-gradients", "gradient-shap")


@pytest.mark.parametrize("kind", [*GRADIENTS, "occlusion", "lime", "kernel-shap"])
def test_the_word_that_decides_is_worth_most(texts: Trained, kind: str) -> None:
    row = next(n for n in texts.dataset.splits["test"].tolist() if "awful" in texts.dataset.text(n))
    words = texts.dataset.text(row).split()
    bad = texts.dataset.spec.target.names.index("bad")
    values = registry.get(kind)().explain(subject_of(texts, row, bad), seed=1).values
    assert values.shape == (texts.dataset.inputs[0].shape[1],)
    assert int(values[: len(words)].argmax()) == words.index("awful"), (kind, words, values)


def test_what_cannot_be_explained_is_said_in_words(digits: Trained) -> None:
    with pytest.raises(TrainingError, match="choose one"):
        registry.get("grad-cam")().explain(subject_of(digits, 0))
