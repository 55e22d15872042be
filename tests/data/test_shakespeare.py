"""Windows of a text: each next character, and nothing of one split in another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.data import DataChoice, DataError, MissingDataError, Split
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.data.texts.shakespeare import CHARACTERS, MD5, SIZE_BYTES, TinyShakespeare
from tests.data.conftest import SHARED

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\n" * 9


def folder_with(tmp_path: Path, text: str = TEXT, name: str = "tinyshakespeare.txt") -> Path:
    (tmp_path / name).write_bytes(text.encode())
    return tmp_path


def written(numbers: np.ndarray) -> str:
    return "".join(CHARACTERS[number] for number in numbers)


def test_the_target_is_the_next_character(tmp_path: Path) -> None:
    samples = TinyShakespeare(length=20).load(folder_with(tmp_path))
    (inputs,) = samples.inputs
    assert inputs.shape == samples.targets.shape == (len(TEXT) // 21, 20)
    assert (inputs.dtype, samples.targets.dtype) == (np.int64, np.int64)
    for number, (given, following) in enumerate(zip(inputs, samples.targets, strict=True)):
        assert written(given) == TEXT[21 * number : 21 * number + 20]
        assert written(following) == TEXT[21 * number + 1 : 21 * number + 21]


def test_no_character_is_in_two_splits(tmp_path: Path) -> None:
    """With the place of each character in the text instead of the character itself."""
    choice = DataChoice(TinyShakespeare(length=20), Split(validation=0.2, test=0.3))
    dataset = prepare(choice, folder_with(tmp_path))
    starts = [21 * rows.numpy() for rows in dataset.splits.values()]
    parts = [{place for start in some for place in range(start, start + 21)} for some in starts]
    assert max(parts[0]) < min(parts[1]) <= max(parts[1]) < min(parts[2])
    assert [len(rows) for rows in dataset.splits.values()] == [14, 4, 8]
    other = prepare(DataChoice(choice.source, Split(validation=0.2, test=0.3, seed=1)), tmp_path)
    assert all((other.splits[name] == rows).all() for name, rows in dataset.splits.items())


def test_line_ends_of_windows_are_no_characters_of_their_own(tmp_path: Path) -> None:
    plain = TinyShakespeare().load(folder_with(tmp_path))
    other = TinyShakespeare().load(folder_with(tmp_path, TEXT.replace("\n", "\r\n")))
    assert np.array_equal(plain.targets, other.targets)


@pytest.mark.parametrize(
    ("text", "said"),
    [("Enter Hamlet.\nMöchte er?", "line 2, has a character that is not in"), ("Too short.", "has 10 characters")],
)
def test_another_text_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=said):
        TinyShakespeare().load(folder_with(tmp_path, text))


def test_missing_it_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"Tiny Shakespeare was not found in .* choose the folder"):
        TinyShakespeare().load(tmp_path)


def test_a_file_that_anyone_could_have_is_taken_for_it_by_its_size_only(tmp_path: Path) -> None:
    folder_with(tmp_path, name="input.txt")
    assert [source.kind for source in recognize(tmp_path)] == ["plain-text"]
    folder_with(tmp_path, "x" * SIZE_BYTES, name="input.txt")
    assert recognize(tmp_path) == [TinyShakespeare()]


def test_the_original() -> None:
    folder = SHARED / "char-text"
    if not folder.is_dir():
        pytest.skip("the shared test data is not on this machine")
    import hashlib

    (file,) = TinyShakespeare().finds(folder)
    assert hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest() == MD5
    assert "".join(sorted(set(file.read_text("ascii")))) == CHARACTERS
    (inputs,) = TinyShakespeare().load(folder).inputs
    assert inputs.shape == (SIZE_BYTES // 65, 64)
    assert written(inputs[0]).startswith("First Citizen:\nBefore we proceed any further")
