"""Event files for TensorBoard, written without it: records of protocol buffers with checksums.

Sources: record.h and crc32c.h of TensorFlow (a record is its length, a checksum of that, the data, a checksum of that;
checksums are CRC-32C, rotated and shifted by a constant), event.proto and summary.proto.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from studio import storage
from studio.export.facts import OneRun, Source
from studio.export.formats import ExportError
from studio.project import Project, project_to_json

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5  # how a field of a protocol buffer is written
_POLYNOMIAL, _CONSTANT = 0x82F63B78, 0xA282EAD8
_STRING = 7  # the type of a tensor of texts


def write(source: Source, project: Project, target: Path) -> str:
    """Write a new folder with a folder for each run. Returns what was written.

    Raises:
        ExportError: if there is such a folder already, or there are no figures.
    """
    if not any(run.epochs for run in source.runs):
        raise ExportError(f"{source.path} has no figures of epochs. Nothing was written.")
    began = _began(source.path)
    with storage.making_folder(target) as folder:
        for number, run in enumerate(source.runs, 1):
            own = f"run-{number}/" if len(source.runs) > 1 else ""
            for split in ("train", "validation"):
                name = f"{own}{split}/events.out.tfevents.{int(began):010d}.{_host()}.1"
                folder.write(name, run_records(run, split, project, began))
    epochs = sum(len(run.epochs) for run in source.runs)
    return (
        f"Wrote {target}: {epochs:,} epochs of training and validation. Look at it with: tensorboard --logdir {target}"
    )


def _host() -> str:
    """The name of this machine, as TensorBoard has it in the names of files."""
    return "".join(c for c in socket.gethostname() if c.isalnum() or c == "-")[:40] or "host"


def _began(folder: Path) -> float:
    """When the run began, in seconds since 1970, as its folder's name or its age tells it."""
    try:
        return datetime.strptime(folder.name[:19], "%Y-%m-%d_%H-%M-%S").timestamp()
    except ValueError:
        return folder.stat().st_mtime


def run_records(run: OneRun, split: str, project: Project, began: float) -> Iterator[bytes]:
    """The records of an event file: its version, the settings as text, and the figures of a split after each epoch."""
    yield record(_event(began, 0, _field(3, _BYTES, b"brain.Event:2")))
    if split == "train":
        told = json.dumps(project_to_json(project)["training"], indent=1, ensure_ascii=False)
        yield record(_event(began, 0, _field(5, _BYTES, _text("settings", f"```\n{told}\n```"))))
    now = began
    for epoch in run.epochs:
        now += epoch.seconds
        for name, value in (epoch.train if split == "train" else epoch.validation).items():
            yield record(_event(now, epoch.step, _field(5, _BYTES, _scalar(name, value))))


def record(data: bytes) -> bytes:
    """One record."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked(length)) + data + struct.pack("<I", _masked(data))


def _event(seconds: float, step: int, what: bytes) -> bytes:
    return _field(1, _DOUBLE, struct.pack("<d", seconds)) + _field(2, _VARINT, _varint(step)) + what


def _scalar(name: str, value: float) -> bytes:
    return _field(1, _BYTES, _field(1, _BYTES, name.encode()) + _field(2, _FLOAT, struct.pack("<f", value)))


def _text(name: str, text: str) -> bytes:
    """A summary for the plugin of texts: a tensor with one of them."""
    tensor = _field(1, _VARINT, _varint(_STRING)) + _field(8, _BYTES, text.encode())
    metadata = _field(1, _BYTES, _field(1, _BYTES, b"text"))
    return _field(1, _BYTES, _field(1, _BYTES, name.encode()) + _field(8, _BYTES, tensor) + _field(9, _BYTES, metadata))


def _field(number: int, kind: int, content: bytes) -> bytes:
    return _varint(number << 3 | kind) + (_varint(len(content)) if kind == _BYTES else b"") + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value >= 128:
        found.append(value & 127 | 128)
        value >>= 7
    return bytes([*found, value])


def _masked(data: bytes) -> int:
    crc = _crc32c(data)
    return ((crc >> 15 | crc << 17) + _CONSTANT) & 0xFFFFFFFF


def _table() -> list[int]:
    found = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        found = np.where(found & 1, found >> 1 ^ np.uint32(_POLYNOMIAL), found >> 1).astype(np.uint32)
    return [int(value) for value in found]


_CRC_TABLE = _table()


def _crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _CRC_TABLE[(crc ^ byte) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF
