"""A bundle is tried before it is done: raw files, read and answered by it in a clean process and by the studio here.

Axis letters: C channels, H W space, T samples of a wave.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio import storage
from studio.data.base import DataError
from studio.data.dataset import Dataset
from studio.data.forms import (
    CharactersForm,
    InputError,
    NumbersForm,
    PictureForm,
    Raw,
    RawForm,
    RowForm,
    SoundForm,
    TextForm,
)
from studio.data.tables.categories import TableCategories
from studio.data.tables.features import TableRows
from studio.evaluation.answer import Answer
from studio.evaluation.answering import Answerer
from studio.export import python_columns
from studio.export.clean_process import Tick, run_alone, working_folder
from studio.export.formats import ExportError

TOLERANCE = 1e-5  # of the largest answer, or of 1 where all answers are smaller
SECONDS = 300.0
_REAL, _DRAWN = 8, 4  # samples of the dataset, and others

# Answers to each sample of the first file, as the README says it is done; the studio cannot be imported.
_PREDICTING = """
import json, sys
from pathlib import Path
sys.modules["studio"] = None
folder, given, found = sys.argv[1:]
sys.path.insert(0, folder)
import torch
from predict import load
todo = json.loads(Path(given).read_text(encoding="utf-8"))
torch.set_num_threads(todo["threads"])
model = load(folder)
answers, scores = [], []
for names in todo["samples"]:
    paths = [Path(name) for name in names]
    sample = paths[0] if len(paths) == 1 else paths
    answer = model.predict(sample, top=10**9)
    answers += answer if isinstance(answer, list) else [answer]
    scores.append(model.scores(sample))
for answer in answers:
    if hasattr(answer["answer"], "tolist"):
        answer["answer"] = answer["answer"].tolist()
