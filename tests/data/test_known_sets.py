"""Known datasets of pictures, tiny ones in exactly their formats: read, broken, and fetched."""

from __future__ import annotations

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torchvision
from PIL import Image

from studio.data import DataError, MissingDataError, Source
from studio.data import registry as sources
from studio.data.recognize import recognize


def idx(array: np.ndarray, code: int = 8) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def grid(count: int, first: int = 0) -> np.ndarray:
    """Pictures (M, 28, 28) in which the pixel of row 2, column 5 is the sample's number and all others are 0."""
    pictures = np.zeros((count, 28, 28), np.uint8)
    pictures[:, 2, 5] = np.arange(first, first + count)
    return pictures


def kmnist(folder: Path) -> Path:
    labels = np.arange(4, dtype=np.uint8)
    files = {
        "train-images-idx3-ubyte": idx(grid(4)), "train-labels-idx1-ubyte": idx(labels),
        "t10k-images-idx3-ubyte": idx(grid(2, 4)), "t10k-labels-idx1-ubyte": idx(labels[:2]),
    }  # fmt: skip
    return write(folder, {f"KMNIST/raw/{name}.gz": gzip.compress(content) for name, content in files.items()})


def qmnist(folder: Path) -> Path:
    labels = np.zeros((4, 8), ">i4")
    labels[:, 0], labels[:, 1] = range(4), 99
    files = {
        "qmnist-train-images-idx3-ubyte": idx(grid(4)), "qmnist-train-labels-idx2-int": idx(labels, 12),
        "qmnist-test-images-idx3-ubyte": idx(grid(2, 4)), "qmnist-test-labels-idx2-int": idx(labels[:2], 12),
    }  # fmt: skip
    return write(folder, {f"QMNIST/raw/{name}.gz": gzip.compress(content) for name, content in files.items()})


def emnist_files() -> dict[str, bytes]:
    files = {}
    for part, first in (("letters", 1), ("balanced", 0)):
        for split, count, start in (("train", 4, 0), ("test", 2, 4)):
            labels = np.arange(first, first + count, dtype=np.uint8)
            files[f"emnist-{part}-{split}-images-idx3-ubyte"] = idx(grid(count, start).transpose(0, 2, 1))
            files[f"emnist-{part}-{split}-labels-idx1-ubyte"] = idx(labels)
    return files


def emnist(folder: Path) -> Path:
    return write(folder, {f"EMNIST/raw/{name}": content for name, content in emnist_files().items()})


def emnist_archive(folder: Path) -> Path:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in emnist_files().items():
            archive.writestr(f"gzip/{name}.gz", gzip.compress(content))
    return write(folder, {"gzip.zip": buffer.getvalue()})


def cifar_batch(count: int, first: int = 0) -> bytes:
    pixels = np.zeros((count, 3, 32, 32), np.uint8)
    pixels[:, 0, 2, 5] = np.arange(first, first + count)
    labels = list(range(count))
    batch = {"data": pixels.reshape(count, -1), "fine_labels": labels, "coarse_labels": [0] * count, "filenames": ["x"]}
    return pickle.dumps(batch, 2)


def cifar100(folder: Path) -> Path:
    return write(
        folder / "cifar-100-python", {"train": cifar_batch(4), "test": cifar_batch(2, 4), "meta": b"\x80\x02."}
    )


def svhn(folder: Path) -> Path:
    for name, count, first in (("train", 4, 0), ("test", 2, 4)):
        pixels = np.zeros((32, 32, 3, count), np.uint8)
        pixels[2, 5, 0] = np.arange(first, first + count)
        labels = np.array([10, 1, 2, 3][:count], np.uint8)[:, None]
        folder.mkdir(exist_ok=True)
        scipy.io.savemat(folder / f"{name}_32x32.mat", {"X": pixels, "y": labels}, do_compression=True)
    return folder


