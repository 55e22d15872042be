"""What the addresses of a server give, without HTTP: so that it can be tested, and other servers could use it."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

from studio import __version__
from studio.data.forms import InputError
from studio.evaluation.answering import Answer, Answerer, Reading
from studio.serving.bodies import WISHES, Asked, Wishes, read_body, wished
from studio.serving.errors import RequestError, bad_input, bad_request, busy
from studio.serving.openapi import describe
from studio.serving.pages import POLICY, documentation, start_page

MOST_WAITING = 16  # requests that wait for the one that is computed
LONGEST_WAIT = 60.0  # seconds

JSON, HTML = "application/json", "text/html; charset=utf-8"


@dataclass(frozen=True)
class Response:
    """What is sent back."""

    body: bytes
    type: str = JSON
    status: HTTPStatus = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)


def json_response(value: Any, status: HTTPStatus = HTTPStatus.OK, headers: dict[str, str] | None = None) -> Response:
    """A value as JSON, without anything that JSON does not have."""
    content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
    return Response(content, JSON, status, headers or {})


class Service:
    """Answers requests with one network.

    Args:
        answerer: the network.
        title: what it is called on the pages.
        most_waiting: how many requests may wait for the one that is computed; further ones are sent away.
    """

    def __init__(self, answerer: Answerer, title: str, most_waiting: int = MOST_WAITING) -> None:
        self.answerer, self.title = answerer, title
        self._turn = threading.Lock()
        self._places = threading.BoundedSemaphore(most_waiting + 1)
        description, policy = describe(answerer, title), {"Content-Security-Policy": POLICY}
        self._pages: dict[str, Callable[[], Response]] = {
            "/": lambda: Response(start_page(answerer, title), HTML, headers=policy),
            "/docs": lambda: Response(documentation(description), HTML, headers=policy),
            "/openapi.json": lambda: json_response(description),
            "/health": self._health,
        }

    def get(self, target: str) -> Response:
        """What an address gives. Raises RequestError."""
        page = self._pages.get(urlsplit(target).path)
        if page is None:
            raise self._absent(target)
        return page()

    def post(self, target: str, content_type: str, body: bytes) -> Response:
        """The answers to what is in a body. Raises RequestError."""
        asked = read_body(self.answerer, content_type, body, self.wishes(target))
        with self._one_at_a_time():
            return self._answer(asked)

    def wishes(self, target: str) -> Wishes:
        """How an address wants its answers. Raises RequestError if it is no address to send something to."""
        parts = urlsplit(target)
        if parts.path != "/predict":
            raise self._absent(target)
        try:
            query = parse_qs(parts.query, max_num_fields=10)
        except ValueError as error:
            raise bad_request("The address has too many settings; there are “top” and “drawing”.") from error
        return wished({name: query[name][-1] for name in WISHES if name in query}, Wishes())

    def allowed(self, path: str) -> tuple[str, ...]:
        """The methods of an address; none if there is no such."""
        if path in self._pages:
            return ("GET", "HEAD")
        return ("POST",) if path == "/predict" else ()

    def _absent(self, target: str) -> RequestError:
        path = urlsplit(target).path
        if methods := self.allowed(path):
            verb = ", ".join(methods)
            return RequestError(
                HTTPStatus.METHOD_NOT_ALLOWED, "wrong_method", f"{path} takes {verb} only.", {"Allow": verb}
            )
        known = ", ".join([*self._pages, "/predict"])
        return RequestError(HTTPStatus.NOT_FOUND, "not_found", f"There is no such address. There are {known}.")

    def _health(self) -> Response:
        return json_response({
            "status": "ok", "network": self.title, "answers": self.answerer.kind,
            "device": self.answerer.device.type, "studio": __version__,
        })  # fmt: skip

    @contextlib.contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        if not self._places.acquire(blocking=False):
            raise busy("Too many requests wait already. Try again in a moment.")
        try:
            if not self._turn.acquire(timeout=LONGEST_WAIT):
                raise busy(f"It was not your turn within {LONGEST_WAIT:.0f} seconds. Try again later.")
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._places.release()

    def _answer(self, asked: Asked) -> Response:
        read = functools.partial(self._read, asked.wishes)
        if asked.single:  # threads that read ahead would only cost time
            try:
                answer = self.answerer.answer(read(asked.given[0]))
            except InputError as error:
                raise bad_input(str(error)) from error
            return json_response({"answer": answer.to_json(asked.wishes.top)})
        told = [self._told(answer, asked.wishes) for answer in self.answerer.stream(asked.given, read)]
        return json_response({"answers": told})

    def _read(self, wishes: Wishes, value: object) -> Reading:
        if isinstance(value, InputError):
            raise value
        if wishes.drawing and isinstance(value, bytes):
            return self.answerer.read_drawing(value)
        return self.answerer.read(value)

    def _told(self, answer: Answer | InputError, wishes: Wishes) -> dict[str, Any]:
        if isinstance(answer, Answer):
            return answer.to_json(wishes.top)
        return bad_input(str(answer)).to_json()

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait for the request that is computed. Returns whether it is done."""
        if self._turn.acquire(timeout=seconds):
            self._turn.release()
            return True
        return False
