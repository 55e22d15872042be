"""The cache of decoded arrays: whole or not there, bounded, shared by threads and processes."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.data import cache, rows
from studio.data.sealed import read_seal
from studio.storage import BadFileError, StorageError

LAYOUT = {"images": ("|u1", (10, 3, 5)), "labels": ("<i4", (10,))}


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_checked", {})


def make(maker: cache.Maker) -> None:
    for start in range(0, 10, 4):
        numbers = np.arange(start, min(start + 4, 10))
        maker.write("images", np.broadcast_to(numbers[:, None, None], (len(numbers), 3, 5)).astype(np.uint8))
        maker.write("labels", numbers.astype(np.int32))
    maker.about["note"] = "ten"


def never(maker: cache.Maker) -> None:
    raise AssertionError("it is there already")


def kept(key: str = "a", how: Callable[[cache.Maker], None] = make) -> cache.Entry:
    return cache.keep(key, f"/pictures/{key}", LAYOUT, how)


def file_of(key: str = "a") -> Path:
    return cache.folder() / f"{key}{cache.SUFFIX}"


def test_what_is_kept_comes_back_as_a_memory_map() -> None:
    kept()
    found = kept(how=never)
    assert isinstance(found.arrays["images"], np.memmap)
    np.testing.assert_array_equal(found.arrays["images"][:, 0, 0], np.arange(10))
    np.testing.assert_array_equal(found.arrays["labels"], np.arange(10))
    assert found.about == {"note": "ten"}
    assert found.digests == cache.in_memory(LAYOUT, make).digests
    assert cache.peek("a") == {"note": "ten"}
    assert cache.peek("b") is None


@pytest.mark.parametrize("place", [0, 4_096, -1, -20, -60, "half", "empty", "longer"])
def test_damage_is_noticed_and_the_entry_made_again(place: int | str) -> None:
    kept()
    content = bytearray(file_of().read_bytes())
    if isinstance(place, int):
        content[place] ^= 1
    file_of().write_bytes({"half": content[:2_000], "empty": b"", "longer": content + b"x"}.get(str(place), content))
    calls = []
    found = kept(how=lambda maker: (calls.append(1), make(maker))[1])
    assert calls == [1]
    np.testing.assert_array_equal(found.arrays["images"][:, 0, 0], np.arange(10))
    kept(how=never)


def test_a_maker_that_fails_leaves_nothing() -> None:
    def fails(maker: cache.Maker) -> None:
        maker.write("images", np.zeros((1, 3, 5), np.uint8))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(how=fails)
    assert list(cache.folder().iterdir()) == []
    kept()


def test_of_many_threads_one_makes_it() -> None:
    calls, entries = [], []
    gate = threading.Barrier(4)

    def slow(maker: cache.Maker) -> None:
        calls.append(1)
        make(maker)

    def want() -> None:
        gate.wait()
        entries.append(kept(how=slow))

    threads = [threading.Thread(target=want) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(calls) == 1
    assert {entry.digests["images"] for entry in entries} == {kept(how=never).digests["images"]}


def test_who_waits_for_another_thread_can_give_up() -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow(maker: cache.Maker) -> None:
        inside.set()
        leave.wait()
        make(maker)

    thread = threading.Thread(target=kept, args=("a", slow))
    thread.start()
    inside.wait()

    class GivenUpError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        raise GivenUpError

    try:
        with pytest.raises(GivenUpError):
            cache.keep("a", "", LAYOUT, never, stop)
    finally:
        leave.set()
        thread.join()


TWO = """
import sys
sys.path.insert(0, sys.argv[1])
import test_cache
from studio.data import cache
print(cache.keep("a", "", test_cache.LAYOUT, test_cache.make).digests["images"])
"""


def test_two_processes_make_the_same_at_once() -> None:
    here = Path(__file__).parent
    programs = [
        subprocess.Popen([sys.executable, "-c", TWO, str(here)], stdout=subprocess.PIPE, text=True, cwd=here.parents[1])
        for _ in range(2)
    ]
    told = {program.communicate(timeout=60)[0].strip() for program in programs}
    assert [program.returncode for program in programs] == [0, 0]
    assert told == {kept(how=never).digests["images"]}


def test_the_least_recently_used_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, key in enumerate("abc"):
        kept(key)
        os.utime(file_of(key), (1_000 + number, 1_000 + number))
    assert [entry.title for entry in cache.entries()] == ["/pictures/c", "/pictures/b", "/pictures/a"]
    kept("a", never)  # used again
    monkeypatch.setattr(cache, "MOST_BYTES", cache.total_bytes() + 10)
    kept("d")
    assert {entry.title[-1] for entry in cache.entries()} == {"a", "c", "d"}
    assert cache.total_bytes() == sum(entry.size_bytes for entry in cache.entries()) <= cache.MOST_BYTES


def test_what_is_larger_than_the_cache_removes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    kept()
    monkeypatch.setattr(cache, "MOST_BYTES", 100)
    with pytest.raises(cache.CacheFullError, match="may have"):
        kept("b")
    kept("a", never)


def test_never_more_than_a_share_of_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    kept()
    free = type("Usage", (), {"free": 1_000_000})()
    monkeypatch.setattr(cache.shutil, "disk_usage", lambda place: free)
    assert cache.limit_bytes() == (1_000_000 + cache.total_bytes()) // 2


def test_it_can_be_cleared() -> None:
    kept("a")
    kept("b")
    before = cache.total_bytes()
    assert before > 0
    assert cache.clear() == before
    assert (cache.entries(), cache.total_bytes()) == ([], 0)


def test_a_sealed_file_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="There is no file"):
        read_seal(tmp_path / "gone")
    (tmp_path / "other").write_bytes(b"x" * 500)
    with pytest.raises(BadFileError, match="damaged or was replaced"):
        read_seal(tmp_path / "other")


@pytest.mark.parametrize("wanted", [[3], [0, 1, 2, 9], [5, 4, 3], [7, 7, 8], list(range(10)), []])
@pytest.mark.parametrize("name", LAYOUT)
def test_samples_of_a_large_file_are_read_past_its_map(
    monkeypatch: pytest.MonkeyPatch, wanted: list[int], name: str
) -> None:
    array = kept().arrays[name]
    assert rows.file_rows(array) is None  # it is small
    monkeypatch.setattr(rows, "MOST_MAPPED_BYTES", 10)
    reader = rows.file_rows(array)
    assert reader is not None
    np.testing.assert_array_equal(reader.read(np.array(wanted, np.int64)), array[wanted])
    assert rows.file_rows(np.asarray(array)) is None
    assert rows.file_rows(array[2:]) is None  # of which nobody knows where it begins
