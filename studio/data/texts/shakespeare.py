"""A text of which every next character is to be predicted: for a first language model.

Source: Karpathy, "The unreasonable effectiveness of recurrent neural networks", 2015. The plays are free for all.
"""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import ClassVar

from studio.data.base import (
    DataError,
    DataSpec,
    LoadingCode,
    MissingDataError,
    Progress,
    Samples,
    Source,
    Target,
    registry,
)
from studio.data.locations import candidates, datasets_folder, first_file
from studio.fields import field
from studio.tensors import TensorSpec

URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
MD5 = "6fb458f1232090904fb40fe944165e91"
SIZE_BYTES = 1_115_394
MAX_BYTES = 2**26  # far more than any text of Shakespeare's
FOLDER = "tiny-shakespeare"
ANYONES = "input.txt"  # as the original is called, and many other files
NAMES = ("tinyshakespeare.txt", ANYONES)
CHARACTERS = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"  # all that it has, sorted


@registry.add
class TinyShakespeare(Source):
    """Windows of Shakespeare's plays; the target is the next character at every step."""

    kind: ClassVar[str] = "tiny-shakespeare"
    title: ClassVar[str] = "Tiny Shakespeare"
    group: ClassVar[str] = "Text"
    about: ClassVar[str] = (
        "1,115,394 characters of Shakespeare’s plays in windows of equal length, 65 different ones; what comes next is "
        "to be predicted at every step. Validation and test are the end of the text. Public domain."
    )
    download_bytes: ClassVar[int] = SIZE_BYTES
    in_order: ClassVar[bool] = True
    predicts_next: ClassVar[bool] = True

    length: int = field(64, min=2, max=4_096, unit="characters", help="Of a window; none stands in two of them.")

    @property
    def folder_names(self) -> tuple[str, ...]:
        """Also that of the repository it comes from."""
        return (self.kind, "char-rnn")

    @property
    def spec(self) -> DataSpec:
        """Numbers of the characters of a window, and a class for each of its steps: the next character."""
        target = Target("classification", tuple(CHARACTERS), (self.length,))
        return DataSpec(
            (TensorSpec((self.length,), "L", "int"),), target, tokens=(len(CHARACTERS),), characters=CHARACTERS
        )

    def load(self, folder: Path | None = None) -> Samples:
        """Read the text and cut it into windows.

        Each is one character longer than what the network sees, and no character stands in two of them. So wherever
        the windows are divided, nothing of one split is seen or predicted in another.
        """
        import numpy as np

        from studio.data.texts.plain_reading import cut

        pieces = cut(self._text(folder).decode("ascii"), self.length + 1, self.title)
        alphabet, text = (np.frombuffer(some.encode(), np.uint8) for some in (CHARACTERS, "".join(pieces)))
        windows = np.searchsorted(alphabet, text).reshape(len(pieces), self.length + 1).astype(np.int64)
        return Samples((windows[:, :-1].copy(),), windows[:, 1:].copy())

    @property
    def loading_code(self) -> LoadingCode:
        """The same for a folder with the file."""
        texts = {"characters": repr(CHARACTERS), "names": repr(NAMES), "folder": FOLDER, "url": URL}
        return LoadingCode(Template(_CODE).substitute(texts, length=self.length), takes_folder=True)

    def finds(self, folder: Path) -> tuple[Path, ...]:
        """The file; one that is called as many are must have the right size."""
        try:
            path = self._file(folder)
            return () if path.name == ANYONES and path.stat().st_size != SIZE_BYTES else (path,)
        except (DataError, OSError):
            return ()

    def download(self, progress: Progress | None = None) -> None:
        """Fetch the text from the repository that made it known."""
        from studio.data.download import RemoteFile, fetch, reporter  # brings the whole of HTTP

        file = RemoteFile((URL,), MD5, datasets_folder() / FOLDER / ANYONES)
        fetch([file], 2 * self.download_bytes, reporter(progress, self.download_bytes))

    def _file(self, folder: Path | None) -> Path:
        places = candidates(folder or datasets_folder(), self.folder_names)
        found = next((path for place in places if (path := first_file(place, NAMES))), None)
        if found is None:
            place = f" in {places[-1]}" if places[-1].is_dir() else f", as there is no folder {places[-1]}"
            raise MissingDataError(
                f"{self.title} was not found{place}. Missing: {NAMES[0]} (or {ANYONES}). Download it "
                f"({self.download_bytes / 1e6:.1f} MB), or choose the folder that holds the text."
            )
        return found

    def _text(self, folder: Path | None) -> bytes:
        from studio import storage

        path = self._file(folder)
        try:
            text = storage.read_bytes(path, MAX_BYTES).replace(b"\r\n", b"\n")  # as some programs end lines
        except storage.StorageError as error:
            raise DataError(str(error)) from error
        foreign = text.translate(None, CHARACTERS.encode())
        if foreign:
            line = text[: text.index(foreign[:1])].count(b"\n") + 1
            raise DataError(
                f"{path}, line {line:,}, has a character that is not in {self.title}. Choose the original file, or "
                "download it again."
            )
        return text


_CODE = '''
CHARACTERS = $characters


def load_data(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """Windows of $length characters, as numbers (M, $length), and the next character of each of them (M, $length)."""
    names = $names
    paths = [place / name for place in (folder / "$folder", folder) for name in names]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise FileNotFoundError(
            f"There is no tinyshakespeare.txt in {folder}. Give the folder that holds it with --data-dir, "
            "or download it: $url"
        )
    text = found[0].read_text("ascii")
    windows = len(text) // ($length + 1)  # no character stands in two of them
    numbers = np.array([CHARACTERS.index(character) for character in text[: windows * ($length + 1)]], np.int64)
    numbers = numbers.reshape(windows, $length + 1)
    return numbers[:, :-1].copy(), numbers[:, 1:].copy()
'''
