"""What kind of file it is, told by its content; and what to do with one that is not read here."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import BinaryIO

from studio import storage
from studio.importing.weights import onnx_file, safetensors_file, torch_file
from studio.importing.weights.tensors import ForeignWeightsError, WeightFile, explained
from studio.training.errors import CheckpointError
from studio.training.torch_files import CodeInFileError

_PICKLE = (
    "is a Python pickle, which is a program: opening it could run code, so it is refused. In the program that "
    'wrote it, save the weights alone: torch.save(model.state_dict(), "weights.pt").'
)
_TORCHSCRIPT = (
    "is a TorchScript program, which is not opened here. In the program that wrote it, save the weights alone: "
    'torch.save(module.state_dict(), "weights.pt").'
)
_EXPORTED = (
    "is a program of torch.export, which is not opened here. In the program that wrote it, save the weights alone: "
    'torch.save(program.state_dict, "weights.pt").'
)
_KERAS = (
    "is a model of Keras or TensorFlow, which is not opened here. There, save the weights alone: safetensors.numpy."
    'save_file({v.path: v.numpy() for v in model.weights}, "weights.safetensors").'
)
_NUMPY = (
    "holds arrays of NumPy, which may hold code. Save them in another format: safetensors.numpy.save_file("
    '{"name": array}, "weights.safetensors").'
)
_PACKED = "is packed. Unpack it first."
_TAR = (
    "is an archive (tar), as PyTorch wrote them before version 0.1.10, or of something else. Save the weights again "
    "with a newer PyTorch: torch.save(state_dict, path)."
)
_OTHER = "is a model of another program ({}), which is not opened here. Save its weights as safetensors or ONNX."
_UNKNOWN = (
    "holds no weights of a kind that is known here: a state dict of PyTorch (.pt, .pth), safetensors, or ONNX. "
    'In PyTorch: torch.save(model.state_dict(), "weights.pt").'
)
_BEGINNINGS = (
    (b"\x89HDF\r\n\x1a\n", _KERAS),
    (b"\x93NUMPY", _NUMPY),
    (b"GGUF", _OTHER.format("GGUF")),
    (b"\x1f\x8b", _PACKED),
    (b"BZh", _PACKED),
    (b"\xfd7zXZ", _PACKED),
    (b"x\x9c", _PICKLE),  # joblib packs its pickles so
    (b"x\xda", _PICKLE),
    (b"x\x01", _PICKLE),
)
_OLD_TORCH = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
_MOST_LISTED = 100_000


def look_into(path: Path) -> WeightFile:
    """What weights a file holds, whatever it is called. Nothing in it is run.

    Raises:
        ForeignWeightsError: if it holds none that can be used; the message says what to do.
    """
    try:
        if os.path.isdir(path):
            raise ForeignWeightsError(_KERAS if (path / "saved_model.pb").exists() else "is a folder, not a file.")
        return _looked(path)
    except CodeInFileError as error:
        raise ForeignWeightsError(
            f"{path} {error} In the program that wrote it, save the weights alone: torch.save(model.state_dict(), "
            '"weights.pt").'
        ) from error
    except CheckpointError as error:
        raise ForeignWeightsError(str(error)) from error
    except (OSError, ValueError, storage.StorageError) as error:
        raise ForeignWeightsError(explained(path, error)) from error


def _looked(path: Path) -> WeightFile:
    with storage.open_plain(path) as file:
        beginning = file.read(512)
        if beginning.startswith(b"PK"):
            _check_archive(file)
            return torch_file.look(path)
    if not beginning:
        raise ForeignWeightsError("is empty.")
    for magic, advice in _BEGINNINGS:
        if beginning.startswith(magic):
            raise ForeignWeightsError(advice)
    if beginning.startswith(_OLD_TORCH):
        return torch_file.look(path)
    if beginning[4:8] == b"TFL3":
        raise ForeignWeightsError(_OTHER.format("TensorFlow Lite"))
    if beginning[257:262] == b"ustar":
        raise ForeignWeightsError(_TAR)
    if beginning[8:9] == b"{":
        return safetensors_file.look(path)
    if _is_pickle(beginning):
        raise ForeignWeightsError(_PICKLE)
    if beginning.startswith(b"\x08"):
        return _onnx(path, beginning)
    raise ForeignWeightsError(_UNKNOWN)


def _is_pickle(beginning: bytes) -> bool:
    """Whether it looks like a pickle: one that says its version, or one of the oldest, that begin with a bracket."""
    return (beginning[0] == 0x80 and beginning[1:2] <= b"\x05") or beginning[:2] in (b"(d", b"(l", b"cp", b"c_", b"co")


def _onnx(path: Path, beginning: bytes) -> WeightFile:
    try:
        return onnx_file.look(path)
    except ForeignWeightsError:
        if path.name == "saved_model.pb" or (beginning[2:3] == b"\x12" and b"serve" in beginning):
            raise ForeignWeightsError(_KERAS) from None
        raise


def _check_archive(file: BinaryIO) -> None:
    """Tell archives of other programs apart by the names in them."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()[:_MOST_LISTED]
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError) as error:
        raise ForeignWeightsError(f"is no whole file of torch: {error}.") from error
    last = {name.rpartition("/")[2] for name in names}
    if "constants.pkl" in last:
        raise ForeignWeightsError(_TORCHSCRIPT)
    if "archive_format" in last or "serialized_exported_program.json" in last:
        raise ForeignWeightsError(_EXPORTED)
    if "model.weights.h5" in last:
        raise ForeignWeightsError(_KERAS)
    if "data.pkl" not in last and any(name.endswith(".npy") for name in last):
        raise ForeignWeightsError(_NUMPY)
