"""Vectors that a network makes of samples, their neighbours, and their places on a map."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn import manifold
from sklearn.neighbors import NearestNeighbors

from studio.data.recognize import recognize
from studio.evaluation import embeddings, projections, tsne
from studio.evaluation.embeddings import Embeddings, default_layer, embed, layers_of
from studio.evaluation.inspection import Inspection
from studio.evaluation.neighbours import COSINE, EUCLIDEAN, nearest
from studio.evaluation.placed import answer_places
from studio.evaluation.predictions import predict
from studio.evaluation.projections import PCA, TSNE, UMAP, drawn, project
from studio.evaluation.trained import Trained, open_trained
from studio.project.propose import propose_project
from studio.training.errors import TrainingError
from tests.evaluation.runs import trained_run


def divergence(points: np.ndarray, shares_NN: torch.Tensor) -> float:
    """How much points miss of what belongs together: what t-SNE makes small."""
    near_NN = 1 / (1 + torch.cdist(torch.from_numpy(points), torch.from_numpy(points)).square())
    near_NN.fill_diagonal_(0)
    return float((shares_NN * (shares_NN.clamp(min=1e-12) / (near_NN / near_NN.sum()).clamp(min=1e-12)).log()).sum())


def nothing(_done: int, _total: int) -> None:
    pass


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return open_trained(trained_run(tmp_path_factory.mktemp("digits") / "run", "digits-mlp", epochs=2)[0])


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Sentences of 3 to 8 words, each word with a mark."""
    file = tmp_path_factory.mktemp("words") / "names.conll"
    sentence = [(f"word{number % 7}", "B-name" if number % 7 == 3 else "O") for number in range(9)]
    file.write_text("\n\n".join("\n".join(map("\t".join, sentence[: 3 + n % 6])) for n in range(60)) + "\n")
    source = recognize(file)[0]
    project = propose_project(source, source.look())
    return open_trained(trained_run(file.parent / "run", project, epochs=1)[0])


@pytest.fixture(scope="module")
def vectors(digits: Trained) -> Embeddings:
    return embed(digits, "train", default_layer(digits))


def test_the_usual_vectors_are_what_goes_into_the_last_dense(digits: Trained) -> None:
    layer, seen = default_layer(digits), []
    found = embed(digits, "validation", layer, lambda done, total: seen.append((done, total)))
    rows = digits.dataset.splits["validation"]
    assert seen[-1] == (len(rows), len(rows))
    last = digits.plan.steps[-1]
    assert last.node.block.kind == "dense"
    with torch.no_grad():
        answers = digits.model.get_submodule(last.layer_names[0])(torch.from_numpy(found.vectors))
    torch.testing.assert_close(answers, predict(digits, "validation").answers)
    assert np.array_equal(found.classes, digits.dataset.targets[rows].numpy())


def test_what_fills_short_texts_up_is_left_out_of_the_mean(words: Trained) -> None:
    layer = next(layer for layer in layers_of(words) if layer.spec.padded)
    assert layer.note == f"{layer.size} numbers, each the mean over {layer.spec.dims[0]} steps"
    tokens = words.dataset.inputs[0][words.dataset.splits["train"]]
    assert (tokens == 0).any()
    table = next(module for module in words.model.modules() if isinstance(module, torch.nn.Embedding))
    with torch.no_grad():
        means = torch.stack([table(row[row != 0]).mean(0) for row in tokens])
    np.testing.assert_allclose(embed(words, "train", layer).vectors, means, rtol=1e-4, atol=1e-6)


def test_vectors_that_take_too_much_memory_are_refused(digits: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "MOST_BYTES", 100_000)
    with pytest.raises(TrainingError, match="Choose a later layer"):
        embed(digits, "train", layers_of(digits)[1])


