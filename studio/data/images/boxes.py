"""Reads rectangles on pictures: Pascal VOC (an XML file for each picture) and COCO (one JSON file for all)."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from studio.data.base import DataError, MissingDataError
from studio.data.images.files import TEST, TRAIN, VALIDATION, Finder
from studio.data.listing import Box
from studio.data.own_files import printable
from studio.storage import StorageError, parse_json, read_bytes

MOST_XML_BYTES = 2**22
MOST_JSON_BYTES = 100_000_000
MOST_BOXES = 5_000_000
_PEEKED = 200  # entries of a folder
_FOLDERS = ("annotations", "annotation", "labels", "train", "valid", "val", "test")
_BEGINNING = 4_096


@dataclass(frozen=True, eq=False)
class Boxed:
    """Pictures with rectangles, in the order of `Samples`.

    Args:
        root: the folder in which they are.
        pictures: M paths below it; of a picture that is not there the name in the file.
        boxes: of each picture.
        classes: all names, in order.
        problems: what is wrong with the files, in sentences.
        validation_start, test_start: as in `Samples`.
    """

    root: Path
    pictures: list[str]
    boxes: list[tuple[Box, ...]]
    classes: tuple[str, ...]
    problems: tuple[str, ...] = ()
    validation_start: int | None = None
    test_start: int | None = None


def has_boxes(path: Path) -> bool:
    """Whether a folder or a JSON file holds rectangles on pictures; beginnings of files are read."""
    if path.is_file():
        return path.suffix.lower() == ".json" and _is_coco(path)
    places = [path, *_folders(path, _FOLDERS)]
    # What archives unpack to: one folder with all in it.
    places += [] if len(places) > 1 else [p for one in _folders(path)[:1] for p in (one, *_folders(one, _FOLDERS))]
    return any(_is_voc(file) or _is_coco(file) for place in places for file in _first_files(place))


def _folders(path: Path, names: Sequence[str] = ()) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            some = [entry for entry, _ in zip(entries, range(_PEEKED), strict=False) if entry.is_dir()]
    except (OSError, ValueError):
        return []
    return [Path(entry.path) for entry in some if not names or entry.name.lower() in names]


def _first_files(folder: Path) -> list[Path]:
    """A few files that may hold rectangles."""
    found: list[Path] = []
    try:
        with os.scandir(folder) as entries:
            for entry, _ in zip(entries, range(_PEEKED), strict=False):
                wanted = entry.name.lower().endswith((".xml", ".json")) and not entry.name.startswith(".")
                if wanted and entry.is_file():
                    found.append(Path(entry.path))
    except (OSError, ValueError):
        return []
    return sorted(found)[:5]


def _beginning(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_BEGINNING)
    except OSError:
        return b""


def _is_voc(path: Path) -> bool:
    return path.suffix.lower() == ".xml" and b"<annotation" in _beginning(path)


def _is_coco(path: Path) -> bool:
    start = _beginning(path)
    if path.suffix.lower() != ".json" or not start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{"):
        return False
    return any(word in start for word in (b'"images"', b'"annotations"', b'"categories"', b'"licenses"', b'"info"'))


def find_boxed(path: Path) -> Boxed:
    """All pictures and rectangles of a folder, or of a JSON file and the folder around it.

    Raises:
        MissingDataError: if there are none.
        DataError: if a file is broken; the message names it.
    """
    root = Path(os.path.realpath(path if path.is_dir() else path.parent))
    finder = _AllFiles(root)
    finder.add(root, 4)
    files = [path.name] if path.is_file() else [name for name in finder.others if name.lower().endswith(".json")]
    coco = [name for name in files if _is_coco(root / name)]
    found = _Collected(_by_name(finder.names))
    if coco:
        for name in coco:
            found.add_coco(root, name)
    else:
        for name in finder.others:
            if name.lower().endswith(".xml"):
                found.add_voc(root, name)
    if not found.boxes:
        raise MissingDataError(
            f"{printable(str(path), 200)} holds no rectangles on pictures: neither XML files of Pascal VOC nor a JSON "
            "file of COCO with pictures beside it."
        )
    return found.result(root, _sets(root, finder.others))


class _AllFiles(Finder):
    """Also collects the files that are no pictures."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.others: list[str] = []

    def other(self, name: str) -> None:
        """Keep it if it may hold rectangles."""
        if name.lower().endswith((".xml", ".json", ".txt")):
            self.others.append(name)


def _by_name(names: Sequence[str]) -> dict[str, str]:
    """Pictures by their path, and by their name alone where that is one picture's only."""
    known: dict[str, str] = {}
    for name in names:
        short = name.rpartition("/")[2]
        known[short] = "" if short in known else name
    return {**{short: name for short, name in known.items() if name}, **{name: name for name in names}}


