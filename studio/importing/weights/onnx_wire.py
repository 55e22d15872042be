"""Reads the wire format of protocol buffers, as far as ONNX needs it: numbers of fields, and where they lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from studio.importing.weights.tensors import ForeignWeightsError

MAX_FIELDS = 3_000_000
MAX_TEXT_BYTES = 4_000


@dataclass(frozen=True)
class Place:
    """Content that stands in the file from `start` to before `end`."""

    start: int
    end: int

    @property
    def size(self) -> int:
        """In bytes."""
        return self.end - self.start


class Wire:
    """Fields of messages in a file; messages within one another are asked for one by one, never recursively."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_FIELDS
        self.whole = Place(0, file.seek(0, 2))

    def fields(self, message: Place) -> Iterator[tuple[int, int | Place]]:
        """Number and value of each field of a message: a whole number, or the place of anything else.

        Raises:
            ForeignWeightsError: if it is none, or has too many fields.
        """
        place = message.start
        while place < message.end:
            self._left -= 1
            if self._left < 0:
                raise ForeignWeightsError("has too many parts.")
            key, place = self._number(place, message.end)
            kind = key & 7
            if kind == 0:
                value, place = self._number(place, message.end)
                yield key >> 3, value
                continue
            if kind == 2:
                size, place = self._number(place, message.end)
            else:
                size = {1: 8, 5: 4}.get(kind, -1)
            if not 0 <= size <= message.end - place or key >> 3 == 0:
                raise ForeignWeightsError("is damaged, or no ONNX file.")
            yield key >> 3, Place(place, place + size)
            place += size

    def text(self, place: int | Place) -> str:
        """A text. Raises ForeignWeightsError if it is none, or too long."""
        if not isinstance(place, Place) or place.size > MAX_TEXT_BYTES:
            raise ForeignWeightsError("is damaged, or no ONNX file.")
        return self.read(place).decode("utf-8", "replace")

    def read(self, place: Place) -> bytes:
        """Bytes of the file."""
        self._file.seek(place.start)
        return self._file.read(place.size)

    def numbers(self, place: int | Place) -> list[int]:
        """Whole numbers: one, or several that are packed."""
        if isinstance(place, int):
            return [place]
        found, at = [], place.start
        if place.size > MAX_TEXT_BYTES:
            raise ForeignWeightsError("is damaged, or no ONNX file.")
        while at < place.end:
            number, at = self._number(at, place.end)
            found.append(number)
        return found

    def _number(self, place: int, end: int) -> tuple[int, int]:
        """A whole number of variable length, and where it ends."""
        self._file.seek(place)
        value = 0
        for shift, byte in enumerate(self._file.read(min(10, end - place))):
            value |= (byte & 0x7F) << (7 * shift)
            if byte < 0x80:
                return (value - 2**64 if value >= 2**63 else value), place + shift + 1
        raise ForeignWeightsError("is damaged, or no ONNX file.")
