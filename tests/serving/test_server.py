"""A network behind HTTP: real requests, and hostile ones."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import http.client
import io
import json
import os
import re
import signal
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.cli.main import main
from studio.data.bundled import Digits, Iris
from studio.data.plane import Spirals
from studio.evaluation.answering import Answerer
from studio.evaluation.trained import Trained
from studio.serving import server as serving
from studio.serving.bodies import MOST_INPUTS
from studio.serving.server import Server, host_of, is_loopback
from studio.serving.service import Service
from studio.training.checkpoint import write_checkpoint
from tests.evaluation.untrained import untrained


@pytest.fixture(scope="module")
def trained() -> Trained:
    return untrained(Digits())


@pytest.fixture(scope="module")
def service(trained: Trained) -> Service:
    return Service(Answerer.from_checkpoint(trained.checkpoint, "cpu"), "digits <net>", most_waiting=0)


@pytest.fixture(scope="module")
def running(service: Service) -> Iterator[Server]:
    with serve(service) as made:
        yield made


@contextlib.contextmanager
def serve(service: Service) -> Iterator[Server]:
    with Server(service, port=0) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def picture() -> bytes:
    pixels = np.rint(Digits().load().inputs[0][3, 0] * (255 / 16)).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def ask(
    server: Server, method: str, path: str, body: Any = None, type: str = "application/json", **headers: str
) -> tuple[int, Any]:
    """The status and the JSON, or the text, of a response."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    content = json.dumps(body).encode() if isinstance(body, dict | list) else body
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, content, {"Content-Type": type, **named} if content is not None else named)
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, json.loads(text) if text and "json" in response.headers["Content-Type"] else text


def raw(server: Server, content: bytes) -> bytes:
    """What comes back for bytes that no library would send."""
    with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        blocks = []
        while block := connection.recv(65_536):
            blocks.append(block)
        return b"".join(blocks)


def test_every_way_to_give_a_picture_gives_the_same_answer(running: Server, service: Service, picture: bytes) -> None:
    wanted = service.answerer.answer(service.answerer.read(picture))
    encoded = base64.b64encode(picture).decode()
    boundary = "----x9"
    form = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="../../a.png"\r\n'
        f"Content-Type: image/png\r\n\r\n".encode()
        + picture
        + f"\r\n--{boundary}--\r\n".encode()
    )
    answers = [
        ask(running, "POST", "/predict", {"input": encoded}),
        ask(running, "POST", "/predict", {"input": f"data:image/png;base64,{encoded}"}),
        ask(running, "POST", "/predict", {"input": _pixels(picture)}),
        ask(running, "POST", "/predict?top=5", picture, "image/png"),
        ask(running, "POST", "/predict", picture, "application/octet-stream"),
        ask(running, "POST", "/predict", form, f"multipart/form-data; boundary={boundary}"),
    ]
    for status, told in answers:
        assert status == 200, told
        assert told["answer"]["answer"] == wanted.best
        found = [entry["probability"] for entry in told["answer"]["classes"]]
        np.testing.assert_allclose(found, [value for _, value in wanted.top(5)], atol=1e-6)


def test_handwriting_is_made_to_look_like_the_samples(running: Server, service: Service) -> None:
    photo = np.full((300, 200), 230, np.uint8)
    photo[40:200, 90:110] = 20
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "PNG")
    wanted = service.answerer.answer(service.answerer.read_drawing(buffer.getvalue())).to_json(5)
    status, told = ask(running, "POST", "/predict?drawing=true", buffer.getvalue(), "image/png")
    assert (status, told["answer"]) == (200, wanted)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    assert ask(running, "POST", "/predict", {"input": encoded, "drawing": True})[1]["answer"] == wanted
    plain = ask(running, "POST", "/predict", {"input": encoded})[1]["answer"]
    assert plain["classes"] != wanted["classes"]
    assert "dark on light" in plain["notes"][0]


def _pixels(picture: bytes) -> list[Any]:
    pixels = np.asarray(Image.open(io.BytesIO(picture))).astype(float) * 16 / 255
    listed: list[Any] = np.rint(pixels)[None].tolist()
    return listed


def test_several_inputs_are_answered_one_by_one(running: Server, picture: bytes) -> None:
    good, bad = base64.b64encode(picture).decode(), base64.b64encode(b"nothing").decode()
    status, told = ask(running, "POST", "/predict", {"inputs": [good, bad, "/etc/passwd", good], "top": 1})
    assert status == 200
    kinds = ["answer" in one for one in told["answers"]]
    assert kinds == [True, False, False, True]
    assert told["answers"][1]["error"]["code"] == "bad_input"
    assert len(told["answers"][0]["classes"]) == 1


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/health"])
def test_pages_need_nothing_from_elsewhere(running: Server, path: str) -> None:
    status, told = ask(running, "GET", path)
    assert status == 200
    text = told if isinstance(told, str) else json.dumps(told)
    assert not re.search(r'(src|href)="(https?:)?//', text)
    if isinstance(told, str):
        assert "<net>" not in told, "names are shown as they are, not taken for HTML"
    assert ask(running, "HEAD", path) == (200, "")