def stl_files() -> dict[str, bytes]:
    files = {}
    for name, count, first in (("train", 4, 0), ("test", 2, 4)):
        pixels = np.zeros((count, 3, 96, 96), np.uint8)
        pixels[:, 0, 2, 5] = np.arange(first, first + count)
        files[f"{name}_X.bin"] = pixels.transpose(0, 1, 3, 2).tobytes()
        files[f"{name}_y.bin"] = bytes(range(1, count + 1))
    return files


def stl10(folder: Path) -> Path:
    return write(folder / "stl10_binary", stl_files())


def jpeg(shade: int, size: tuple[int, int] = (40, 20)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, (shade, shade, shade)).save(buffer, "JPEG", quality=100)
    return buffer.getvalue()


def pet_files() -> dict[str, bytes]:
    names = ["Abyssinian_1", "american_bulldog_2", "american_pit_bull_terrier_12", "basset_hound_7"]
    files = {f"images/{name}.jpg": jpeg(40 * n) for n, name in enumerate(names)}
    files |= {"images/Bengal_1.jpg": jpeg(160), "images/american_bulldog_9.jpg": jpeg(200)}
    lines = [f"{name} {n + 1} {1 if name[0].isupper() else 2} 1" for n, name in enumerate(names)]
    files["annotations/trainval.txt"] = "\n".join([*lines, ""]).encode()
    files["annotations/test.txt"] = b"Bengal_1 1 1 4\namerican_bulldog_9 2 2 1\n"
    return files


def pets(folder: Path) -> Path:
    return write(folder / "oxford-iiit-pet", pet_files())


def mat(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    scipy.io.savemat(buffer, arrays)
    return buffer.getvalue()


def flower_files() -> dict[str, bytes]:
    files = {f"jpg/image_{number:05d}.jpg": jpeg(40 * place) for place, number in enumerate((3, 1, 6, 2, 5, 4))}
    labels = np.array([[2, 4, 1, 2, 1, 3]], np.uint8)  # of the pictures 1 to 6
    ids = {"trnid": [[3, 1]], "valid": [[6, 2]], "tstid": [[5, 4]]}
    files["imagelabels.mat"] = mat(labels=labels)
    files["setid.mat"] = mat(**{name: np.array(numbers, np.uint16) for name, numbers in ids.items()})
    return files


def flowers(folder: Path) -> Path:
    return write(folder / "flowers-102", flower_files())


MADE: dict[str, tuple[Callable[[Path], Path], ...]] = {
    "kmnist": (kmnist,), "qmnist": (qmnist,), "emnist_letters": (emnist, emnist_archive),
    "emnist_balanced": (emnist, emnist_archive), "cifar100": (cifar100,), "svhn": (svhn,), "stl10": (stl10,),
}  # fmt: skip
PHOTOS: dict[str, Callable[[Path], Path]] = {"oxford_pets": pets, "flowers102": flowers}
ALL = [*((kind, make) for kind, makers in MADE.items() for make in makers), *PHOTOS.items()]


def of(kind: str, **fields: Any) -> Source:
    return sources.get(kind)(**fields)


@pytest.mark.parametrize(("kind", "make"), [pair for pair in ALL if pair[0] in MADE])
def test_read_upright_and_divided(kind: str, make: Callable[[Path], Path], tmp_path: Path) -> None:
    samples = of(kind).load(make(tmp_path / "data"))
    (pictures,) = samples.inputs
    assert pictures.dtype == np.uint8
    assert pictures[:, 0, 2, 5].tolist() == [0, 1, 2, 3, 4, 5]
    assert samples.targets.tolist() == [0, 1, 2, 3, 0, 1]
    assert samples.test_start == 4
    assert pictures.shape[1:] == of(kind).spec.inputs[0].dims


@pytest.mark.parametrize(("kind", "make"), ALL)
def test_recognized_and_missing(kind: str, make: Callable[[Path], Path], tmp_path: Path) -> None:
    assert kind in [source.kind for source in recognize(make(tmp_path / "data"))]
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingDataError, match=r"Missing: .*Download it"):
        of(kind).load(tmp_path / "empty")


