"""What cannot be an input is refused in words that help; weights and networks under way; drawings."""

from __future__ import annotations

import copy
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.data.audio.features import LOG_MEL, SoundRules
from studio.data.bundled import Digits, Iris
from studio.data.forms import ArrayForm, CharactersForm, NumbersForm, PictureForm, RawForm, RowForm, SoundForm
from studio.data.forms.pictures import AS_DIGITS, AS_MNIST
from studio.data.images.decode import Form
from studio.data.known.torchvision_sets import MNIST
from studio.data.tables.features import Columns
from studio.evaluation.answering import Answer, Answerer, InputError
from studio.evaluation.trained import Trained
from studio.training.errors import CheckpointError
from tests.evaluation.untrained import untrained

GREY = PictureForm(Form(8, 8, "grey", "stretch"))
ROW = RowForm((Columns.from_json({
    "decimal": ".", "marks": ["", "na"],
    "codes": [
        {"name": "age", "kind": "number", "fill": 30.0, "missing": True},
        {"name": "city", "kind": "choices", "choices": ["Oslo", "Rome"]},
        {"name": "size", "kind": "ordered", "choices": ["small", "large"]},
        {"name": "member", "kind": "switch", "choices": ["no", "yes"]},
        {"name": "born", "kind": "time", "style": "year first", "parts": ["year"]},
        {"name": "tags", "kind": "labels", "choices": ["a", "b"], "sign": ";"},
    ],
}),))  # fmt: skip
GOOD: dict[str, Any] = {"age": 40, "city": "Rome", "size": "large", "member": "yes", "born": "1999-05-03", "tags": "a"}
EDGE_CASES = Path(__file__).parents[3] / "shared" / "data" / "image-edge-cases"


