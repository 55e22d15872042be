"""Hugging Face's hub, played by a server on this machine."""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from typing import Any
from urllib.parse import unquote

import pyarrow as pa
import pytest
from pyarrow import parquet

SHA, OTHER_SHA = "a" * 40, "b" * 40
NAME = "someone/greetings"


def rows(count: int) -> bytes:
    features = {"text": {"_type": "Value", "dtype": "string"}, "label": {"_type": "ClassLabel", "names": ["n", "y"]}}
    made = pa.table({"text": [f"good day {n}" for n in range(count)], "label": [n % 2 for n in range(count)]})
    made = made.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})
    sink = pa.BufferOutputStream()
    parquet.write_table(made, sink)
    return sink.getvalue().to_pybytes()


class Hub:
    """Answers as the hub does, over plain HTTP.

    Args:
        files: path and content, for each revision; a name of a branch, or a commit.
    """

    def __init__(self) -> None:
        self.files: dict[str, dict[str, bytes]] = {SHA: {}}
        self.commits = {"": SHA, SHA: SHA}
        self.card: dict[str, Any] = {"license": "cc-by-4.0"}
        self.told: dict[str, str] = {}  # digests that are not right
        self.gated = False
        self.asked: list[tuple[str, str | None]] = []
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def _handler(hub) -> type[http.server.BaseHTTPRequestHandler]:  # noqa: N805
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = unquote(self.path.partition("?")[0]).strip("/")
                hub.asked.append((path, self.headers.get("Authorization")))
                status, headers, content = hub.answer(path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path.startswith("cdn/"):
            return 200, {}, self.files[SHA][path.removeprefix("cdn/")]
        if self.gated:
            return 403, {"X-Error-Code": "GatedRepo"}, b""
        if path.startswith(f"datasets/{NAME}/resolve/"):
            revision, _, file = path.removeprefix(f"datasets/{NAME}/resolve/").partition("/")
            if file in self.files[revision] and revision == SHA:
                return 302, {"Location": f"http://localhost:{self.http.server_port}/cdn/{file}"}, b""
            return (200, {}, self.files[revision][file]) if file in self.files[revision] else (404, {}, b"")
        if path == f"api/datasets/{NAME}" or path.startswith(f"api/datasets/{NAME}/revision/"):
            revision = path.partition("/revision/")[2]
            commit = self.commits.get(revision)
            return (200, {}, self.info(commit)) if commit else (404, {"X-Error-Code": "RevisionNotFound"}, b"")
        return 401, {"X-Error-Code": "RepoNotFound"}, b""

    def close(self) -> None:
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()

    def info(self, commit: str) -> bytes:
        siblings = []
        for path, content in self.files[commit].items():
            git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
            sibling: dict[str, Any] = {"rfilename": path, "size": len(content), "blobId": self.told.get(path, git)}
            if "large" in path:
                sha = self.told.get(path, hashlib.sha256(content).hexdigest())
                sibling["lfs"] = {"size": len(content), "sha256": sha, "pointerSize": 130}
            siblings.append(sibling)
        return json.dumps({"id": NAME, "sha": commit, "siblings": siblings, "tags": [], "cardData": self.card}).encode()


def opened_hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with one dataset, which the program takes for the real one; close it."""
    hub = Hub()
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.http.server_port}")
    hub.files[SHA] = {
        "README.md": b"---\n",
        "data/train-00000-of-00001.parquet": rows(30),
        "data/test-large-00000-of-00001.parquet": rows(10),
        "data/unsupervised-00000-of-00001.parquet": rows(99),
        "script.py": b"raise SystemExit",
    }
    return hub
