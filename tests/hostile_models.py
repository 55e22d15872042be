"""Files that pretend to be models, and that a program should not trust. They are made when needed, never kept."""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from studio.project import project_to_json, read_template

MARKER = "marker"  # in the folder of the files; none may make it
Maker = Callable[[Path, Path], None]  # where to write the file, and the marker
HOSTILE: dict[str, Maker] = {}


def make_all(folder: Path) -> list[Path]:
    """Write every hostile file into a folder of its own."""
    marker, paths = folder / MARKER, []
    for name, make in HOSTILE.items():
        path = folder / name
        make(path, marker)
        paths.append(path)
    return paths


def hostile(name: str) -> Callable[[Maker], Maker]:
    def keep(make: Maker) -> Maker:
        HOSTILE[name] = make
        return make

    return keep


class Calls:
    """Unpickling it calls a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.what = function, arguments

    def __reduce__(self) -> Any:
        return self.what


def touch(marker: Path) -> str:
    return f"touch {marker}"


def content(**changes: Any) -> dict[str, Any]:
    """What a checkpoint of the studio holds."""
    made = {
        "format": "training-studio-checkpoint", "version": 2, "studio": "0", "torch": "0",
        "model": {"dense_1.weight": torch.zeros(3, 4), "dense_1.bias": torch.zeros(3)}, "optimizer": {},
        "epoch": 1, "step": 1, "metrics": {}, "project": json.dumps(project_to_json(read_template("iris-mlp"))),
        "preparation": "{}", "rest": {},
    }  # fmt: skip
    return made | changes


def saved(value: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def repacked(
    packed: bytes, change: Callable[[str, bytes], tuple[str, bytes] | None] = lambda name, data: (name, data),
    kind: int = zipfile.ZIP_STORED, extra: dict[str, bytes] | None = None,
) -> bytes:  # fmt: skip
    """An archive with its records changed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as before, zipfile.ZipFile(buffer, "w", kind) as after:
        for record in before.infolist():
            changed = change(record.filename, before.read(record))
            if changed is not None:
                after.writestr(*changed)
        for name, data in (extra or {}).items():
            after.writestr(name, data)
    return buffer.getvalue()


def with_pickle(data: bytes) -> bytes:
    """An archive of torch whose pickle is another one."""
    return repacked(saved({"w": torch.zeros(4)}), lambda name, old: (name, data if name.endswith("data.pkl") else old))


def with_numbers(**fields: Any) -> bytes:
    """An archive of torch with a tensor that is described in another way.

    Args:
        fields: count of its numbers, and offset, dims and strides of the tensor.
    """
    given = {"count": 4, "offset": 0, "dims": (4,), "strides": (1,), "key": "0"} | fields
    parts = [b"\x80\x02}X\x01\x00\x00\x00w", b"ctorch._utils\n_rebuild_tensor_v2\n(("]
    parts += [_text("storage"), b"ctorch\nFloatStorage\n", _text(given["key"]), _text("cpu"), _number(given["count"])]
    parts += [b"tQ", _number(given["offset"])]
    parts += [b"(" + b"".join(map(_number, given[name])) + b"t" for name in ("dims", "strides")]
    parts += [b"\x89ccollections\nOrderedDict\n)RtRs."]
    return with_pickle(b"".join(parts))


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def _number(value: int) -> bytes:
    raw = pickle.encode_long(value)
    return b"\x8a" + bytes([len(raw)]) + raw


def header(entries: Any, numbers: bytes = b"\x00" * 16) -> bytes:
    """A file of safetensors."""
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    return struct.pack("<Q", len(text)) + text + numbers


