"""A file with tensors is read in a clean process, and must hold the same bits as the checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from studio import storage
from studio.export.clean_process import ProcessError, Tick, run_alone, working_folder
from studio.export.formats import ExportError
from studio.export.made import keep

SECONDS = 300

# Reads a file without the studio and tells type, size and SHA-256 of each tensor in it.
_READ = """
import hashlib, json, sys
import torch
path, kind, told = sys.argv[1:]
if kind == "safetensors":
    from safetensors.torch import load_file
    tensors = load_file(path)
else:
    tensors = torch.load(path, map_location="cpu", weights_only=True)
    tensors = tensors["model"] if kind == "checkpoint" else tensors
def look(tensor):
    content = tensor.contiguous().flatten().view(torch.uint8).numpy()
    return [str(tensor.dtype), list(tensor.shape), hashlib.sha256(content).hexdigest()]
assert "studio" not in sys.modules
with open(told, "w") as file:
    json.dump({name: look(tensor) for name, tensor in tensors.items()}, file)
"""


def write(
    content: bytes | memoryview, kind: str, expected: Mapping[str, Tensor], target: Path, tick: Tick | None
) -> str:
    """Write a file once a clean process found the same tensors in it.

    Args:
        kind: "state-dict", "safetensors" or "checkpoint".
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
            run_alone(_READ, [str(file), kind, str(told)], SECONDS, _telling(tick))
        except ProcessError as error:
            raise ExportError(f"The exported file cannot be read: {error} Nothing was written.") from error
        check(expected, storage.read_json(told), target)
        keep(file, target)
    return f"Wrote {target}: {len(expected)} tensors, equal bit for bit when a clean process loads them."


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
    return [str(tensor.dtype), list(tensor.shape), hashlib.sha256(content).hexdigest()]