@pytest.mark.parametrize("metric", [COSINE, EUCLIDEAN])
def test_neighbours_are_the_exact_ones(vectors: Embeddings, metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.evaluation.neighbours._AT_ONCE", 10_000)  # several blocks
    known = NearestNeighbors(n_neighbors=6, metric=metric.lower()).fit(vectors.vectors)
    for place in (0, 7, 500):
        distances, places = known.kneighbors(vectors.vectors[place : place + 1])
        found = nearest(vectors.vectors[place], vectors.vectors, vectors.rows, metric, 5, int(vectors.rows[place]))
        assert [place for place, _ in found] == places[0, 1:].tolist()
        np.testing.assert_allclose([distance for _, distance in found], distances[0, 1:], rtol=1e-3, atol=1e-5)


def test_a_sample_without_neighbours_has_none() -> None:
    one = np.ones((1, 3), np.float32)
    assert nearest(one[0], one, np.array([4]), COSINE, 5, without=4) == []
    assert nearest(one[0], np.full((2, 3), np.nan, np.float32), np.array([1, 2]), COSINE, 5) == []


def test_a_map_by_t_sne_is_as_good_as_that_of_scikit_learn(vectors: Embeddings) -> None:
    some = vectors.vectors[:200]
    shares = tsne.affinities(torch.from_numpy(some), 30.0)
    ours = divergence(tsne.embed(some, nothing), shares)
    theirs = manifold.TSNE(init="pca", method="exact", random_state=0).fit(some).kl_divergence_
    assert 0 < ours < 1.05 * theirs  # each ends in a valley of its own, ours often in a deeper one


def test_few_samples_are_drawn_by_class_and_it_is_said(vectors: Embeddings) -> None:
    shown = project(vectors.vectors, vectors.classes, TSNE, 0, nothing, most=100)
    assert shown.note.startswith(f"100 of {len(vectors.rows):,} samples are drawn, the same share of each class.")
    assert shown.points.shape == (100, 2)
    assert np.isfinite(shown.points).all()
    assert vectors.classes is not None
    shares = np.bincount(vectors.classes) * 100 / len(vectors.classes)
    assert np.abs(np.bincount(vectors.classes[shown.places]) - shares).max() < 1.5
    assert np.array_equal(drawn(1_000, None, 10, 3), drawn(1_000, None, 10, 3))
    assert not np.array_equal(drawn(1_000, None, 10, 3), drawn(1_000, None, 10, 4))


def test_principal_components_tell_how_much_they_hold(vectors: Embeddings) -> None:
    shown = project(vectors.vectors, vectors.classes, PCA, 0, nothing)
    centred = vectors.vectors - vectors.vectors.mean(0)
    variances = np.linalg.svd(centred, compute_uv=False) ** 2
    share = 100 * variances[0] / variances.sum()
    assert (
        shown.note
        == f"The two directions hold {share:.1f} % and {100 * variances[1] / variances.sum():.1f} % of the variance."
    )
    flat = project(np.arange(5, dtype=np.float32)[:, None], None, PCA, 0, nothing)
    assert not flat.points[:, 1].any()


def test_a_map_can_be_given_up_between_two_steps(vectors: Embeddings) -> None:
    def cancel(done: int, _total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        project(vectors.vectors, None, TSNE, 0, cancel, most=50)


def test_umap_is_there_only_if_it_is_installed(vectors: Embeddings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert projections.methods() == (PCA, TSNE)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert projections.methods() == (PCA, TSNE, UMAP)
    asked: dict[str, object] = {}

    def made(**settings: object) -> SimpleNamespace:
        asked.update(settings)
        return SimpleNamespace(fit_transform=lambda given: given[:, :2])

    package = ModuleType("umap")
    package.UMAP = made  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "umap", package)
    assert project(vectors.vectors, vectors.classes, UMAP, 5, nothing).points.shape == (len(vectors.rows), 2)
    assert asked["random_state"] == 5


def test_vectors_that_are_no_numbers_have_no_map() -> None:
    with pytest.raises(TrainingError, match="no finite numbers"):
        project(np.full((5, 2), np.inf, np.float32), None, PCA, 0, nothing)


def test_answers_to_places_are_told_sample_by_sample(words: Trained) -> None:
    predictions = predict(words, "train")
    assert predictions.counts is not None
    assert predictions.rights is not None
    inspection, counts = Inspection(predictions), np.zeros_like(predictions.counts.numpy())
    for place, row in enumerate(predictions.rows.tolist()):
        placed = answer_places(words, row)
        real = placed.truths >= 0
        assert int((~placed.wrong & real).sum()) == int(predictions.rights[place])
        assert len(placed.words) == len(placed.truths)
        assert (placed.sureness >= 1 / len(predictions.names)).all()
        np.add.at(counts, (placed.truths[real], placed.guesses[real]), 1)
    assert np.array_equal(counts, predictions.counts.numpy())
    truth, guess = np.unravel_index(counts.argmax(), counts.shape)
    found = inspection.of_cell(int(truth), int(guess))
    first, last = (answer_places(words, int(inspection.rows[place])) for place in (found[0], found[-1]))
    numbers = [int(((p.truths == truth) & (p.guesses == guess)).sum()) for p in (first, last)]
    assert numbers[0] >= numbers[1] > 0