def part(begin: int, end: int, shape: list[Any] | None = None, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": [(end - begin) // 4] if shape is None else shape, "data_offsets": [begin, end]}


def wire(number: int, value: int | bytes) -> bytes:
    """A field of a protocol buffer."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = b""
    while value >= 0x80:
        found, value = found + bytes([value & 0x7F | 0x80]), value >> 7
    return found + bytes([value])


def onnx(tensor: bytes) -> bytes:
    """A file of ONNX with one constant tensor."""
    return wire(1, 8) + wire(7, wire(5, tensor))


def _plain(name: str, make: Callable[[], bytes]) -> None:
    HOSTILE[name] = lambda path, marker: _write(path, make())


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


# Pickles that would run something.


@hostile("system.pt")
def _system(path: Path, marker: Path) -> None:
    torch.save(content(model=Calls(os.system, touch(marker))), path)


@hostile("state-dict-with-eval.pth")
def _eval(path: Path, marker: Path) -> None:
    torch.save({"weight": torch.zeros(3, 4), "x": Calls(eval, f"open({str(marker)!r}, 'w')")}, path)


@hostile("plain.pkl")
def _pickle(path: Path, marker: Path) -> None:
    path.write_bytes(pickle.dumps(Calls(os.system, touch(marker))))


@hostile("oldest.pkl")
def _oldest_pickle(path: Path, marker: Path) -> None:
    path.write_bytes(pickle.dumps({"w": Calls(os.system, touch(marker))}, protocol=0))


@hostile("joblib.joblib")
def _joblib(path: Path, marker: Path) -> None:
    path.write_bytes(zlib.compress(pickle.dumps(Calls(os.system, touch(marker)))))


@hostile("nested-names.pt")
def _nested(path: Path, marker: Path) -> None:
    """Allowed functions alone lead to others: getattr(torch.serialization, …)."""
    code = b"\x80\x04\x8c\x08builtins\x8c\x07getattr\x93\x8c\x05torch\x8c\x02os\x93\x8c\x06system\x86R"
    path.write_bytes(with_pickle(code + b"\x8c" + bytes([len(touch(marker))]) + touch(marker).encode() + b"\x85R."))


@hostile("storage-trick.pt")
def _storage_trick(path: Path, marker: Path) -> None:
    """torch.storage._load_from_bytes calls torch.load again."""
    inner = saved(Calls(os.system, touch(marker)), _use_new_zipfile_serialization=False)
    torch.save({"w": Calls(torch.storage._load_from_bytes, inner)}, path)


@hostile("whole-module.pt")
def _whole_module(path: Path, marker: Path) -> None:
    torch.save(torch.nn.Sequential(torch.nn.Linear(4, 3)), path)


@hostile("old-format.pt")
def _old_format(path: Path, marker: Path) -> None:
    torch.save({"w": Calls(os.system, touch(marker))}, path, _use_new_zipfile_serialization=False)


@hostile("old-tar.pt")
def _old_tar(path: Path, marker: Path) -> None:
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in ("sys_info", "pickle", "storages", "tensors"):
            data = pickle.dumps(Calls(os.system, touch(marker)))
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


@hostile("arrays-of-objects.npy")
def _objects(path: Path, marker: Path) -> None:
    import numpy as np

    with open(path, "wb") as file:
        np.save(file, np.array([Calls(os.system, touch(marker))], dtype=object), allow_pickle=True)


@hostile("arrays-of-objects.npz")
def _packed_objects(path: Path, marker: Path) -> None:
    import numpy as np

    np.savez(path, w=np.array([Calls(os.system, touch(marker))], dtype=object))


@hostile("torchscript.pt")
def _torchscript(path: Path, marker: Path) -> None:
    extra = {"archive/constants.pkl": b"\x80\x02).", "archive/code/__torch__.py": b"import os"}
    path.write_bytes(repacked(saved({"w": torch.zeros(4)}), extra=extra))


@hostile("program.pt2")
def _program(path: Path, marker: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/archive_format", "pt2")
        archive.writestr("archive/data/weights/model.pt", pickle.dumps(Calls(os.system, touch(marker))))


@hostile("keras.keras")
def _keras(path: Path, marker: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Lambda", "config": touch(marker)}))
        archive.writestr("model.weights.h5", b"\x89HDF\r\n\x1a\n")


_plain("keras.h5", lambda: b"\x89HDF\r\n\x1a\n" + bytes(100))
_plain("saved_model.pb", lambda: wire(1, 1) + wire(2, wire(1, b"serve") + bytes(20)))

# Archives.

_plain("packed-bomb.pt", lambda: repacked(saved({"w": torch.zeros(5_000_000)}), kind=zipfile.ZIP_DEFLATED))
_plain(
    "names-that-lead-out.pt",
    lambda: repacked(saved(content()), extra={"../../escaped": b"x", "/etc/escaped": b"x"}),
)
_plain("cut-off.pt", lambda: saved(content())[:-300])
_plain("cut-in-the-middle.pt", lambda: saved(content())[:700])
_plain("no-archive.pt", lambda: b"PK\x03\x04" + bytes(500))
_plain(
    "old-before-new.pt", lambda: saved({"w": torch.zeros(9)}, _use_new_zipfile_serialization=False) + saved(content())
)
_plain(
    "flipped-numbers.pt",
    lambda: saved({"w": torch.full((100,), 1.5)}).replace(torch.full((1,), 1.5).numpy().tobytes(), b"\x00\x00\x80\x7f"),
)


@hostile("two-pickles.pt")
def _two_pickles(path: Path, marker: Path) -> None:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the two names
        path.write_bytes(
            repacked(saved(content()), extra={"archive/data.pkl": pickle.dumps(Calls(os.system, touch(marker)))})
        )


# Tensors that are not what they say.


def _doubled(times: int) -> list[Any]:
    """A list of two lists that are the same one, and so on."""
    value: list[Any] = []
    for _ in range(times):
        value = [value, value]
    return value


_plain("negative-strides.pt", lambda: with_numbers(strides=(-1,)))
_plain("negative-offset.pt", lambda: with_numbers(offset=-4))
_plain("offset-behind-the-end.pt", lambda: with_numbers(offset=2**40))
_plain("huge-size.pt", lambda: with_numbers(count=2**40, dims=(2**40,)))
_plain("size-that-overflows.pt", lambda: with_numbers(dims=(2**62, 4), strides=(1, 1)))
_plain("missing-record.pt", lambda: with_numbers(key="../../../etc/passwd"))
_plain("big-array-of-bytes.pt", lambda: with_pickle(b"\x80\x02cbuiltins\nbytearray\n" + _number(2**32) + b"\x85R."))
_plain("deep.pt", lambda: with_pickle(b"\x80\x02" + b"(" * 10_000 + b"t" * 10_000 + b"."))
_plain("within-itself.pt", lambda: with_pickle(b"\x80\x02]q\x00h\x00a."))
_plain("billion-laughs.pt", lambda: with_pickle(pickle.dumps({"w": _doubled(60)}, protocol=2)))
_plain(
    "old-format-huge.pt",
    lambda: saved({"w": torch.zeros(4)}, _use_new_zipfile_serialization=False).replace(
        b"K\x04Nt", b"\x8a\x05\x00\x00\x00\x00\x10Nt", 1
    ),
)


@hostile("expanded.pt")
def _expanded(path: Path, marker: Path) -> None:
    """A few bytes that say they are a terabyte."""
    torch.save(content(model={"w": torch.zeros(1).expand(2**19, 2**19)}), path)


# Checkpoints of the studio.

_plain("no-numbers.pt", lambda: saved(content(model={"dense_1.weight": torch.full((3, 4), float("nan"))})))
_plain("texts-for-weights.pt", lambda: saved(content(model={"dense_1.weight": "import os"})))
_plain("huge-json.pt", lambda: saved(content(project="[" * 1_000_000 + "]" * 1_000_000)))
_plain("version-no-number.pt", lambda: saved(content(version="2")))


def _renamed(name: str) -> str:
    project = project_to_json(read_template("iris-mlp"))
    project["nodes"][1]["name"] = name
    return json.dumps(project)


_plain("hostile-name.pt", lambda: saved(content(project=_renamed("x; import os; os.system('id')"))))


@hostile("custom-code.pt")
def _custom_code(path: Path, marker: Path) -> None:
    project = project_to_json(read_template("iris-mlp"))
    code = f"import os\nos.system({touch(marker)!r})\nclass X(nn.Module):\n    pass\n"
    project["nodes"][1] |= {"kind": "custom_code", "fields": {"code": code}}
    torch.save(content(model={"other": torch.zeros(2)}, project=json.dumps(project)), path)


@hostile("wrong-sha.pt")
def _wrong_sha(path: Path, marker: Path) -> None:
    """In its manifest stands the SHA-256 of something else."""
    torch.save(content(), path)
    manifest = path.with_name("manifest.json")
    entry = {"sha256": "0" * 64, "earlier": [], "bytes": path.stat().st_size}
    manifest.write_text(json.dumps({path.name: entry}))


# Safetensors.

_plain("header-longer-than-file.safetensors", lambda: struct.pack("<Q", 10_000) + b'{"w": {}}')
_plain("header-of-2-63.safetensors", lambda: struct.pack("<Q", 2**63) + b"{}")
_plain("bad-json.safetensors", lambda: header(b'{"w": {"dtype": F32}}'))
_plain("overlapping.safetensors", lambda: header({"a": part(0, 16), "b": part(4, 16)}))
_plain("gap.safetensors", lambda: header({"a": part(0, 8), "b": part(12, 16)}))
_plain("behind-the-end.safetensors", lambda: header({"a": part(0, 2**40, [2**38])}))
_plain("huge-shape.safetensors", lambda: header({"a": part(0, 16, [2**62, 2**62])}))
_plain("negative-shape.safetensors", lambda: header({"a": part(0, 16, [-2, -2])}))
_plain("unknown-numbers.safetensors", lambda: header({"a": part(0, 16, [4], "OBJ")}))
_plain(
    "key-twice.safetensors",
    lambda: header(
        b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]},"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'
    ),
)
_plain("deep.safetensors", lambda: header(b'{"a":' + b"[" * 50_000 + b"]" * 50_000 + b"}"))

# ONNX.

_plain(
    "external-data.onnx",
    lambda: onnx(
        wire(1, 1_000) + wire(2, 1) + wire(8, b"w") + wire(14, 1)
        + wire(13, wire(1, b"location") + wire(2, b"../../../../etc/passwd"))
    ),
)  # fmt: skip
_plain(
    "huge-dims.onnx", lambda: onnx(wire(1, 2**40) + wire(1, 2**40) + wire(2, 1) + wire(8, b"w") + wire(9, bytes(16)))
)
_plain("negative-dims.onnx", lambda: onnx(wire(1, 2**64 - 4) + wire(2, 1) + wire(8, b"w") + wire(9, bytes(16))))
_plain("longer-than-the-file.onnx", lambda: wire(1, 8) + b"\x3a\xff\xff\xff\xff\x7f" + bytes(50))
_plain("endless-number.onnx", lambda: b"\x08" + b"\xff" * 500)


@hostile("nested-graphs.onnx")
def _nested_graphs(path: Path, marker: Path) -> None:
    graph = b""
    for _ in range(2_000):
        graph = wire(1, wire(5, wire(6, graph)))
    path.write_bytes(wire(1, 8) + wire(7, graph))


# What is no file at all, or no model.


@hostile("folder.pt")
def _folder(path: Path, marker: Path) -> None:
    path.mkdir()


@hostile("pipe.pt")
def _pipe(path: Path, marker: Path) -> None:
    os.mkfifo(path)


@hostile("zeros.pt")
def _zeros(path: Path, marker: Path) -> None:
    path.symlink_to("/dev/zero")


@hostile("nowhere.pt")
def _nowhere(path: Path, marker: Path) -> None:
    path.symlink_to(path.with_name("nothing-there"))


@hostile("to-itself.pt")
def _to_itself(path: Path, marker: Path) -> None:
    path.symlink_to(path)


_plain("empty.pt", lambda: b"")
_plain("text.pt", lambda: b"import os\nos.system('id')\n")