def npy(array: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("form", "given", "message"),
    [
        (GREY, b"hello", "is no picture"),
        (GREY, b"", "is no picture"),
        (GREY, "cat.png", "not a text"),
        (GREY, None, "not nothing"),
        (GREY, Path("nowhere/cat.png"), "cannot be read"),
        (GREY, np.full((1, 8, 8), 300.0), "from 0 to 255"),
        (GREY, np.full((1, 8, 8), np.nan), "no number"),
        (GREY, np.zeros((3, 5)), "8×8 are wanted|1×8×8"),
        (GREY, np.zeros((0, 4), np.uint8), "no pixels"),
        (SoundForm(SoundRules(LOG_MEL, 8_000, 0.5, 8)), b"RIFF", "no sound that can be read"),
        (SoundForm(SoundRules(LOG_MEL, 8_000, 0.5, 8)), "bell.wav", "not a text"),
        (CharactersForm("abc", 4), "", "empty"),
        (CharactersForm("abc", 4), "abz", "“z”"),
        (CharactersForm("abc", 4), b"\0\0\1", "no text file"),
        (CharactersForm("abc", 4), "a" * 1_000_001, "up to 1,000,000"),
        (NumbersForm(("x", "y")), {"x": 1}, "missing: “y”"),
        (NumbersForm(("x", "y")), {"x": 1, "y": "far"}, "“y” must be a number, not “far”"),
        (NumbersForm(("x", "y")), {"x": 1, "y": float("nan")}, "“y” must be a number"),
        (NumbersForm(("x", "y")), [1, 1e39], "too large"),
        (NumbersForm(("x", "y")), [1, 10**400], "numbers"),
        (NumbersForm(("x", "y")), [1, 2, 3], "size 2 are wanted"),
        (NumbersForm(("x", "y")), [[1], [2, 3]], "differ in length"),
        (NumbersForm(("x", "y")), ["a", "b"], "not all of these are numbers"),
        (ArrayForm((2, 2)), npy(np.zeros((3, 2))), "size 3×2; 2×2 is wanted"),
        (ArrayForm((2, 2)), npy(np.zeros((2, 2)))[:-3], "damaged"),
        (ArrayForm((2, 2)), npy(np.array([[None, 1], [2, 3]]), allow_pickle=True), "something other than numbers"),
        (ArrayForm((2, 2)), b"\x93NUMPY\x01\x00\x04\x00{{{{", "no array of NumPy"),
        (ArrayForm((2,), whole=True), [0.5, 1], "Whole numbers"),
        (ROW, "40,Rome", "with a name for each cell"),
        (ROW, {**GOOD, "age": "old"}, "“age” must be a number, not “old”"),
        (ROW, {**GOOD, "age": float("inf")}, "finite"),
        (ROW, {**GOOD, "size": "huge"}, "“size” must be one of “small”, “large”"),
        (ROW, {**GOOD, "member": "maybe"}, "“member” must be one of “no”, “yes”"),
        (ROW, {**GOOD, "born": "yesterday"}, "“born” must be a date"),
        (ROW, {**GOOD, "city": {"name": "Rome"}}, "“city” must be a text or a number, not an object"),
        (ROW, {name: value for name, value in GOOD.items() if name != "city"}, "This column is missing: “city”"),
    ],
)
def test_what_cannot_be_an_input_is_refused(form: RawForm, given: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        form.read(given)


def test_what_can_be_taken_for_something_is_noted() -> None:
    raw = ROW.read({**GOOD, "city": "Lima", "tags": ["a", "z"], "other": 1})
    assert raw.notes == (
        "“city”: “Lima” is none of the known categories, and counts as “other”.", "“tags”: “z” counts as “other”.",
    )  # fmt: skip
    assert ROW.read({**GOOD, "age": None}).arrays[0][:2].tolist() == [30.0, 1.0]
    assert ROW.read({**GOOD, "age": float("nan")}).notes == ()
    assert CharactersForm("abc", 2).read("abca").notes == ("Only the last 2 of 4 characters are used.",)
    assert ROW.columns[0].default == "30"
    assert ROW.read({column.name: column.default for column in ROW.columns}).notes == ()


@pytest.mark.skipif(not EDGE_CASES.is_dir(), reason="the pictures of the edge cases are not here")
def test_no_strange_picture_does_more_than_be_refused() -> None:
    refused = []
    for path in sorted(EDGE_CASES.iterdir()):
        try:
            assert GREY.read(path.read_bytes()).arrays[0].shape == (1, 8, 8)
        except InputError as error:
            refused.append(f"{path.name}: {error}")
    assert any("decompression_bomb" in told and "million pixels" in told for told in refused), refused


@pytest.fixture(scope="module")
def digits() -> Trained:
    return untrained(Digits())


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": []},
        {"inputs": [{"dims": [1, 9, 9]}]},
        {"inputs": [{"axes": "XYZ"}]},
        {"inputs": [{"scaling": {"shift": [1, 2], "scale": [1, 2]}}]},
        {"inputs": [{"tokens": {"kind": "words", "tokenizer": "{}"}}]},
        {"names": ["a", "b"]},
        {"names": 3},
        {"task": "magic"},
        {"places": [4, 4]},
    ],
)
def test_a_checkpoint_that_lies_about_its_data_is_refused(digits: Trained, change: dict[str, Any]) -> None:
    told = copy.deepcopy(digits.checkpoint.preparation)
    inputs = change.get("inputs")
    told |= change if not inputs else {"inputs": [{**told["inputs"][0], **inputs[0]}]}
    with pytest.raises(CheckpointError, match="of its data cannot be used"):
        Answerer.from_checkpoint(replace(digits.checkpoint, preparation=told), "cpu")


def test_an_imported_network_without_names_takes_arrays() -> None:
    trained = untrained(Iris())
    data = replace(trained.project.data, source=Digits())  # nobody chose data for it
    checkpoint = replace(
        trained.checkpoint, project=replace(trained.project, data=data),
        preparation={**trained.checkpoint.preparation, "names": []},
    )  # fmt: skip
    answerer = Answerer.from_checkpoint(checkpoint, "cpu")
    answer = answerer.answer(answerer.read([5.1, 3.5, 1.4, 0.2]))
    assert {name for name, _ in answer.top()} == {"0", "1", "2"}


def test_weights_of_a_run_under_way_are_taken(digits: Trained) -> None:
    answerer = Answerer.from_checkpoint(digits.checkpoint, "cpu")
    reading = answerer.read(Digits().load().inputs[0][0])
    before = answerer.answer(reading).values
    other = {
        name: tensor + 0.1 if tensor.is_floating_point() else tensor for name, tensor in digits.checkpoint.model.items()
    }
    answerer.take(other)
    assert not np.allclose(answerer.answer(reading).values, before)
    for wrong in ({}, {**other, "more": torch.zeros(1)}, {**other, next(iter(other)): torch.zeros(1)}):
        with pytest.raises(CheckpointError, match="does not fit"):
            answerer.take(wrong)
    answerer.take(digits.checkpoint.model)
    np.testing.assert_array_equal(answerer.answer(reading).values, before)


