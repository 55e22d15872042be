"""Samples taken out of any data read as if a person had given them, and text is gone on with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.data.texts.language_sources import Parallel, PlainText
from studio.evaluation.answering import Answerer
from studio.evaluation.single import with_one_sample
from studio.evaluation.taken import judge
from studio.evaluation.writing import can_write, draw, go_on
from tests.evaluation.known_trial import Known
from tests.evaluation.test_answering import CASES, Case, conll, loaded, shakespeare, texts
from tests.evaluation.untrained import untrained


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_a_taken_sample_is_what_a_person_would_give(
    case: Callable[[Path], Case], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Known(loaded(case(tmp_path)[0], tmp_path, monkeypatch))
    samples = trial.samples()
    assert samples
    for one, answer in zip(samples, trial.answers([one.reading for one in samples]), strict=True):
        raws, reading = trial.read(one.given)
        for a, b in zip(reading.tensors, one.reading.tensors, strict=True):
            assert torch.equal(a, b)
        np.testing.assert_allclose(trial.answer(reading).values, answer.values, rtol=1e-4)
        assert judge(one, answer).text
        assert one.truth
        assert one.shown.text or one.shown.cells or one.shown.picture is not None or one.shown.series is not None
        single = with_one_sample(trial.answerer, trial.project, raws)
        for values, scaling, tensor in zip(
            single.dataset.inputs, single.dataset.scalings, reading.tensors, strict=True
        ):
            assert torch.equal(scaling.apply(values), tensor)


def test_places_are_judged_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Known(loaded(conll(tmp_path)[0], tmp_path, monkeypatch))
    one = trial.samples()[0]
    answer = trial.answer(one.reading)
    assert answer.classes is not None
    wanted = one.target[: len(answer.classes)]
    assert judge(one, answer).text == f"{100 * float((answer.classes == wanted).mean()):.0f} % right"
    answer.classes[:] = wanted
    assert judge(one, answer).right


def test_text_is_gone_on_with_character_by_character(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trial = Known(loaded(shakespeare(tmp_path)[0], tmp_path, monkeypatch))
    assert can_write(trial.answerer)
    first = "".join(go_on(trial.answerer, ["the cat"], 12, 1.0, seed=1))
    assert len(first) == 12
    assert first == "".join(go_on(trial.answerer, ["the cat"], 12, 1.0, seed=1))
    assert first != "".join(go_on(trial.answerer, ["the cat"], 12, 1.0, seed=2))
    best = trial.answerer.answer(trial.answerer.read("the cat")).best
    assert next(go_on(trial.answerer, ["the cat"], 1, temperature=0)) == best


@pytest.mark.parametrize("tokens", ["byte-pair", "characters"])
def test_what_is_written_reads_as_the_tokens_that_were_drawn(tmp_path: Path, tokens: str) -> None:
    path = tmp_path / "text.txt"
    path.write_text(" ".join(texts(60)).replace("cat", "café"))
    trained = untrained(PlainText(path=path.as_posix(), length=16, vocabulary=300, tokens=tokens))
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    pieces = list(go_on(answerer, ["the dog"], 10, 0.5, seed=0))
    learned = trained.dataset.learned[0]
    assert learned is not None
    form = answerer.parts[-1].form
    written = form.read("the dog" + "".join(pieces)).arrays[0]
    assert int((written > 1).sum()) > int((form.read("the dog").arrays[0] > 1).sum())
    assert not (written == 1).any()  # nothing unknown
    assert "[" not in "".join(pieces)


def test_an_answer_in_another_language_ends(tmp_path: Path) -> None:
    for language in ("de", "en"):
        (tmp_path / f"train.{language}").write_text("\n".join(texts(40)))
    trained = untrained(Parallel(path=tmp_path.as_posix(), tokens="words", max_length=9, vocabulary=60))
    answerer = Answerer.from_checkpoint(trained.checkpoint, "cpu")
    words = "".join(go_on(answerer, ["the cat sat", ""], 5, 1.0, seed=3)).split()
    assert 0 < len(words) <= 5
    end = answerer.names.index("[END]") if "[END]" in answerer.names else 3
    with torch.no_grad():
        layer = [module for module in answerer.model.modules() if isinstance(module, torch.nn.Linear)][-1]
        layer.bias[end] = 1_000.0
    assert list(go_on(answerer, ["the cat sat", ""], 5, 1.0, seed=3)) == []


def test_a_low_temperature_takes_what_is_probable() -> None:
    chances = np.array([0.1, 0.6, 0.3])
    draws = np.random.default_rng(0)
    assert {draw(chances, 0.0, draws) for _ in range(9)} == {1}
    counts = np.bincount([draw(chances, 1.0, draws) for _ in range(3_000)]) / 3_000
    np.testing.assert_allclose(counts, chances, atol=0.03)
    sharper = np.bincount([draw(chances, 0.5, draws) for _ in range(3_000)], minlength=3) / 3_000
    np.testing.assert_allclose(sharper, chances**2 / (chances**2).sum(), atol=0.03)