@pytest.mark.parametrize("kind", PHOTOS)
def test_photos(kind: str, tmp_path: Path) -> None:
    folder, source = PHOTOS[kind](tmp_path / "data"), of(kind, side=10)
    samples = source.load(folder)
    (pictures,) = samples.inputs
    assert pictures.shape == (6, 3, 10, 10)
    assert abs(pictures[:, 0, 5, 5].astype(int) - [0, 40, 80, 120, 160, 200]).max() <= 2
    starts = {"oxford_pets": (None, 4), "flowers102": (2, 4)}[kind]
    assert (samples.validation_start, samples.test_start) == starts
    assert samples.targets.tolist() == {"oxford_pets": [0, 1, 2, 3, 0, 1], "flowers102": [0, 1, 2, 3, 0, 1]}[kind]
    listing = source.listing(folder)
    assert (listing.count, listing.test_start) == (6, 4)
    shown = listing.show(3)
    assert shown.picture is not None
    assert shown.picture.shape == (20, 40, 3)
    assert shown.answer == source.spec.target.names[3]
    broken = next(folder.rglob(f"*{Path(shown.title).name}"))
    broken.write_bytes(b"\xff\xd8 cut")
    with pytest.raises(DataError, match=broken.name):
        source.load(folder)
    assert source.listing(folder).show(3).problem


def test_all_names_are_there() -> None:
    counts = {kind: of(kind).spec.target.size for kind, _ in ALL}
    assert counts == {
        "kmnist": 10, "qmnist": 10, "emnist_letters": 26, "emnist_balanced": 47, "cifar100": 100, "svhn": 10,
        "stl10": 10, "oxford_pets": 37, "flowers102": 102,
    }  # fmt: skip
    assert of("flowers102").spec.target.names == tuple(torchvision.datasets.Flowers102.classes)
    assert of("emnist_balanced").spec.target.names == tuple(torchvision.datasets.EMNIST.classes_split_dict["balanced"])


def of_mat(name: str, **arrays: np.ndarray) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(mat(**arrays))


