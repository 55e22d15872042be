"""Python that reads texts without the studio, for the exported training script.

What `text_tables` finds out about a table is settled here: the script reads that table, and no other kind. Folders are
read as `text_folders` reads them, IMDB's reviews as `imdb` does.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from studio.data.base import LoadingCode, literal
from studio.data.tables.dialect import MAX_CELL
from studio.data.texts import imdb
from studio.data.texts.folders import SUFFIXES, ClassFolders
from studio.data.texts.reading import Labelled
from studio.data.texts.rules import FIND_OUT
from studio.data.texts.tables import Layout
from studio.data.texts.tokens import TokenRules


def for_own(read: Labelled, place: Path, encoding: str, tokens: TokenRules) -> LoadingCode:
    """The code for a person's own texts.

    Args:
        read: what was read of them.
        place: the file or folder from which it was.
        encoding: one of ENCODINGS, in which the files of a folder are.
        tokens: how they are cut.
    """
    assert read.form is not None, "only a known dataset has none"
    imports, functions, own = (
        _table(read.form) if isinstance(read.form, Layout) else _folders(read.form, place, encoding)
    )
    # Whole numbers are in the order of their values.
    by_text = list(read.names) == sorted(read.names)
    numbers = Template(_CLASS_NUMBERS).substitute(key="" if by_text else ", key=lambda label: (int(label), label)")
    return LoadingCode(
        _joined(numbers, *functions),
        imports,
        takes_folder=True,
        own_splits=own,
        place=str(place.absolute()),
        tokens=tokens,
    )


def for_imdb(tokens: TokenRules) -> LoadingCode:
    """The code for IMDB's reviews, in a folder or in their archive."""
    parts = ", ".join(literal("/".join(part)) for part in imdb.PARTS)
    reading = Template(_IMDB).substitute(parts=f"({parts})", folder=imdb.FOLDER, archive=imdb.ARCHIVE, url=imdb.URL)
    return LoadingCode(
        _joined(_DECODE, reading),
        ("import codecs", "import tarfile"),
        takes_folder=True,
        own_splits=("test",),
        tokens=tokens,
    )


# Imports, functions, and the splits that the texts bring.
_Code = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]


def _joined(*pieces: str) -> str:
    return "\n\n\n".join(piece.strip("\n") for piece in pieces)


def _table(layout: Layout) -> _Code:
    if not layout.separator:
        text, label = map(literal, layout.names)
        reading = Template(_JSON_LINES).substitute(encoding=layout.encoding, text=text, label=label)
        return ("import json",), (reading,), ()
    reading = Template(_TABLE).substitute(
        encoding=layout.encoding,
        text=layout.text,
        label=layout.label,
        largest=f"2**{MAX_CELL.bit_length() - 1}",
        rows=Template(_ROWS[layout.quotes]).substitute(separator=literal(layout.separator)),
        below="    del rows[0]  # the header\n" if layout.header else "",
    )
    return ("import csv",), (reading,) if layout.quotes else (_UNQUOTED, reading), ()


def _folders(where: ClassFolders, place: Path, encoding: str) -> _Code:
    finding = encoding == FIND_OUT
    decoded = "decode(path.read_bytes())"
    if not finding:
        decoded = f'path.read_bytes().decode("{"utf-8-sig" if encoding == "utf-8" else encoding}")'
    reading = Template(_READ_CLASSES).substitute(decoded=decoded, suffixes=", ".join(map(literal, SUFFIXES)))
    parts = {"train": where.train, "validation": where.validation, "test": where.test}
    paths = {name: _below(part, place) for name, part in parts.items() if part is not None}
    own = tuple(name for name in paths if name != "train")
    loading = Template(_PARTS[own]).substitute(paths)
    imports = ("import codecs", "import os") if finding else ("import os",)
    return imports, (_DECODE, reading, loading) if finding else (reading, loading), own


def _below(part: Path, place: Path) -> str:
    """Python for a folder in the one that `load_data` takes."""
    return " / ".join(["folder", *map(literal, part.relative_to(place).parts)])


_CLASS_NUMBERS = '''
def class_numbers(labels: list[str]) -> np.ndarray:
    """The number of each label (M,), counted in the order of all labels."""
    numbers = {label: number for number, label in enumerate(sorted(set(labels)$key))}
    return np.array([numbers[label] for label in labels], np.int64)
'''

# By whether quotes hold a cell together.
_ROWS = {
    True: """\
        rows = [row for row in csv.reader(file, delimiter=$separator) if any(row)]
""",
    False: """\
        lines = csv.reader(file, delimiter=$separator, quoting=csv.QUOTE_NONE)  # some quotes in it are never closed
        rows = [list(map(unquoted, row)) for row in lines if any(row)]
""",
}

_UNQUOTED = '''
def unquoted(cell: str) -> str:
    """A cell without the quotes around it; any others mean nothing in this table."""
    whole = len(cell) >= 2 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if whole else cell
'''

