"""Pickles are read, never run."""

from __future__ import annotations

import contextlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.data.known import pickles
from studio.data.known.pickles import PickleRefusedError, as_array, read_pickle

ARRAY = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("array", [ARRAY, np.asfortranarray(ARRAY)])
def test_arrays_of_every_protocol(protocol: int, array: np.ndarray) -> None:
    value = read_pickle(pickle.dumps({"data": array, b"labels": [1, 300, 70_000, -1]}, protocol))
    assert value[b"labels"] == [1, 300, 70_000, -1]
    assert np.array_equal(as_array(value["data"]), array)


@pytest.mark.parametrize("core", ["core", "_core"])
def test_both_names_of_numpys_core(core: str) -> None:
    content = pickle.dumps(ARRAY, 2)
    written = b"numpy._core.multiarray" if b"numpy._core" in content else b"numpy.core.multiarray"
    content = content.replace(written, f"numpy.{core}.multiarray".encode())
    assert np.array_equal(as_array(read_pickle(content)), ARRAY)


class Runs:
    """A pickle of this makes a file when it is run."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_hostile_pickle_runs_nothing(tmp_path: Path, protocol: int) -> None:
    marker = tmp_path / "marker"
    hostile = pickle.dumps({"data": Runs(exec, f"open({str(marker)!r}, 'w').close()")}, protocol)
    pickle.loads(hostile)
    assert marker.exists(), "the pickle of this test is not hostile at all"
    marker.unlink()
    with pytest.raises(PickleRefusedError, match="no array of bytes needs"):
        read_pickle(hostile)
    assert not marker.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"cnumpy\nload\n.",
        b"cnumpy\nndarray\n\x81.",
        b"c_codecs\nlookup\n.",
        b"\x80\x04\x8c\x05numpy\x8c\x08f2py.run\x93.",
        b"\x80\x02(ios\nsystem\n.",
        b"\x82\x01.",  # extension registry
        b"Pname\n.",  # persistent id
    ],
)
def test_other_functions_and_operations_are_refused(content: bytes) -> None:
    with pytest.raises(PickleRefusedError, match="no array of bytes needs"):
        read_pickle(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"not a pickle",
        b"\x80\x02}",
        b"e.",
        b"t.",
        b"h\x05.",
        b"K\x01K\x02\x86R.",
        b"K\x01K\x02b.",
        b"]K\x01K\x02s.",
        b"K\x01(e.",
        b"}(K\x01u.",
        b"(\x85t.",
    ],
)
def test_what_does_not_fit_together_is_refused(content: bytes) -> None:
    with pytest.raises(PickleRefusedError):
        as_array(read_pickle(content))


def test_a_key_that_takes_for_ever_to_hash_is_refused() -> None:
    with pytest.raises(PickleRefusedError):
        read_pickle(b"}))s.")  # {(): ()}; nested sixty times in pairs, its hash would take 2**60 steps


def test_any_cut_or_changed_byte_is_refused_or_a_value() -> None:
    content = pickle.dumps({"data": ARRAY, "labels": [1, 2]}, 2)
    for position in range(len(content)):
        with pytest.raises(PickleRefusedError):
            read_pickle(content[:position])
        for flip in (0x01, 0x20, 0xFF):
            changed = bytearray(content)
            changed[position] ^= flip
            with contextlib.suppress(PickleRefusedError):  # and no other error
                value = read_pickle(bytes(changed))
                as_array(value["data"] if isinstance(value, dict) and "data" in value else value)


def test_too_many_parts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles._Reader, "most_operations", 1000)
    with pytest.raises(PickleRefusedError, match="too many"):
        read_pickle(b"]" * 1001 + b".")


@pytest.mark.parametrize(
    "value",
    [ARRAY.astype(np.int8), ARRAY.astype(np.int16), ARRAY.astype(object), np.zeros(2, [("a", "u1")]), [1], None],
)
def test_only_arrays_of_bytes_are_arrays(value: Any) -> None:
    try:
        read = read_pickle(pickle.dumps(value, 2))
    except PickleRefusedError:
        return
    with pytest.raises(PickleRefusedError):
        as_array(read)


def test_an_array_must_be_as_large_as_it_says() -> None:
    content = pickle.dumps(ARRAY, 3)
    larger = content.replace(b"K\x04K\x06\x86", b"K\x05K\x06\x86")
    assert larger != content
    with pytest.raises(PickleRefusedError, match="as large"):
        as_array(read_pickle(larger))