def edited(name: str, edit: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    def spoil(folder: Path) -> None:
        path = next(folder.rglob(name))
        path.write_bytes(edit(path.read_bytes()))

    return spoil


def lists_of(number: int) -> bytes:
    return mat(**{name: np.array([[number]], np.uint8) for name in ("trnid", "valid", "tstid")})


@pytest.mark.parametrize(
    ("kind", "spoil", "says"),
    [
        ("qmnist", edited("qmnist-test-labels*", lambda content: content[:30]), "cut off"),
        ("qmnist", edited("qmnist-test-labels*", lambda _: idx(np.zeros((2, 7), ">i4"), 12)), "items of size 7"),
        ("qmnist", edited("qmnist-test-labels*", lambda _: idx(np.full((2, 8), -1, ">i4"), 12)), "holds the label -1"),
        ("cifar100", edited("test", lambda content: content[:90]), "is no batch of CIFAR-100"),
        ("cifar100", edited("train", lambda _: b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00ls\x85R."), r"posix\.system"),
        ("cifar100", edited("train", lambda c: c.replace(b"fine_labels", b"fine_lables")), "not numbers from 0 to 99"),
        ("svhn", edited("test_32x32.mat", lambda content: content[:200]), "is (broken|not the original)"),
        ("svhn", edited("test_32x32.mat", lambda _: b""), "is broken"),
        ("svhn", edited("test_32x32.mat", lambda _: b"\0" * 4096), "is (broken|not the original)"),
        ("svhn", of_mat("test_32x32.mat", X=np.zeros((2, 2)), y=np.zeros((1, 1))), "needs an array “X”"),
        ("svhn", of_mat("test_32x32.mat", y=np.zeros((1, 1))), "it has none"),
        ("svhn", of_mat("test_32x32.mat", X=np.zeros((32, 32, 3, 2), np.uint8), y=np.zeros((2, 1), np.uint8)),
         "other labels than 1 to 10"),
        ("stl10", edited("test_X.bin", lambda content: content[:-1]), "do not belong together"),
        ("stl10", edited("test_y.bin", lambda _: bytes([1, 11])), "other labels than 1 to 10"),
        ("oxford_pets", edited("test.txt", lambda _: b"../../etc/passwd 1 1 1"), "line 1, does not name a picture"),
        ("oxford_pets", edited("test.txt", lambda _: b"Bengal_1 38 1 4"), "line 1, does not name"),
        ("oxford_pets", edited("test.txt", lambda _: b""), "is empty"),
        ("flowers102", edited("setid.mat", lambda _: lists_of(7)), "does not know"),
    ],
)  # fmt: skip
def test_broken_files_are_told(kind: str, spoil: Callable[[Path], object], says: str, tmp_path: Path) -> None:
    make = PHOTOS.get(kind) or MADE[kind][0]
    folder = make(tmp_path / "data")
    spoil(folder)
    with pytest.raises(DataError, match=says):
        of(kind).load(tmp_path / "data")


def test_broken_archives_of_emnist(tmp_path: Path) -> None:
    path = emnist_archive(tmp_path) / "gzip.zip"
    content = path.read_bytes()
    for spoiled in (content[: len(content) // 2], content.replace(b"letters-test", b"lettres-test"), b"PK"):
        path.write_bytes(spoiled)
        with pytest.raises(DataError, match=r"gzip\.zip"):
            of("emnist_letters").load(tmp_path)


def packed(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in {**files, "../outside": b"x", "jpg/../../outside": b"x"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def answers(monkeypatch: pytest.MonkeyPatch, files: dict[str, bytes]) -> None:
    """Give these files for their names, whoever asks."""
    from studio.data import download

    monkeypatch.setattr(download, "_blocks", lambda url, secrets: iter([files[url.rpartition("/")[2]]]))


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def test_of_large_archives_only_what_is_needed_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = packed({f"stl10_binary/{name}": content for name, content in stl_files().items()} | {
        "stl10_binary/unlabeled_X.bin": b"many"})  # fmt: skip
    monkeypatch.setattr(torchvision.datasets.STL10, "tgz_md5", md5(archive))
    answers(monkeypatch, {"stl10_binary.tar.gz": archive})
    of("stl10").download()
    assert sorted(path.name for path in cache.rglob("*") if path.is_file()) == sorted(stl_files())
    assert of("stl10").load().targets.tolist() == [0, 1, 2, 3, 0, 1]
    answers(monkeypatch, {})
    of("stl10").download()  # it is there


def test_photos_are_fetched_and_unpacked(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = pet_files()
    images = packed({name: content for name, content in files.items() if name.startswith("images")})
    lists = packed({name: content for name, content in files.items() if name.startswith("annotations")})
    resources = (("https://x/images.tar.gz", md5(images)), ("https://x/annotations.tar.gz", md5(lists)))
    monkeypatch.setattr(torchvision.datasets.OxfordIIITPet, "_RESOURCES", resources)
    answers(monkeypatch, {"images.tar.gz": images, "annotations.tar.gz": lists})
    of("oxford_pets").download()
    found = {path.relative_to(cache / "oxford-iiit-pet").as_posix() for path in cache.rglob("*") if path.is_file()}
    assert found == set(files)
    assert not (cache / "outside").exists()
    assert of("oxford_pets").load().inputs[0].shape == (6, 3, 64, 64)


def test_flowers_are_fetched(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = flower_files()
    archive = packed({name: content for name, content in files.items() if name.startswith("jpg")})
    given = {"102flowers.tgz": archive, "imagelabels.mat": files["imagelabels.mat"], "setid.mat": files["setid.mat"]}
    known = {name: (name, md5(content)) for name, content in given.items()}
    monkeypatch.setattr(torchvision.datasets.Flowers102, "_file_dict", known)
    answers(monkeypatch, given)
    of("flowers102").download()
    assert not list(cache.parent.rglob("outside"))
    assert of("flowers102").load().targets.tolist() == [0, 1, 2, 3, 0, 1]