_TABLE = '''
TEXT, LABEL = $text, $label  # columns, counted from 0


def load_data(path: Path) -> tuple[list[str], np.ndarray]:
    """The texts of the table and their class numbers (M,). Rows without a text or a label are left out."""
    csv.field_size_limit($largest)  # characters of a cell: a text can be longer than what is usual
    with open(path, encoding="$encoding", newline="") as file:
$rows$below    texts, labels = [], []
    for row in rows:
        if len(row) > max(TEXT, LABEL) and row[TEXT].strip() and row[LABEL].strip():
            texts.append(row[TEXT].strip())
            labels.append(row[LABEL].strip())
    return texts, class_numbers(labels)
'''

_JSON_LINES = '''
def as_text(value: object) -> str:
    """What stands in a field; nothing if that is a list or an object."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).strip() if isinstance(value, str | int | float) else ""


def load_data(path: Path) -> tuple[list[str], np.ndarray]:
    """The texts in the lines and their class numbers (M,). Lines without a text or a label are left out."""
    texts, labels = [], []
    with open(path, encoding="$encoding") as file:
        items = [json.loads(line) for line in file if line.strip()]
    for item in items:
        text, label = as_text(item.get($text)), as_text(item.get($label))
        if text and label:
            texts.append(text.encode("utf-8", "replace").decode())  # JSON can hold half characters, a tokenizer cannot
            labels.append(label)
    return texts, class_numbers(labels)
'''

_DECODE = '''
def decode(content: bytes) -> str:
    """The text of a file in UTF-8 or, with a mark at its beginning, UTF-16; else as Windows writes it in the West."""
    marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16" if marked else "utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    return content.decode("latin-1")
'''

_READ_CLASSES = '''
def read_classes(folder: Path) -> tuple[list[str], list[str]]:
    """The texts below a folder that has a folder for each class, and the class of each; in the order of all names."""
    texts, labels = [], []
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        for name in sorted(os.listdir(place)):
            path, suffix = place / name, os.path.splitext(name)[1].lower()
            if suffix in ($suffixes) and not name.startswith(".") and path.is_file():
                texts.append($decoded)
                labels.append(place.name)
    return texts, labels
'''

# By which splits the folders bring.
_PARTS: dict[tuple[str, ...], str] = {
    (): '''
def load_data(folder: Path) -> tuple[list[str], np.ndarray]:
    """The texts and their class numbers (M,)."""
    texts, labels = read_classes($train)
    return texts, class_numbers(labels)
''',
    ("test",): '''
def load_data(folder: Path) -> tuple[list[str], np.ndarray, int]:
    """The texts, their class numbers (M,), and the number of the first test text."""
    texts, labels = read_classes($train)
    test_texts, test_labels = read_classes($test)
    return texts + test_texts, class_numbers(labels + test_labels), len(texts)
''',
    ("validation", "test"): '''
def load_data(folder: Path) -> tuple[list[str], np.ndarray, int, int]:
    """The texts, their class numbers (M,), and the numbers of the first validation text and the first test text."""
    texts, labels = read_classes($train)
    validation_texts, validation_labels = read_classes($validation)
    test_texts, test_labels = read_classes($test)
    validation_start, test_start = len(texts), len(texts) + len(validation_texts)
    numbers = class_numbers(labels + validation_labels + test_labels)
    return texts + validation_texts + test_texts, numbers, validation_start, test_start
''',
}

_IMDB = '''
PARTS = $parts


def read_reviews(folder: Path) -> dict[str, list[bytes]]:
    """The reviews of each part, in the order of their files' names."""
    for place in (folder / "$folder", folder):
        if all((place / part).is_dir() for part in PARTS):
            return {part: [path.read_bytes() for path in sorted((place / part).glob("*.txt"))] for part in PARTS}
    if not (folder / "$archive").is_file():
        raise FileNotFoundError(
            f"There is no $archive in {folder}. Give the folder that holds it with --data-dir, "
            "or download it: $url"
        )
    files = {part: {} for part in PARTS}
    with tarfile.open(folder / "$archive") as archive:
        for member in archive:
            part = "/".join(member.name.split("/")[1:3])
            if part in PARTS and member.name.endswith(".txt"):
                files[part][member.name] = archive.extractfile(member).read()
    return {part: [content for _, content in sorted(files[part].items())] for part in PARTS}


def load_data(folder: Path) -> tuple[list[str], np.ndarray, int]:
    """The reviews, a class number for each (M,), 1 for a good one, and the number of the first test review."""
    reviews = read_reviews(folder)
    texts = [decode(content).replace("<br />", " ") for part in PARTS for content in reviews[part]]
    labels = np.array([part.endswith("/pos") for part in PARTS for _ in reviews[part]], np.int64)
    return texts, labels, len(reviews["train/neg"]) + len(reviews["train/pos"])
'''