def test_a_network_in_memory_stays_in_the_state_that_it_is_in(digits: Trained) -> None:
    model = copy.deepcopy(digits.model).train()
    parts = list(model.modules())
    parts[-1].eval()
    answerer = Answerer.of(digits.plan, digits.project, digits.checkpoint.preparation, model, torch.device("cpu"))
    answer = answerer.answer(answerer.read(Digits().load().inputs[0][0]))
    assert [part.training for part in parts] == [True] * (len(parts) - 1) + [False]
    usual = Answerer.from_checkpoint(digits.checkpoint, "cpu")
    np.testing.assert_allclose(answer.values, usual.answer(usual.read(Digits().load().inputs[0][0])).values, atol=1e-6)


def test_a_stream_goes_on_after_what_cannot_be_read(digits: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    images = Digits().load().inputs[0][:20]
    answerer = Answerer.from_checkpoint(digits.checkpoint, "cpu")
    monkeypatch.setattr(answerer, "_batch", 3)
    taken: list[int] = []

    def many() -> Any:
        for number in range(20):
            taken.append(number)
            yield b"no picture" if number % 7 == 2 else images[number]

    stream = answerer.stream(many())
    first = next(stream)
    assert isinstance(first, Answer)
    assert len(taken) <= 6, "it does not take all of an endless stream before the first answer"
    answers = [first, *stream]
    assert [number for number, answer in enumerate(answers) if isinstance(answer, InputError)] == [2, 9, 16]
    alone = answerer.answer(answerer.read(images[8]))
    found = answers[8]
    assert isinstance(found, Answer)
    np.testing.assert_allclose(found.values, alone.values, atol=1e-6)


def drawing(height: int = 90, width: int = 60) -> np.ndarray:
    ink = np.zeros((300, 280), np.uint8)
    ink[30 : 30 + height, 150 : 150 + width] = 255
    ink[30 + height // 2 : 30 + height, 150 : 150 + width // 2] = 0
    return ink


def test_a_drawing_becomes_a_digit_as_mnist_has_them() -> None:
    form = MNIST().raw_forms(MNIST().spec)[0]
    assert isinstance(form, PictureForm)
    assert form.drawing is AS_MNIST
    made = form.drawn(drawing()).arrays[0][0].astype(np.float64)
    assert made.shape == (28, 28)
    rows, columns = np.flatnonzero(made.any(1)), np.flatnonzero(made.any(0))
    assert (rows[-1] - rows[0] + 1, columns[-1] - columns[0] + 1) == (20, 13)
    for axis in (0, 1):
        assert abs((made.sum(1 - axis) @ np.arange(28)) / made.sum() - 14) <= 0.5
    with pytest.raises(InputError, match="Nothing is drawn"):
        form.drawn(np.zeros((28, 28), np.uint8))


def test_a_drawing_becomes_a_digit_of_eight_pixels_with_counts() -> None:
    form = PictureForm(Form(8, 8, "grey", "stretch"), 16, AS_DIGITS)
    made = form.drawn(drawing()).arrays[0][0]
    assert made.any(1).all()
    assert made.max() == 16
    assert not made[:, [0, 7]].any()


@pytest.mark.parametrize("paper", [0, 235])
def test_ink_is_found_on_dark_and_on_light_paper(paper: int) -> None:
    ink = drawing()
    photo = np.abs(int(paper) - (ink * 0.6).astype(int)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(photo).convert("RGB").save(buffer, "PNG")
    found = GREY.ink_of(buffer.getvalue())
    np.testing.assert_array_equal(found > 200, ink > 0)


def test_forms_describe_themselves_for_json() -> None:
    for form in (GREY, ROW, NumbersForm(("x",)), ArrayForm((2, 3)), CharactersForm("ab", 3)):
        json.dumps(form.schema, allow_nan=False)
        assert form.about.endswith(".")
