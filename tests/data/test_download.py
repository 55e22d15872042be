"""Downloads, from a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torchvision

from studio import storage
from studio.data import DataError
from studio.data import registry as sources
from studio.data.known import cifar
from studio.data.texts import shakespeare


class Server:
    """Gives files by their name; what is asked for is written down."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()  # names after half of which the connection breaks
        self.asked: list[str] = []
        self.http = http.server.HTTPServer(("127.0.0.1", 0), self._handler())
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http.server_port}/"

    def _handler(server) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.rpartition("/")[2]
                server.asked.append(name)
                if name not in server.files:
                    self.send_error(404)
                    return
                content = server.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2] if name in server.cut else content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = Server()
    yield server
    server.close()


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


@pytest.fixture
def mnist_mirror(server: Server, monkeypatch: pytest.MonkeyPatch, tiny_mnist: Callable) -> Server:
    server.files = tiny_mnist()
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [server.url + "first/", server.url + "second/"])
    resources = [(name, md5(content)) for name, content in server.files.items()]
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", resources)
    return server


def files_in(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


mnist = sources.get("mnist")()


def test_fetches_into_the_cache_and_loads(mnist_mirror: Server, cache: Path) -> None:
    calls: list[tuple[int, int]] = []
    mnist.download(lambda done, total: calls.append((done, total)))
    assert {path.name: path.read_bytes() for path in (cache / "MNIST" / "raw").iterdir()} == mnist_mirror.files
    assert mnist.load().test_start == 6
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert calls[-1] == (sum(map(len, mnist_mirror.files.values())), mnist.download_bytes)


def test_a_text_is_fetched_and_loads(server: Server, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.files["input.txt"] = b"To be, or not to be: that is the question.\n" * 9
    monkeypatch.setattr(shakespeare, "URL", server.url + "input.txt")
    monkeypatch.setattr(shakespeare, "MD5", md5(server.files["input.txt"]))
    source = sources.get("tiny-shakespeare")()
    source.download()
    assert (cache / "tiny-shakespeare" / "input.txt").read_bytes() == server.files["input.txt"]
    assert source.load().targets.shape == (5, 64)


def test_what_is_there_is_not_fetched_again(mnist_mirror: Server, cache: Path) -> None:
    mnist.download()
    mnist_mirror.asked.clear()
    (cache / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz").write_bytes(b"broken")
    mnist.download()
    assert mnist_mirror.asked == ["train-labels-idx1-ubyte.gz"]
    assert mnist.load().test_start == 6


def test_the_next_mirror_is_tried(mnist_mirror: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{closed.getsockname()[1]}/"
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [nobody, mnist_mirror.url])
    mnist.download()
    assert mnist.load().test_start == 6


@pytest.mark.parametrize("change", ["other", "cut", "gone", "endless"])
def test_a_bad_answer_is_told_and_leaves_nothing(mnist_mirror: Server, cache: Path, change: str) -> None:
    name = "t10k-images-idx3-ubyte.gz"
    content = mnist_mirror.files.pop(name)
    if change != "gone":
        mnist_mirror.files[name] = {"other": b"other", "cut": content, "endless": bytes(2**25)}[change]
    if change == "cut":
        mnist_mirror.cut.add(name)
    says = {"other": "MD5 differs", "cut": "MD5 differs", "gone": "404", "endless": "sent more than"}[change]
    with pytest.raises(DataError, match=f"(?s)Could not download {name}: .*{says}.*Check the network"):
        mnist.download()
    assert name not in files_in(cache)
    assert not [file for file in files_in(cache) if file.endswith(storage.TEMPORARY_SUFFIX)]
    assert mnist_mirror.asked.count(name) == 2


def test_no_network_is_told(monkeypatch: pytest.MonkeyPatch, server: Server, cache: Path) -> None:
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", server.url + cifar.ARCHIVE)
    server.close()
    with pytest.raises(DataError, match=r"127\.0\.0\.1 could not be reached.*choose their folder"):
        sources.get("cifar10")().download()
    assert not files_in(cache)


def test_cancelling_leaves_no_part(mnist_mirror: Server, cache: Path) -> None:
    class CancelledError(Exception):
        pass

    def cancel(done: int, total: int) -> None:
        raise CancelledError

    with pytest.raises(CancelledError):
        mnist.download(cancel)
    assert not files_in(cache)


def test_other_kinds_of_addresses_are_not_asked(
    mnist_mirror: Server, tmp_path: Path, write_files: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_files(tmp_path / "mirror", mnist_mirror.files)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [f"{folder.as_uri()}/"])
    with pytest.raises(DataError, match="no safe address"):
        mnist.download()


def test_a_file_that_cannot_be_written_is_told(mnist_mirror: Server, cache: Path) -> None:
    (cache / "MNIST" / "raw" / "train-images-idx3-ubyte.gz").mkdir(parents=True)
    with pytest.raises(DataError, match="Could not write"):
        mnist.download()


def test_torchvision_lists_every_file() -> None:
    for source in sources:
        if source.group == "Torchvision":
            files = source()._remote_files(getattr(torchvision.datasets, source.torchvision_name), Path("x"))
            assert files
            assert all(len(file.md5) == 32 and file.urls[0].startswith("http") for file in files)