torch.save({"answers": json.dumps(answers), "scores": scores}, found)
"""


@dataclass(frozen=True)
class Trial:
    """How a trial went.

    Args:
        samples: how many of the dataset, and how many others.
        largest: the largest difference of two numbers that the network answers.
    """

    real: int
    drawn: int
    largest: float

    def __str__(self) -> str:
        kinds = [f"{self.real} samples of the dataset"] * bool(self.real) + [f"{self.drawn} drawn ones"]
        return f"{' and '.join(kinds)} as files, answered without the studio; largest difference {self.largest:.3g}"


@dataclass(frozen=True)
class _File:
    """A raw value as a file: what it is called, what is in it."""

    suffix: str
    content: bytes


def try_bundle(files: dict[str, bytes], answerer: Answerer, dataset: Dataset | None, tick: Tick | None) -> Trial:
    """Let a bundle answer in a process of its own.

    Args:
        dataset: where it is there; samples of its validation split are taken.

    Raises:
        ExportError: if it cannot, or answers something else than the studio.
    """
    real = _real_samples(answerer, dataset) if dataset is not None else []
    drawn = _drawn_samples(answerer)
    with working_folder() as place:
        for name, content in files.items():
            storage.write_bytes(place / "bundle" / name, content)
        samples = [
            [_written(place / f"{number}-{part}{file.suffix}", file) for part, file in enumerate(sample)]
            for number, sample in enumerate(real + drawn)
        ]
        todo = {"threads": torch.get_num_threads(), "samples": [[str(path) for path in paths] for paths in samples]}
        storage.write_json(place / "samples.json", todo)
        arguments = [str(place / name) for name in ("bundle", "samples.json", "answers.pt")]
        try:
            run_alone(_PREDICTING, arguments, SECONDS, tick)
        except ExportError as error:
            raise ExportError(f"The bundle does not predict: {error} Nothing was written.") from error
        found = torch.load(place / "answers.pt", weights_only=True)
        return Trial(len(real), len(drawn), _compared(answerer, samples, found))


def _written(path: Path, file: _File) -> Path:
    storage.write_bytes(path, file.content)
    return path


def _compared(answerer: Answerer, samples: Sequence[Sequence[Path]], found: dict[str, Any]) -> float:
    """The largest difference. Raises ExportError if it is more than rounding, or something else is said."""
    answers = json.loads(found["answers"])
    largest = 0.0
    for paths, theirs, said in zip(samples, found["scores"], answers, strict=True):
        reading = answerer.read(_given(answerer, paths))
        ours = answerer.compute(reading.tensors)[0]
        if ours.shape != theirs.shape:
            raise ExportError("The bundle answers in another shape. Nothing was written.")
        largest = max(largest, _apart(ours, theirs, "scores"))
        _check_said(answerer.answer(reading), said)
    return largest


def _apart(ours: Tensor, theirs: Tensor, what: str) -> float:
    largest = float((ours.double() - theirs.double()).abs().max())
    if not largest <= TOLERANCE * max(1.0, float(ours.abs().max())):
        raise ExportError(f"The {what} of the bundle differ from the studio’s by {largest:.3g}. Nothing was written.")
    return largest


def _check_said(answer: Answer, said: dict[str, Any]) -> None:
    """What the numbers mean must be the same, too."""
    if answer.is_ranked:
        ours = torch.tensor([share for _, share in answer.top(len(answer.names))])
        theirs = torch.tensor([said["probabilities"][name] for name, _ in answer.top(len(answer.names))])
        _apart(ours, theirs, "probabilities")
    elif answer.numbers:
        ours = torch.tensor(list(answer.numbers.values()))
        _apart(ours, torch.tensor([said["answer"][name] for name in answer.numbers]), "numbers")
    elif answer.classes is None:
        _apart(torch.from_numpy(answer.values), torch.tensor(said["answer"]), "numbers")
    elif len(said["answer"]) != len(answer.classes):
        raise ExportError("The bundle answers for another number of places. Nothing was written.")


def _given(answerer: Answerer, paths: Sequence[Path]) -> Any:
    """The same for the studio: rows by their cells, all else as files."""
    found: list[Any] = []
    for part, path in zip(answerer.parts, paths, strict=True):
        if part.form.in_tables:
            with open(path, encoding="utf-8", newline="") as file:
                found.append(next(csv.DictReader(file)))
        else:
            found.append(np.load(path) if path.suffix == ".npy" else path)
    return found[0] if len(found) == 1 else found


def _real_samples(answerer: Answerer, dataset: Dataset) -> list[list[_File]]:
    """Some of the validation split; none if a part cannot be a file again."""
    found = []
    for row in dataset.splits["validation"][:_REAL].tolist():
        files, start = [], 0
        for part in answerer.parts:
            files.append(_real_file(part.form, dataset, start, row))
            start += part.form.inputs
        known = [file for file in files if file is not None and _readable(answerer, file, len(files))]
        if len(known) == len(files):
            found.append(known)
    return found


def _readable(answerer: Answerer, file: _File, count: int) -> bool:
    """Whether the studio takes it; an empty text of a dataset, for one, is not asked about."""
    form = answerer.parts[0].form
    if count > 1 or not isinstance(form, TextForm | CharactersForm):
        return True
    try:
        form.read(file.content)
    except InputError:
        return False
    return True


def _real_file(form: RawForm, dataset: Dataset, number: int, row: int) -> _File | None:
    if isinstance(form, RowForm):
        return _row_file([dataset.raw[number + each] for each in range(form.inputs)], row)
    if isinstance(form, TextForm):
        raw = dataset.raw[number]
        return _File(".txt", raw.text(row).encode("utf-8", "replace")) if raw is not None else None
    if isinstance(form, SoundForm):
        return None  # the dataset has what became of it
    values = dataset.input_rows()[number].take(torch.tensor([row])).reshape(form.dims[0]).numpy()
    if isinstance(form, CharactersForm):
        return _File(".txt", "".join(form.characters[each] for each in values.tolist()).encode())
    if isinstance(form, NumbersForm):
        return _csv_file(dict(zip(form.names, map(repr, values.tolist()), strict=True)))
    if not isinstance(form, PictureForm):
        return _array_file(values)
    return _picture_file(values, form.brightest) if values.dtype == np.uint8 else None


def _row_file(raws: Sequence[object], row: int) -> _File | None:
    cells: dict[str, str] = {}
    for raw in raws:
        if not isinstance(raw, TableRows | TableCategories):
            return None
        for column in raw.columns:
            cells[column.name] = column.column.texts[column.column.codes[raw.rows[row]]]
    return _csv_file(cells)


def _drawn_samples(answerer: Answerer) -> list[list[_File]]:
    """Samples that no dataset is needed for: pictures of other sizes, sounds of other rates, odd cells."""
    kinds = [_drawn_files(part.form, tokens) for part, tokens in zip(answerer.parts, _tokens(answerer), strict=True)]
    return [list(files) for files in zip(*kinds, strict=False)]


def _tokens(answerer: Answerer) -> list[int]:
    starts = [sum(part.form.inputs for part in answerer.parts[:number]) for number in range(len(answerer.parts))]
    return [answerer.preparation.tokens[start] for start in starts]


def _drawn_files(form: RawForm, tokens: int) -> list[_File]:
    rng = np.random.default_rng(0)
    if isinstance(form, PictureForm):
        return _drawn_pictures(rng)
    if isinstance(form, SoundForm):
        return _drawn_sounds(form, rng)
    if isinstance(form, RowForm):
        return _drawn_rows(form)
    if isinstance(form, TextForm):
        known = form.learned.tokens(range(2, min(form.learned.size, 40)))
        glue = " " if form.spaced else ""
        texts = [glue.join(known[:3]) or "a", "Nobody’s text, written for the proof."[: form.length], known[-1] or "a"]
        return [_File(".txt", text.encode("utf-8", "replace")) for text in texts if _reads(form, text)]
    if isinstance(form, CharactersForm):
        return [_File(".txt", form.characters[:4].encode()), _File(".txt", form.characters[-1:].encode())]
    if isinstance(form, NumbersForm):
        rows = rng.normal(size=(_DRAWN, len(form.names)))
        return [_csv_file(dict(zip(form.names, map(repr, row.tolist()), strict=True))) for row in rows]
    shape = (_DRAWN, *form.dims[0])
    drawn = rng.integers(0, max(tokens, 1), shape) if tokens else rng.normal(size=shape).astype(np.float32)
    return [_array_file(one) for one in drawn]


def _reads(form: RawForm, given: object) -> Raw | None:
    try:
        return form.read(given)
    except DataError:
        return None


def _drawn_rows(form: RowForm) -> list[_File]:
    """Rows with missing and unknown values, and each that is known."""
    rows: list[dict[str, str]] = [{} for _ in range(64)]
    for learned in form.learned:
        for row, cells in zip(rows, python_columns.rows_for_proof(learned), strict=False):
            row.update(cells)
    default = {column.name: column.default for column in form.columns}
    whole = [{**default, **row} for row in rows]
    return [_csv_file(default), *(_csv_file(row) for row in whole if _reads(form, row) is not None)]


def _drawn_pictures(rng: np.random.Generator) -> list[_File]:
    from PIL import Image

    colours = rng.integers(0, 256, (23, 37, 4)).astype(np.uint8)
    smooth = np.linspace(0, 255, 40 * 30).reshape(30, 40).astype(np.uint8)
    turned = Image.Exif()
    turned[0x0112] = 6
    pictures: list[tuple[Image.Image, dict[str, Any]]] = [
        (Image.fromarray(colours[..., :3]), {"format": "PNG"}),
        (Image.fromarray(colours), {"format": "PNG"}),
        (Image.fromarray(smooth), {"format": "JPEG", "exif": turned}),
        (Image.fromarray(smooth.astype(np.uint16) * 257), {"format": "PNG"}),
    ]
    found = []
    for picture, how in pictures:
        buffer = io.BytesIO()
        picture.save(buffer, **how)
        found.append(_File(".jpg" if how["format"] == "JPEG" else ".png", buffer.getvalue()))
    return found


def _drawn_sounds(form: SoundForm, rng: np.random.Generator) -> list[_File]:
    import soundfile

    found = []
    for rate, channels, share in ((form.rules.rate, 1, 2.0), (22_050, 2, 0.5), (8_000, 1, 1.0)):
        buffer = io.BytesIO()
        length = max(64, round(form.rules.seconds * share * rate))
        soundfile.write(buffer, rng.uniform(-0.5, 0.5, (length, channels)), rate, format="WAV")
        found.append(_File(".wav", buffer.getvalue()))
    return found


def _picture_file(values_CHW: np.ndarray, brightest: int) -> _File:
    from PIL import Image

    pixels = np.rint(values_CHW.transpose(1, 2, 0) * (255 / brightest)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(buffer, "PNG")
    return _File(".png", buffer.getvalue())


def _array_file(values: np.ndarray) -> _File:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return _File(".npy", buffer.getvalue())


def _csv_file(cells: dict[str, str]) -> _File:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(cells))
    writer.writeheader()
    writer.writerow(cells)
    return _File(".csv", text.getvalue().encode("utf-8", "replace"))