class _Collected:
    """Pictures and rectangles as they are read."""

    def __init__(self, pictures: dict[str, str]) -> None:
        self.known = pictures
        self.boxes: dict[str, list[Box]] = {}
        self.odd = 0
        self.total = 0

    def add_voc(self, root: Path, name: str) -> None:
        """One picture of Pascal VOC. Raises DataError."""
        top = _xml(root / name)
        if top is None:
            return
        stem = os.path.splitext(name)[0]
        said = (top.findtext("filename") or "").strip().replace("\\", "/").rpartition("/")[2]
        endings = [f"{os.path.basename(stem)}{ending}" for ending in (".jpg", ".jpeg", ".png", ".JPG")]
        picture = next((self.known[known] for known in (said, *endings) if known in self.known), said or stem)
        boxes = self.boxes.setdefault(picture, [])
        for item in top.iterfind("object"):
            place = item.find("bndbox")
            sides = ("xmin", "ymin", "xmax", "ymax")
            values = [_number(place.findtext(side) if place is not None else None) for side in sides]
            self._add(boxes, (item.findtext("name") or "").strip(), values)

    def add_coco(self, root: Path, name: str) -> None:
        """All pictures of a COCO file. Raises DataError."""
        data = _json(root / name)
        folder = name.rpartition("/")[0]
        try:
            names = {kind["id"]: str(kind["name"]) for kind in data["categories"]}
            pictures = {one["id"]: self._coco_picture(folder, str(one["file_name"])) for one in data["images"]}
            for picture in pictures.values():
                self.boxes.setdefault(picture, [])
            for one in data["annotations"]:
                left, top, width, height = (_number(value) for value in one["bbox"])
                right = None if left is None or width is None else left + width
                bottom = None if top is None or height is None else top + height
                self._add(self.boxes[pictures[one["image_id"]]], names[one["category_id"]], [left, top, right, bottom])
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{printable(str(root / name), 200)} is no COCO file: it must have images, categories and annotations "
                f"with a bbox each ({type(error).__name__}: {printable(str(error), 60)})."
            ) from error

    def _coco_picture(self, folder: str, said: str) -> str:
        plain = said.replace("\\", "/")
        spellings = (f"{folder}/{plain}" if folder else plain, plain, plain.rpartition("/")[2])
        return next((self.known[known] for known in spellings if known in self.known), plain)

    def _add(self, boxes: list[Box], name: str, values: Sequence[float | None]) -> None:
        self.total += 1
        if self.total > MOST_BOXES:
            raise DataError(f"There are more than {MOST_BOXES:,} rectangles.")
        left, top, right, bottom = values
        if not name or left is None or top is None or right is None or bottom is None or right <= left or bottom <= top:
            self.odd += 1
        else:
            boxes.append(Box(name, left, top, right, bottom))

    def result(self, root: Path, sets: dict[str, int]) -> Boxed:
        """All of it, in the order of train, validation and test."""
        part = {name: _part(name, sets) for name in self.boxes}
        kinds = set(part.values())
        if kinds == {0, 1}:  # a validation set alone is the test
            part = {name: 2 * number for name, number in part.items()}
        if 0 not in kinds:
            part = dict.fromkeys(part, 0)
        ordered = sorted(part, key=lambda name: (part[name], name))
        numbers = [part[name] for name in ordered]
        own = {number: numbers.index(number) for number in (1, 2) if number in numbers}
        there = set(self.known.values())
        missing = [name for name in ordered if name not in there]
        # A name that is not below the folder must not lead anywhere else.
        paths = [name if name in there else f"missing/{os.path.basename(name)}" for name in ordered]
        classes = tuple(sorted({box.name for boxes in self.boxes.values() for box in boxes}))
        return Boxed(
            root, paths, [tuple(self.boxes[name]) for name in ordered], classes, self._problems(missing),
            own.get(1) if 2 in own else None, own.get(2),
        )  # fmt: skip

    def _problems(self, missing: Sequence[str]) -> tuple[str, ...]:
        found = []
        if missing:
            names = ", ".join(f"“{printable(name)}”" for name in missing[:3])
            found.append(f"{len(missing):,} pictures that have rectangles are not there: {names}.")
        if self.odd:
            found.append(f"{self.odd:,} rectangles have no name, no numbers or no area, and are not used.")
        return tuple(found)


def _number(value: object) -> float | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) and abs(number) < 1e7 else None


def _xml(path: Path) -> ElementTree.Element | None:
    """The top of an annotation; None for XML of other kinds. Raises DataError."""
    where = printable(str(path), 200)
    try:
        content = read_bytes(path, MOST_XML_BYTES)
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:  # by which a small file can become gigabytes
            raise DataError(f"{where} declares entities, which no annotation needs. It is not read.")
        top = ElementTree.fromstring(content)
    except StorageError as error:
        raise DataError(str(error)) from error
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise DataError(f"{where} is no whole XML file: {error}. Mend or remove it.") from error
    return top if top.tag == "annotation" else None


def _json(path: Path) -> dict[str, Any]:
    try:
        data = parse_json(read_bytes(path, MOST_JSON_BYTES), printable(str(path), 200))
    except StorageError as error:
        raise DataError(str(error)) from error
    if not isinstance(data, dict):
        raise DataError(f"{printable(str(path), 200)} is no COCO file: it is no object with images and annotations.")
    return data


def _sets(root: Path, others: Sequence[str]) -> dict[str, int]:
    """Pascal VOC's own sets: names without endings, and 0, 1 or 2 for train, validation and test."""
    found: dict[str, int] = {}
    for number, names in enumerate((TRAIN, VALIDATION, TEST)):
        for other in others:
            folder, _, file = other.lower().rpartition("/")
            if folder.endswith("imagesets/main") and os.path.splitext(file)[0] in names:
                lines = read_bytes(root / other, MOST_XML_BYTES).decode("utf-8", "replace").split("\n")
                found.update((line.split()[0], number) for line in lines if line.strip())
    return found


def _part(name: str, sets: dict[str, int]) -> int:
    own = sets.get(os.path.splitext(os.path.basename(name))[0])
    if own is not None:
        return own
    parts = [part.lower() for part in name.split("/")[:-1]]
    matches = ((1, VALIDATION), (2, TEST))
    return next((n for n, names in matches if any(part.removesuffix("2017") in names for part in parts)), 0)
