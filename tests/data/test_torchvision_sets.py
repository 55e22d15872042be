"""MNIST and Fashion-MNIST from folders as people have them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.data import DataChoice, DataError, MissingDataError, Samples
from studio.data import registry as sources
from studio.data.dataset import prepare

mnist = sources.get("mnist")()


def check(samples: Samples) -> None:
    (images,) = samples.inputs
    assert images.shape == (10, 1, 28, 28)
    assert images.dtype == np.uint8
    assert (images[:, 0, 5, 5] == range(10)).all()
    assert samples.targets.tolist() == list(range(10))
    assert samples.targets.dtype == np.int64
    assert samples.test_start == 6


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("inside", ["MNIST/raw", ".", "raw", "mnist", "Mnist", "MNIST"])
def test_layouts(tmp_path: Path, write_files: Callable, tiny_mnist: Callable, inside: str, packed: bool) -> None:
    folder = write_files(tmp_path / "my data" / inside, tiny_mnist(packed=packed))
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    check(mnist.load(tmp_path / "my data"))
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before


def test_each_dataset_reads_its_own_subfolder(tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    write_files(tmp_path / "MNIST" / "raw", tiny_mnist())
    write_files(tmp_path / "fashion-mnist", tiny_mnist(train=3, test=7))
    assert mnist.load(tmp_path).test_start == 6
    assert sources.get("fashion_mnist")().load(tmp_path).test_start == 3


def test_names_with_a_dot(tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    files = {name.replace("-idx", ".idx"): content for name, content in tiny_mnist(packed=False).items()}
    check(mnist.load(write_files(tmp_path, files)))


def test_no_folder_means_the_cache(cache: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    with pytest.raises(MissingDataError, match=r"train-images-idx3-ubyte, .*Download it \(12 MB\)") as caught:
        mnist.load()
    assert str(cache) in str(caught.value)
    write_files(cache / "MNIST" / "raw", tiny_mnist())
    check(mnist.load())


def test_missing_files_are_named(tmp_path: Path, write_files: Callable, tiny_mnist: Callable) -> None:
    files = tiny_mnist()
    del files["t10k-labels-idx1-ubyte.gz"]
    folder = write_files(tmp_path / "MNIST" / "raw", files)
    with pytest.raises(MissingDataError) as caught:
        mnist.load(tmp_path)
    assert str(folder) in str(caught.value)
    assert "Missing: t10k-labels-idx1-ubyte (" in str(caught.value)


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("a file")])
def test_no_such_folder(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "gone")
    with pytest.raises(MissingDataError, match=r"there is no folder .*gone\."):
        mnist.load(tmp_path / "gone")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="everything may be read here")
def test_a_locked_folder(tmp_path: Path) -> None:
    tmp_path.chmod(0)
    try:
        with pytest.raises(DataError, match="cannot be read"):
            mnist.load(tmp_path)
    finally:
        tmp_path.chmod(0o700)


def test_files_that_do_not_belong_together(
    tmp_path: Path, write_files: Callable, tiny_mnist: Callable, as_idx: Callable
) -> None:
    files = tiny_mnist(packed=False)
    labels = as_idx(np.arange(5, dtype=np.uint8))
    with pytest.raises(DataError, match=r"6 images.*5 labels"):
        mnist.load(write_files(tmp_path, {**files, "train-labels-idx1-ubyte": labels}))


def test_a_label_out_of_range(tmp_path: Path, write_files: Callable, tiny_mnist: Callable, as_idx: Callable) -> None:
    labels = as_idx(np.array([0, 1, 2, 10], np.uint8))
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte holds the label 10"):
        mnist.load(write_files(tmp_path, {**tiny_mnist(packed=False), "t10k-labels-idx1-ubyte": labels}))


def test_the_real_mnist(shared_mnist: Path) -> None:
    dataset = prepare(DataChoice(source=mnist), shared_mnist)
    assert dataset.inputs[0].shape == (70_000, 1, 28, 28)
    assert [len(dataset.splits[name]) for name in ("train", "validation", "test")] == [51_000, 9_000, 10_000]
    assert dataset.splits["test"][0] == 60_000
    assert dataset.targets[:8].tolist() == [5, 0, 4, 1, 9, 2, 1, 3]
    # The figures that everyone uses for the 60,000, in unit range.
    share = np.bincount(dataset.inputs[0][:60_000].flatten(), minlength=256) / (60_000 * 784)
    level = np.arange(256) / 255
    mean = share @ level
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert np.sqrt(share @ (level - mean) ** 2) == pytest.approx(0.3081, abs=5e-5)
    (scaling,) = dataset.scalings
    assert scaling.shift[0] / 255 == pytest.approx(0.1307, abs=1e-3)
    assert 1 / scaling.scale[0] / 255 == pytest.approx(0.3081, abs=1e-3)


def test_the_real_mnist_cut_anywhere(shared_mnist: Path, tmp_path: Path, write_files: Callable) -> None:
    name = "t10k-labels-idx1-ubyte.gz"
    test_files = {path.name: path.read_bytes() for path in (shared_mnist / "mnist").glob("t10k*.gz")}
    files = test_files | {file.replace("t10k", "train"): content for file, content in test_files.items()}
    write_files(tmp_path, files)
    whole = files[name]
    for length in (0, 1, 2, 9, 10, 11, 100, len(whole) // 2, len(whole) - 9, len(whole) - 8, len(whole) - 1):
        (tmp_path / name).write_bytes(whole[:length])
        with pytest.raises(DataError, match=name):
            mnist.load(tmp_path)
    (tmp_path / name).write_bytes(whole)
    assert mnist.load(tmp_path).test_start == 10_000
