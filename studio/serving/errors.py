"""What is told to those who ask for what cannot be done."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class RequestError(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        code: for programs, such as too_large.
        message: for people: what happened, and what to do.
        headers: further headers of the response.
    """

    def __init__(self, status: HTTPStatus, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers or {}

    def to_json(self) -> dict[str, Any]:
        """As the body of a response."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_request(message: str) -> RequestError:
    """400: it is not what HTTP or this server understands."""
    return RequestError(HTTPStatus.BAD_REQUEST, "bad_request", message)


def bad_input(message: str) -> RequestError:
    """422: it was understood, but cannot become an input of the network."""
    return RequestError(HTTPStatus.UNPROCESSABLE_ENTITY, "bad_input", message)


def too_large(message: str) -> RequestError:
    """413."""
    return RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", message)


def unsupported(message: str) -> RequestError:
    """415."""
    return RequestError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_type", message)


def busy(message: str) -> RequestError:
    """429: too many wait already."""
    return RequestError(HTTPStatus.TOO_MANY_REQUESTS, "busy", message, {"Retry-After": "1"})
