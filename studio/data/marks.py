"""What a person said of single samples: another class, or to be looked at later. The data’s files stay as they are.

Axis letters: M samples of the whole dataset.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from studio.data.base import DataError, Learnable, Samples, Target
from studio.fields import FieldError

if TYPE_CHECKING:
    import numpy as np

MOST = 100_000  # samples with a mark
LONGEST_NAME, LONGEST_NOTE = 1_000, 2_000  # characters


@dataclass(frozen=True, order=True)
class Relabelled:
    """Another class for a sample than its file says.

    Args:
        sample: its number.
        label: name of the class.
        digest: of its content, 32 hexadecimal digits: another sample under this number is not meant.
    """

    sample: int
    label: str
    digest: str


@dataclass(frozen=True, order=True)
class Later:
    """A sample to be looked at later.

    Args:
        sample: its number.
        note: what is to be thought of.
    """

    sample: int
    note: str = ""


M = TypeVar("M", Relabelled, Later)


def content_digest(inputs: Sequence[np.ndarray | Learnable], contents: np.ndarray | None, sample: int) -> str:
    """What tells the content of a sample from others: 32 hexadecimal digits.

    Args:
        inputs: as in `Samples`.
        contents: a digest of each sample's file (M, 16) uint8, which counts alone, since it does not depend on how the
            file is read; None if there is none.
    """
    import numpy as np

    if contents is not None:
        return bytes(contents[sample]).hex()
    digest = hashlib.blake2b(digest_size=16)
    for values in inputs:
        if isinstance(values, Learnable):
            text = values.text(sample).encode("utf-8", "surrogatepass")
            digest.update(b"|%d|" % len(text) + text)
        else:
            row = np.ascontiguousarray(values[sample])
            digest.update(f"|{row.dtype.str}{row.shape}".encode() + row.tobytes())
    return digest.hexdigest()


def with_labels(samples: Samples, target: Target, marks: Sequence[Relabelled]) -> np.ndarray:
    """The targets of samples, with the classes that a person gave some of them.

    Args:
        target: what the source wants predicted.

    Raises:
        DataError: if samples have no single class, or one of the marks means another sample or an unknown class.
    """
    if not marks:
        return samples.targets
    if reason := refusal(target):
        raise DataError(reason)
    names = target.names or samples.names
    numbers = {name: number for number, name in enumerate(names)}
    labels = samples.targets.copy()
    for mark in marks:
        if mark.sample >= len(labels) or mark.digest != content_digest(samples.inputs, samples.contents, mark.sample):
            raise DataError(
                f"Sample {mark.sample + 1:,} was given the class “{mark.label}” by hand, and is another sample now: "
                f"its file, or how it is read, has changed. {_CLEAR}"
            )
        if mark.label not in numbers:
            raise DataError(
                f"Sample {mark.sample + 1:,} was given the class “{mark.label}” by hand, and there is no such class "
                f"any more. {_CLEAR}"
            )
        labels[mark.sample] = numbers[mark.label]
    return labels


_CLEAR = "Take the changed labels back in the Data place, and give them anew."


def refusal(target: Target) -> str:
    """Why samples cannot be given another class, in words; empty if they can."""
    if target.task == "classification" and not target.dims:
        return ""
    reasons = {
        "regression": "numbers are predicted here",
        "multi-label": "a sample may have several labels here",
        "detection": "there are rectangles to predict here",
        "classification": "each place of a sample has a class of its own here",
    }
    reason = reasons.get(target.task, "they have not one class each here")
    return f"Samples cannot be given another class: {reason}."


def relabelled_json(marks: Sequence[Relabelled]) -> list[list[Any]]:
    """As plain JSON values."""
    return [[mark.sample, mark.label, mark.digest] for mark in marks]


def relabelled_from_json(data: object) -> tuple[Relabelled, ...]:
    """From plain JSON values. Raises FieldError."""
    return _checked("relabelled", data, _relabelled, "a list of sample, class and digest")


def _relabelled(item: object) -> Relabelled | None:
    if not isinstance(item, list) or len(item) != 3:
        return None
    sample, label, digest = item
    fits = _is_number(sample) and isinstance(label, str) and len(label) <= LONGEST_NAME and isinstance(digest, str)
    return Relabelled(sample, label, digest) if fits and re.fullmatch("[0-9a-f]{32}", digest) else None


def later_json(marks: Sequence[Later]) -> list[dict[str, Any]]:
    """As plain JSON values."""
    return [{"sample": mark.sample, **({"note": mark.note} if mark.note else {})} for mark in marks]


def later_from_json(data: object) -> tuple[Later, ...]:
    """From plain JSON values. Raises FieldError."""
    return _checked("later", data, _later, "a list of objects with sample and note")


def _later(item: object) -> Later | None:
    if not isinstance(item, Mapping) or set(item) - {"sample", "note"} or not _is_number(item.get("sample")):
        return None
    note = item.get("note", "")
    return Later(item["sample"], note) if isinstance(note, str) and len(note) <= LONGEST_NOTE else None


def _checked(name: str, data: object, read: Callable[[object], M | None], wanted: str) -> tuple[M, ...]:
    found = [read(item) for item in data] if isinstance(data, list) and len(data) <= MOST else [None]
    marks = tuple(mark for mark in found if mark is not None)
    if len(marks) < len(found) or any(a.sample >= b.sample for a, b in itertools.pairwise(marks)):
        raise FieldError("Data", name, f"must be {wanted}, different samples in order, at most {MOST:,}")
    return marks


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53
