"""A file with tensors is read in a clean process, and must hold the same bits as the checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio import storage
from studio.export.clean_process import ProcessError, Tick, run_alone, working_folder
from studio.export.formats import ExportError
from studio.export.made import keep

SECONDS = 300

# Both tell type, size and SHA-256 of each tensor in a file, without the studio; the first without PyTorch, too.
_READ_SAFETENSORS = """
import hashlib, json, sys
import safetensors
path, told = sys.argv[1:]
with open(path, "rb") as file:
    tensors = dict(safetensors.deserialize(file.read()))
assert not {"studio", "torch"} & set(sys.modules)
def look(tensor):
    return [tensor["dtype"], tensor["shape"], hashlib.sha256(tensor["data"]).hexdigest()]
with open(told, "w") as file:
    json.dump({name: look(tensor) for name, tensor in tensors.items()}, file)
"""
_READ_TORCH = """
import hashlib, json, sys
import torch
path, told = sys.argv[1:]
tensors = torch.load(path, map_location="cpu", weights_only=True)
tensors = tensors["model"] if "format" in tensors else tensors
def look(tensor):
    content = tensor.contiguous().flatten().view(torch.uint8).numpy()
    return [str(tensor.dtype), list(tensor.shape), hashlib.sha256(content).hexdigest()]
assert "studio" not in sys.modules
with open(told, "w") as file:
    json.dump({name: look(tensor) for name, tensor in tensors.items()}, file)
"""


_READERS = {"torch": _READ_TORCH, "safetensors": _READ_SAFETENSORS}
_NAMES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip


def write(
    content: bytes | memoryview, kind: str, expected: Mapping[str, Tensor], target: Path, tick: Tick | None
) -> str:
    """Write a file once a clean process found the same tensors in it.

    Args:
        kind: "torch" or "safetensors".
        expected: the tensors.

    Returns:
        what was written and how it compared, in a sentence.

    Raises:
        ExportError: if it holds anything else; nothing was written then.
        StorageError: if it cannot be written.
    """
    with working_folder() as folder:
        file, told = folder / "made", folder / "told.json"
        storage.write_bytes(file, content)
        try:
            run_alone(_READERS[kind], [str(file), str(told)], SECONDS, _telling(tick))
        except ProcessError as error:
            raise ExportError(f"The exported file cannot be read: {error} Nothing was written.") from error
        check(expected, _normal(storage.read_json(told)), target)
        keep(file, target)
    return f"Wrote {target}: {len(expected)} tensors, equal bit for bit when a clean process loads them."


def _normal(digests: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """With the names of types as PyTorch has them."""
    return {
        name: [f"torch.{_NAMES[kind]}" if kind in _NAMES else kind, *rest] for name, (kind, *rest) in digests.items()
    }


def _telling(tick: Tick | None) -> Tick | None:
    return None if tick is None else lambda said: tick("Reading the file in a clean process")


def check(expected: Mapping[str, Tensor], found: object, target: Path) -> None:
    """Raises ExportError unless the tensors that were found are those that were expected."""
    assert isinstance(found, dict)
    if set(expected) != set(found):
        raise ExportError(f"{target}: the exported weights have other names than the checkpoint. Nothing was written.")
    for name, tensor in expected.items():
        if _look(tensor) != found[name]:
            raise ExportError(f"{target}: “{name}” changed in the export. Nothing was written.")


def _look(tensor: Tensor) -> list[object]:
    content = tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy()
    return [str(tensor.dtype), list(tensor.shape), hashlib.sha256(content.data).hexdigest()]
