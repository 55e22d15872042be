"""The hub, played by a server on this machine: looking up, agreeing, fetching, and all that can go wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.cli.main import main
from studio.data import DataError, MissingDataError
from studio.data import registry as sources
from studio.data.hub.remote import CONVERTED, look_up
from studio.fields import replace
from tests.hub_server import NAME, OTHER_SHA, SHA, Hub, opened_hub, rows

HuggingFace = sources.get("huggingface")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    hub = opened_hub(monkeypatch)
    yield hub
    hub.close()


def test_looked_up_agreed_fetched_and_read_without_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = look_up(NAME)
    files = hub.files[SHA]
    size = sum(len(files[path]) for path in files if "train" in path or "test" in path)
    assert (offer.revision, offer.licence, offer.size, list(offer.splits)) == (
        SHA,
        "cc-by-4.0",
        size,
        ["train", "test"],
    )
    assert offer.unused == ("unsupervised",)
    assert [path for path, _ in hub.asked] == [f"api/datasets/{NAME}"]  # nothing of it was fetched
    source = offer.pinned(HuggingFace())
    assert (source.revision, source.download_bytes, source.licence) == (SHA, size, "cc-by-4.0")
    assert HuggingFace.download_bytes == 0
    with pytest.raises(MissingDataError, match=r"licence: cc-by-4\.0, .* MB\) is not on this machine"):
        source.load()
    told: list[tuple[int, int]] = []
    source.download(lambda done, total: told.append((done, total)))
    assert told[-1] == (size, size)
    assert not any("unsupervised" in path or "script" in path for path, _ in hub.asked)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    samples = source.proposed().load()
    assert (len(samples.targets), samples.test_start) == (40, 30)
    assert source.proposed().input_type == "text"


def test_what_the_hub_converted_is_taken_if_there_is_nothing_else(hub: Hub) -> None:
    hub.files[SHA] = {"all.csv": b"a,b"}
    hub.files[OTHER_SHA] = {"fr/train/0000.parquet": rows(8), "de/train/0000.parquet": rows(6)}
    hub.commits |= {CONVERTED: OTHER_SHA, OTHER_SHA: OTHER_SHA}
    offer = look_up(NAME, "fr")
    assert (offer.revision, offer.configs, offer.licence) == (OTHER_SHA, ("de", "fr"), "cc-by-4.0")
    source = offer.pinned(HuggingFace())
    source.download()
    assert source.look().rows == 8
    with pytest.raises(MissingDataError):
        replace(source, config="de").look()
    with pytest.raises(DataError, match=r"no configuration “xx”. There are: de, fr"):
        look_up(NAME, "xx")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda hub: hub.files[SHA].clear(), "no such revision on the hub, or no Parquet"),
        (lambda hub: setattr(hub, "gated", True), "accepted its terms"),
        (lambda hub: hub.commits.update({"": "nonsense"}) or hub.files.update(nonsense=hub.files[SHA]), "which commit"),
    ],
)
def test_what_cannot_be_looked_up_is_told(hub: Hub, change: Any, says: str) -> None:
    change(hub)
    with pytest.raises(DataError, match=says):
        look_up(NAME)


def test_unknown_names_and_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="has no dataset “nobody/nothing”, or it is private"):
        look_up("nobody/nothing")
    hub.asked.clear()
    with pytest.raises(DataError, match="is no name of a dataset"):
        look_up("../../etc")
    assert not hub.asked
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"could not be asked for someone/greetings: .*Check the network"):
        look_up(NAME)


@pytest.mark.parametrize("path", ["data/train-00000-of-00001.parquet", "data/test-large-00000-of-00001.parquet"])
def test_other_bytes_than_announced_are_refused(hub: Hub, path: str) -> None:
    hub.told[path] = "0" * 64 if "large" in path else "0" * 40
    source = look_up(NAME).pinned(HuggingFace())
    with pytest.raises(DataError, match="that are not the original file"):
        source.download()
    with pytest.raises(MissingDataError):
        source.look()
    assert not (source.folder / path).exists()


def test_more_than_was_agreed_to_is_not_fetched(hub: Hub) -> None:
    source = look_up(NAME).pinned(HuggingFace())
    hub.files[SHA]["data/train-00000-of-00001.parquet"] = rows(3_000)
    with pytest.raises(DataError, match=r"more than the .* MB that it was said to take"):
        source.download()
    assert not source.folder.exists()


def test_a_cancelled_download_counts_as_none_and_goes_on_later(hub: Hub) -> None:
    class StoppedError(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == total:
            raise StoppedError

    source = look_up(NAME).pinned(HuggingFace())
    with pytest.raises(StoppedError):
        source.download(stop)
    with pytest.raises(MissingDataError):
        source.look()
    hub.asked.clear()
    source.download()
    assert len([path for path, _ in hub.asked if "resolve" in path]) <= 1  # the first file was there already
    assert source.look().rows == 40


def test_a_file_that_was_changed_is_missed(hub: Hub) -> None:
    source = look_up(NAME).pinned(HuggingFace())
    source.download()
    (source.folder / "data/train-00000-of-00001.parquet").write_bytes(b"short")
    with pytest.raises(MissingDataError):
        source.look()


def test_paths_that_lead_elsewhere_are_not_taken(hub: Hub, tmp_path: Path) -> None:
    content = rows(5)
    hub.files[SHA] |= {
        "../train-evil.parquet": content,
        "data\\train-evil.parquet": content,
        "/etc/train-evil.parquet": content,
    }
    hub.card["configs"] = [{"config_name": "default", "data_files": "*train-*.parquet"}]
    offer = look_up(NAME)
    assert [file.path for file in offer.files] == ["data/train-00000-of-00001.parquet"]


def test_a_token_is_only_given_to_the_hub_itself(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_not_a_real_one")
    look_up(NAME).pinned(HuggingFace()).download()
    assert {token for path, token in hub.asked if not path.startswith("cdn/")} == {"Bearer hf_not_a_real_one"}
    assert [token for path, token in hub.asked if path.startswith("cdn/")] == [None, None]


def test_the_command_line_shows_and_asks_first(
    hub: Hub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    assert main(["fetch", NAME]) == 1
    said = capsys.readouterr()
    assert "licence   cc-by-4.0" in said.out
    assert SHA in said.out
    assert "Nothing was downloaded" in said.out
    assert not any("resolve" in path for path, _ in hub.asked)
    assert main(["fetch", NAME, "--yes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    command = next(line for line in lines if line.startswith("studio inspect")).split()
    assert main(command[1:]) == 0
    assert "30 train, 10 test rows" in capsys.readouterr().out
