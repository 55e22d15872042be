"""Finds masks that belong to pictures, and reads which class each pixel has."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.data import cache
from studio.data.base import IGNORED, DataError, MissingDataError, Progress
from studio.data.images.decode import (
    Form,
    PictureError,
    crop_box,
    decode_codes,
    decoder_name,
    padded_size,
    read_file,
)
from studio.data.images.files import TEST, TRAIN, VALIDATION, Finder, is_picture
from studio.data.images.rules import CROP, PAD
from studio.data.images.store import MOST_THREADS, Decoded, Job, Row, decoded, peeked, read_row, stamp
from studio.data.own_files import printable
from studio.storage import StorageError

if TYPE_CHECKING:
    import numpy as np

PICTURES = ("images", "image", "imgs", "img", "jpegimages", "pictures", "photos", "inputs")
MASKS = ("masks", "mask", "labels", "label", "annotations", "segmentationclass", "gt", "groundtruth", "segmentations",
         "targets", "trimaps")  # fmt: skip
MOST_CLASSES = 127  # class numbers fit into a byte
VOID = 255  # by custom: a place that has no class
_ENDING = re.compile(r"[-_. ](mask|masks|label|labels|seg|segmentation|gt|l)$", re.IGNORECASE)
_HALF = 128  # of 255: from here on a pixel belongs to an object
_PEEKED = 200


@dataclass(frozen=True, eq=False)
class Masked:
    """Pictures with their masks, in the order of `Samples`.

    Args:
        root: the folder in which they are.
        pictures: M paths below it.
        masks: of each picture the paths of its masks; several are one object each.
        validation_start, test_start: as in `Samples`.
        alone: how many pictures have no mask, and are not used.
    """

    root: Path
    pictures: list[str]
    masks: list[tuple[str, ...]]
    validation_start: int | None = None
    test_start: int | None = None
    alone: int = 0

    @property
    def of_objects(self) -> bool:
        """Whether each mask file is one object."""
        return any(len(some) != 1 for some in self.masks)


@dataclass(frozen=True)
class Coding:
    """Which number in the masks is which class.

    Args:
        codes: the numbers, in the order of the classes; none if all from `_HALF` on are the second of two.
        names: of the classes.
    """

    codes: tuple[int, ...]
    names: tuple[str, ...]

    def classes(self, codes: np.ndarray) -> np.ndarray:
        """Class numbers (H, W) int8 of the numbers in a mask; IGNORED for all others."""
        import numpy as np

        if not self.codes:
            return (codes >= _HALF).astype(np.int8)
        known = np.array(self.codes)
        places = np.minimum(np.searchsorted(known, codes), len(known) - 1)
        found: np.ndarray = np.where(known[places] == codes, places, IGNORED)
        return found.astype(np.int8)


def has_masks(folder: Path) -> bool:
    """Whether a folder holds pictures and masks; only a part of the entries is looked at."""
    return _layout(folder) is not None


def find_masked(folder: Path) -> Masked:
    """All pictures with masks below a folder. Only names are read.

    Raises:
        MissingDataError: if there are none.
        DataError: if there are too many, or a folder cannot be read.
    """
    root = Path(os.path.realpath(folder))
    layout = _layout(root)
    if layout is not None:
        finder = Finder(root)
        finder.add(root, 4)
        found = _paired(finder.names)
        if found:
            return _ordered(root, found, finder.names)
    raise MissingDataError(
        f"{printable(str(folder), 200)} holds no pictures with masks. Put pictures into a folder “images” and their "
        "masks, of the same names, into a folder “masks” beside it."
    )


def _layout(folder: Path, depth: int = 3) -> str | None:
    """How pictures and masks are named: "folders", "samples" (a folder each) or "endings"; None if there are none."""
    entries = _entries(folder)
    folders = {entry.name.lower(): Path(entry.path) for entry in entries if entry.is_dir()}
    if _both(folders):
        return "folders"
    files = [entry.name for entry in entries if is_picture(entry.name)]
    stems = {os.path.splitext(name)[0] for name in files}
    marked = [stem for stem in stems if _ENDING.sub("", stem) != stem]
    if marked and sum(_ENDING.sub("", stem) in stems for stem in marked) * 3 > len(files):
        return "endings"
    if not depth or files:
        return None
    parts = [path for name, path in sorted(folders.items()) if name in (*TRAIN, *VALIDATION, *TEST)]
    below = parts[:1] or list(folders.values())[:3]
    return next((found for path in below if (found := _layout(path, depth - 1))), None)


def _both(folders: dict[str, Path]) -> bool:
    """Whether there are pictures in a folder for them, and pictures in one for masks."""
    pictures = [path for name, path in folders.items() if _plain(name) in PICTURES]
    masks = [path for name, path in folders.items() if _plain(name) in MASKS]
    return any(map(_holds_pictures, pictures)) and any(map(_holds_pictures, masks))


def _holds_pictures(folder: Path, depth: int = 1) -> bool:
    entries = _entries(folder)
    if any(is_picture(entry.name) for entry in entries):
        return True
    return depth > 0 and any(_holds_pictures(Path(entry.path), depth - 1) for entry in entries[:5] if entry.is_dir())


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            some = [entry for entry, _ in zip(entries, range(_PEEKED), strict=False)]
    except (OSError, ValueError):
        return []
    return [entry for entry in some if not entry.name.startswith(".") and entry.name != "__MACOSX"]


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")


def _paired(names: Sequence[str]) -> dict[str, list[str]]:
    """Pictures, and the masks of each.

    A mask belongs to the picture whose path is the same but for the folder of masks, and an ending such as _mask; if
    its folder of masks lies beside one with a single picture, it is one of that picture's objects.
    """
    pictures = {_key(name): name for name in names if not _is_mask(name)}
    alone: dict[str, list[str]] = {}
    for name in pictures.values():
        alone.setdefault(_folder_key(name), []).append(name)
    found: dict[str, list[str]] = {name: [] for name in pictures.values()}
    for name in filter(_is_mask, names):
        beside = alone.get(_folder_key(name), [])
        picture = (
            pictures.get(_key(name)) or pictures.get(_key(name, True)) or (beside[0] if len(beside) == 1 else None)
        )
        if picture is not None:
            found[picture].append(name)
    return found if any(found.values()) else {}


def _is_mask(name: str) -> bool:
    *folders, file = name.split("/")
    plain = [_plain(folder) for folder in folders]
    if any(folder in MASKS for folder in plain):
        return True
    return (
        not any(folder in PICTURES for folder in plain)
        and _ENDING.sub("", os.path.splitext(file)[0]) != (os.path.splitext(file)[0])
    )


def _key(name: str, shortened: bool = False) -> str:
    """What a picture and its mask have in common; of some masks only without an ending such as _mask."""
    stem = os.path.splitext(name.rpartition("/")[2])[0]
    return f"{_folder_key(name)}/{_ENDING.sub('', stem) if shortened else stem}"


def _folder_key(name: str) -> str:
    """The folder without the parts that say what is in it."""
    return "/".join(part for part in name.split("/")[:-1] if _plain(part) not in (*PICTURES, *MASKS))


def _ordered(root: Path, found: dict[str, list[str]], names: Sequence[str]) -> Masked:
    """Train, then validation, then test, if there are such folders; a validation set alone is the test."""
    part = {name: _part(name) for name, masks in found.items() if masks}
    kinds = set(part.values())
    if kinds == {0, 1}:
        part = {name: 2 if number == 1 else 0 for name, number in part.items()}
    if 0 not in kinds:
        part = dict.fromkeys(part, 0)
    ordered = sorted(part, key=lambda name: (part[name], name))
    numbers = [part[name] for name in ordered]
    own = {number: numbers.index(number) for number in (1, 2) if number in numbers}
    return Masked(
        root, ordered, [tuple(sorted(found[name])) for name in ordered],
        own.get(1) if 2 in own else None, own.get(2), len(found) - len(ordered),
    )  # fmt: skip


def _part(name: str) -> int:
    parts = [part.lower() for part in name.split("/")[:-1]]
    return next((n for n, names in ((1, VALIDATION), (2, TEST)) if any(part in names for part in parts)), 0)


def job(masked: Masked, form: Form) -> Job:
    """The pictures to decode, and a class for each of their pixels."""
    return Job(masked.root, masked.pictures, form, (("masks", "|i1", (form.height, form.width)),), "masks 1")


def read(masked: Masked, form: Form, progress: Progress | None = None) -> tuple[Decoded, Coding]:
    """All pictures and masks, from the cache or decoded now. Raises DataError."""
    coding = coding_of(masked, progress)
    work = job(masked, form)

    def row(index: int) -> Row:
        return _row(work, masked, coding, index)

    return decoded(work, row, progress, extra=_mask_names(masked)), coding


def seen(masked: Masked, form: Form) -> Decoded | None:
    """The same if they were decoded before."""
    return peeked(job(masked, form), _mask_names(masked))


def _mask_names(masked: Masked) -> list[str]:
    return [f"{name}" for some in masked.masks for name in some]


def _row(work: Job, masked: Masked, coding: Coding, index: int) -> Row:
    """A picture and its mask; blank if either cannot be read."""
    import numpy as np

    arrays, header, reason = read_row(work, index)
    mask = np.full((work.form.height, work.form.width), IGNORED, np.int8)
    if not reason:
        try:
            whole = mask_of(masked, coding, index)
            if whole.shape != (header.height, header.width):
                raise PictureError(f"has {whole.shape[0]}×{whole.shape[1]} pixels, other than its picture")
            mask = _fitted(whole, work.form)
        except PictureError as error:
            reason = f"has a mask that {error}"
            arrays |= {"images": np.zeros_like(arrays["images"]), "sizes": np.zeros(2, np.int32)}
    return {**arrays, "masks": mask}, header, reason


def mask_of(masked: Masked, coding: Coding, index: int) -> np.ndarray:
    """The class of each pixel of a picture (H, W) int8. Raises PictureError."""
    import numpy as np

    found: np.ndarray | None = None
    for name in masked.masks[index]:
        codes = decode_codes(read_file(os.path.join(masked.root, name)))
        if not masked.of_objects:
            return coding.classes(codes)
        inside = codes > 0
        if found is not None and found.shape != inside.shape:
            raise PictureError("has other pixels than the mask of another object")
        found = inside if found is None else found | inside
    assert found is not None, "a picture without masks is not used"
    return found.astype(np.int8)


def _fitted(mask: np.ndarray, form: Form) -> np.ndarray:
    """A mask (H, W) int8 as its picture is fitted: the nearest pixel each; where a picture is padded, no class."""
    import numpy as np

    height, width = mask.shape
    size, left, top, box = (form.width, form.height), 0, 0, (0.0, 0.0, float(width), float(height))
    if form.fit == CROP:
        box = crop_box(width, height, form)
    if form.fit == PAD:
        size = padded_size(width, height, form)
        left, top = (form.width - size[0]) // 2, (form.height - size[1]) // 2
    found = np.full((form.height, form.width), IGNORED, np.int8)
    rows = _nearest(box[1], box[3], size[1], height)
    columns = _nearest(box[0], box[2], size[0], width)
    found[top : top + size[1], left : left + size[0]] = mask[rows[:, None], columns]
    return found


def _nearest(first: float, last: float, count: int, length: int) -> np.ndarray:
    """For each of `count` places from `first` to `last` the pixel in whose middle it lies."""
    import numpy as np

    middles: np.ndarray = first + (np.arange(count) + 0.5) * ((last - first) / count)
    found: np.ndarray = np.minimum(np.floor(middles).astype(np.int64), length - 1)
    return found


def coding_of(masked: Masked, progress: Progress | None = None) -> Coding:
    """Which numbers there are in the masks, which is looked up in all of them once, and which classes they are.

    Raises:
        DataError: if there are too many to be classes.
    """
    if masked.of_objects:
        return Coding((), ("background", "object"))
    stamps = [stamp(masked.root, name) for name in _mask_names(masked)]
    key = cache.key_of([f"numbers of masks, {decoder_name()}", str(masked.root), *stamps])
    found: dict[str, Any] = {}

    def make(maker: cache.Maker) -> None:
        maker.about["codes"] = found["codes"] = _all_codes(masked, progress)

    codes: list[int]
    try:
        codes = cache.keep(key, str(masked.root), {}, make, progress).about["codes"]
    except StorageError:
        codes = found.get("codes") or _all_codes(masked, progress)
    return _coding(codes, masked)


def _all_codes(masked: Masked, progress: Progress | None) -> list[int]:
    """All numbers in the masks, at most some more than there may be classes; unreadable masks are passed over."""
    import numpy as np

    def codes(index: int) -> set[int]:
        try:
            found = decode_codes(read_file(os.path.join(masked.root, masked.masks[index][0])))
        except PictureError:
            return set()
        return set(np.unique(found)[: 4 * MOST_CLASSES].tolist())

    everything: set[int] = set()
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), thread_name_prefix="masks") as pool:
        try:
            for number, some in enumerate(pool.map(codes, range(len(masked.masks)))):
                everything |= some
                if progress is not None and number % 16 == 0:
                    progress(number, len(masked.masks))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(everything)[: 8 * MOST_CLASSES]


def _coding(codes: Sequence[int], masked: Masked) -> Coding:
    """The classes that numbers in masks are: 0 and 255 are background and object, as are the blurred ones of a JPEG."""
    greys = {code & VOID for code in codes} if all(_is_grey(code) for code in codes) else set(codes)
    lossy = masked.masks[0][0].lower().endswith((".jpg", ".jpeg"))
    if lossy or greys <= {0, VOID}:
        return Coding((), ("background", "object"))
    # By custom 255 marks what has no class. But of evenly spread greys it is the last, and a class like the others.
    spread = len(greys) <= 16 and max(greys - {VOID}) >= VOID // 3
    classes = [code for code in codes if code != VOID or spread]
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise DataError(
            f"The masks in {printable(str(masked.root), 200)} hold {len(classes):,} different numbers; classes are "
            f"2 to {MOST_CLASSES}. Does each number stand for an object? Then only a mask per object can be read."
        )
    if greys == {0, 1}:
        return Coding(tuple(classes), ("background", "object"))
    return Coding(tuple(classes), _names(masked.root, classes))


def _is_grey(code: int) -> bool:
    """Whether a colour is black, or has three equal channels."""
    return code in (0, (code & 255) * 0x010101)


def _names(root: Path, codes: Sequence[int]) -> tuple[str, ...]:
    """The classes as a file beside the folders calls them, a line each, or as they are numbered or coloured."""
    for name in ("classes.txt", "labels.txt", "codes.txt"):
        if not (root / name).is_file():
            continue
        with open(root / name, "rb") as file:
            lines = file.read(2**16).decode("utf-8", "replace").split("\n")
        words = [printable(line.strip(), 60) for line in lines if line.strip()]
        if max(codes) < len(words):
            return tuple(words[code] for code in codes)
    colours = max(codes) > VOID
    return tuple(f"#{code:06x}" if colours else str(code) for code in codes)