def test_the_page_allows_its_own_script_alone(running: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", running.server_port, timeout=20)
    connection.request("GET", "/")
    response = connection.getresponse()
    policy, page = response.headers["Content-Security-Policy"], response.read().decode()
    connection.close()
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    for part in (*scripts, *styles):
        assert base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() in policy
    assert policy.startswith("default-src 'none'")


def test_the_description_is_that_of_the_network(running: Server) -> None:
    _, told = ask(running, "GET", "/openapi.json")
    assert told["openapi"] == "3.1.0"
    types = told["paths"]["/predict"]["post"]["requestBody"]["content"]
    assert set(types) == {"application/json", "image/*", "multipart/form-data"}
    names = told["components"]["schemas"]["Answer"]["properties"]["classes"]["items"]["properties"]["name"]["enum"]
    assert names == list("0123456789")
    references = re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(told))
    assert set(references) <= set(told["components"]["schemas"])


@pytest.mark.parametrize(
    ("method", "path", "body", "type", "status", "code"),
    [
        ("GET", "/secret", None, "", 404, "not_found"),
        ("GET", "/../../etc/passwd", None, "", 404, "not_found"),
        ("GET", "/predict", None, "", 405, "wrong_method"),
        ("POST", "/health", b"{}", "application/json", 405, "wrong_method"),
        ("DELETE", "/predict", None, "", 405, "wrong_method"),
        ("POST", "/predict", b"{", "application/json", 400, "bad_request"),
        ("POST", "/predict", b"[" * 5_000, "application/json", 400, "bad_request"),
        ("POST", "/predict", b'{"input": 1, "input": 2}', "application/json", 400, "bad_request"),
        ("POST", "/predict", b'{"input": NaN}', "application/json", 400, "bad_request"),
        ("POST", "/predict", {"data": 1}, "application/json", 400, "bad_request"),
        ("POST", "/predict", {"input": "", "file": "/etc/passwd"}, "application/json", 400, "bad_request"),
        ("POST", "/predict", {"input": "", "top": 0}, "application/json", 400, "bad_request"),
        ("POST", "/predict", {"input": "", "drawing": "perhaps"}, "application/json", 400, "bad_request"),
        ("POST", "/predict", {"input": "", "drawing": [1]}, "application/json", 400, "bad_request"),
        ("POST", "/predict?top=many", b"x", "image/png", 400, "bad_request"),
        ("POST", "/predict", {"inputs": [""] * (MOST_INPUTS + 1)}, "application/json", 413, "too_large"),
        ("POST", "/predict", b"hello", "text/plain", 415, "unsupported_type"),
        ("POST", "/predict", b"RIFF", "audio/wav", 415, "unsupported_type"),
        ("POST", "/predict", b"nothing", "image/png", 422, "bad_input"),
        ("POST", "/predict", b"", "image/png", 422, "bad_input"),
        ("POST", "/predict", {"input": "/etc/passwd"}, "application/json", 422, "bad_input"),
        ("POST", "/predict", {"input": {"path": "/etc/passwd"}}, "application/json", 422, "bad_input"),
        ("POST", "/predict", {"input": [[[1e999]]]}, "application/json", 400, "bad_request"),
        ("POST", "/predict", b"--x\r\n\r\nabc", "multipart/form-data; boundary=x", 400, "bad_request"),
        ("POST", "/predict", b"abc", "multipart/form-data", 400, "bad_request"),
    ],
)
def test_what_cannot_be_answered_is_told_with_a_type(
    running: Server, method: str, path: str, body: Any, type: str, status: int, code: str
) -> None:
    found, told = ask(running, method, path, body, type)
    assert (found, told["error"]["code"]) == (status, code), told
    assert len(told["error"]["message"]) > 10
    assert ask(running, "GET", "/health")[0] == 200


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"GET /health HTTP/1.1\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n", 400),
        (b"GET /health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403),
        (b"GET /health HTTP/1.1\r\nHost: localhost.evil.example:80\r\n\r\n", 403),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\r\n", 403),
        (b"GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n\r\n", 403),
        (b"GET /health HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 200),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\n\r\n", 411),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n", 413),
        (b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nshort", 400),
        (
            b"POST /predict HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 99999999999\r\n\r\n",
            413,
        ),
        (b"BREW /pot HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    ],
)
def test_what_no_library_sends_is_refused(running: Server, content: bytes, status: int) -> None:
    told = raw(running, content)
    assert f" {status} ".encode() in told.partition(b"\r\n")[0], told[:200]
    if status != 200:
        assert json.loads(told.partition(b"\r\n\r\n")[2])["error"]["message"]


def test_who_does_not_go_on_is_not_waited_for(running: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving._Handler, "timeout", 0.2)
    with socket.create_connection(("127.0.0.1", running.server_port), timeout=20) as connection:
        connection.sendall(b"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\nsome")
        assert b" 408 " in connection.recv(65_536)
    with socket.create_connection(("127.0.0.1", running.server_port), timeout=20) as connection:
        connection.sendall(b"GET / HT")
        assert connection.recv(65_536) == b""


def test_one_computation_runs_at_a_time(running: Server, service: Service, picture: bytes) -> None:
    """No request may wait here, so a second one is sent away."""
    with service._one_at_a_time():
        status, told = ask(running, "POST", "/predict", picture, "image/png")
        assert (status, told["error"]["code"]) == (429, "busy")
        assert ask(running, "GET", "/health")[0] == 200
    assert ask(running, "POST", "/predict", picture, "image/png")[0] == 200


def test_no_more_connections_are_taken_than_allowed(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 1)
    with serve(service) as server, socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as first:
        first.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b" 200 " in first.recv(65_536)  # and it stays open
        with socket.create_connection(("127.0.0.1", server.server_port), timeout=20) as second:
            assert second.recv(65_536) == b""


def test_what_goes_wrong_inside_stays_inside(
    running: Server,
    service: Service,
    picture: bytes,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("a secret of the machine")

    monkeypatch.setattr(service.answerer, "compute", broken)
    status, told = ask(running, "POST", "/predict", picture, "image/png")
    assert (status, told["error"]["code"]) == (500, "internal")
    assert "secret" not in told["error"]["message"]
    assert "a secret of the machine" in capsys.readouterr().err


@pytest.mark.parametrize("source", [Iris(), Spirals(samples=40)])
def test_numbers_are_taken_by_their_names(source: Iris | Spirals) -> None:
    service = Service(Answerer.from_checkpoint(untrained(source).checkpoint, "cpu"), "numbers")
    names = source.spec.features
    row = dict.fromkeys(names, 0.5)
    body = json.dumps({"inputs": [row, list(row.values()), {"x": "/etc/passwd"}]}).encode()
    told = json.loads(service.post("/predict", "application/json", body).body)["answers"]
    assert told[0] == told[1]
    assert "missing" in told[2]["error"]["message"] or "must be a number" in told[2]["error"]["message"]
    assert all(name in service.get("/").body.decode() for name in names)


def test_names_of_this_machine() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "::1", "localhost", "127.9.9.9")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.0.2", "example.org")))
    assert [host_of(h) for h in ("LOCALHOST:80", "[::1]:80", "::1", "127.0.0.1")] == [
        "localhost", "::1", "::1", "127.0.0.1",
    ]  # fmt: skip


@pytest.mark.skipif(os.name != "posix", reason="Windows sends no such signals")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_by_a_signal_without_an_error(
    trained: Trained, tmp_path: Path, sent: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(tmp_path / "net.pt", trained.checkpoint)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    before = signal.getsignal(sent)
    answers: list[int] = []

    def ask_and_end() -> None:
        for _ in range(200):
            with contextlib.suppress(ConnectionRefusedError):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
                connection.request("GET", "/health")
                answers.append(connection.getresponse().status)
                connection.close()
                break
            threading.Event().wait(0.05)
        os.kill(os.getpid(), sent)

    thread = threading.Thread(target=ask_and_end)
    thread.start()
    assert main(["serve", str(tmp_path / "net.pt"), "--port", str(port), "--device", "cpu"]) == 0
    thread.join()
    told = capsys.readouterr()
    assert answers == [200]
    assert f"http://127.0.0.1:{port}/docs" in told.out
    assert told.out.endswith("Ended.\n")
    assert told.err == ""
    assert signal.getsignal(sent) == before


def test_a_port_that_is_taken_and_a_host_for_everybody_are_told(
    trained: Trained, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_checkpoint(tmp_path / "net.pt", trained.checkpoint)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["serve", str(tmp_path / "net.pt"), "--port", port, "--device", "cpu"]) == 2
    assert f"Cannot listen on 127.0.0.1, port {port}" in capsys.readouterr().err
    monkeypatch.setattr(Server, "serve_forever", lambda self, **_: None)
    monkeypatch.setattr(Server, "shutdown", lambda self: None)  # it would wait for the end of what did not begin
    assert main(["serve", str(tmp_path / "net.pt"), "--port", "0", "--host", "0.0.0.0", "--device", "cpu"]) == 0
    assert "no password and no encryption" in capsys.readouterr().err
