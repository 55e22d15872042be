"""The server of HTTP: reads requests within limits, and hands them to a Service."""

from __future__ import annotations

import ipaddress
import socket
import sys
import threading
import time
import traceback
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from studio.serving.errors import RequestError, bad_request, too_large
from studio.serving.service import Response, Service, json_response

MOST_BODY_BYTES = 32 * 2**20
MOST_CONNECTIONS = 32
IDLE_SECONDS = 15.0  # without a byte from the other side
LONGEST_READ = 60.0  # seconds for a whole body
_BLOCK = 2**16
# Pages load nothing from elsewhere; the script in them is allowed by the digest in `pages`.
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach a server there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def host_of(header: str) -> str:
    """The name in a Host header, without the port."""
    name = header.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.partition(":")[0] if name.count(":") <= 1 else name


class Server(ThreadingHTTPServer):
    """A server for one network; a thread for each connection.

    Args:
        service: what answers.
        host, port: where it listens; port 0 takes one that is free.

    Raises:
        OSError: if it cannot listen there.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, service: Service, host: str = "127.0.0.1", port: int = 8_000) -> None:
        if ":" in host:
            self.address_family = socket.AF_INET6
        self.service, self.host = service, host
        self.own_names = {"localhost", "127.0.0.1", "::1", host.lower()} if is_loopback(host) else None
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Listen, without asking a name server what this machine is called."""
        socket.socket.setsockopt(self.socket, socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Its address."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{name}:{self.server_port}"

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread, unless there are too many already: then the connection is closed at once."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """In the thread."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """What the other side broke off is nothing to tell."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            traceback.print_exc(file=sys.stderr)


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server_version = "TrainingStudio"
    sys_version = ""

    def do_GET(self) -> None:
        """A page or a description."""
        self._answer(lambda: self.server.service.get(self.path))

    def do_HEAD(self) -> None:
        """The same without its content."""
        self.do_GET()

    def do_POST(self) -> None:
        """An input to answer."""
        self._answer(self._predicted)

    def _predicted(self) -> Response:
        self.server.service.wishes(self.path)  # refuses before the body is read
        return self.server.service.post(self.path, self.headers.get("Content-Type", ""), self._body())

    def _answer(self, make: Any) -> None:
        try:
            self._check_origin()
            response = make()
        except RequestError as error:
            # Of the body nobody knows how much was read.
            self.close_connection = True
            response = json_response(error.to_json(), error.status, error.headers)
        except (ConnectionError, TimeoutError):
            self.close_connection = True
            raise
        except Exception:
            traceback.print_exc(file=sys.stderr)
            self.close_connection = True
            failed = RequestError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong; the server’s own output tells what.",
            )
            response = json_response(failed.to_json(), failed.status)
        self._send(response)

    def _check_origin(self) -> None:
        """Refuse other names of this machine: a page elsewhere could have made one up to reach what is only here.

        Source: “DNS rebinding”, https://en.wikipedia.org/wiki/DNS_rebinding.
        """
        own = self.server.own_names
        hosts = self.headers.get_all("Host", [])
        if len(hosts) != 1:
            raise bad_request("One Host header is needed.")
        origin = self.headers.get("Origin", "")
        asking = [hosts[0], *([urlsplit(origin).netloc or origin] if origin else [])]
        if own is not None and any(host_of(name) not in own for name in asking):
            raise RequestError(
                HTTPStatus.FORBIDDEN, "wrong_host", f"This server is only for this machine: use {self.server.url}."
            )
        if own is None and origin and urlsplit(origin).netloc.lower() != hosts[0].strip().lower():
            raise RequestError(HTTPStatus.FORBIDDEN, "wrong_origin", "Pages of other servers may not ask this one.")

    def _body(self) -> bytes:
        """All of the body, within limits of size and time. Raises RequestError."""
        if "Transfer-Encoding" in self.headers:
            raise RequestError(HTTPStatus.LENGTH_REQUIRED, "length_required", "Send the body whole, with its length.")
        lengths = self.headers.get_all("Content-Length", [])
        if not lengths:
            raise RequestError(HTTPStatus.LENGTH_REQUIRED, "length_required", "The length of the body is missing.")
        if len(lengths) > 1 or not (lengths[0].isascii() and lengths[0].isdigit()) or len(lengths[0]) > 15:
            raise bad_request("The length of the body is no whole number.")
        size = int(lengths[0])
        if size > MOST_BODY_BYTES:
            raise too_large(f"The body has {size / 1e6:,.1f} MB; up to {MOST_BODY_BYTES / 1e6:.1f} MB are read.")
        return self._read_within(size)

    def _read_within(self, size: int) -> bytes:
        deadline, blocks, left = time.monotonic() + LONGEST_READ, list[bytes](), size
        slow = RequestError(HTTPStatus.REQUEST_TIMEOUT, "too_slow", "The body did not come in time.")
        while left:
            try:
                block = self.rfile.read1(min(left, _BLOCK))
            except TimeoutError as error:
                raise slow from error
            if not block:
                raise bad_request("The body is shorter than its length says.")
            blocks.append(block)
            left -= len(block)
            if left and time.monotonic() > deadline:
                raise slow
        return b"".join(blocks)

    def handle_expect_100(self) -> bool:
        """Who asks first is told no before the body comes, if that is what would be told in the end."""
        try:
            self._check_origin()
            self.server.service.wishes(self.path)
            if (
                self.headers.get("Content-Length", "").isdigit()
                and int(self.headers["Content-Length"]) > MOST_BODY_BYTES
            ):
                raise too_large(f"Up to {MOST_BODY_BYTES / 1e6:.1f} MB are read.")
        except RequestError as error:
            self.close_connection = True
            self._send(json_response(error.to_json(), error.status, error.headers))
            return False
        return super().handle_expect_100()

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in {**_SAFE, **response.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.type)
        self.send_header("Content-Length", str(len(response.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        # In one piece: two small packets would wait for each other.
        body = b"" if self.command == "HEAD" else response.body
        self._headers_buffer: list[bytes]
        self._headers_buffer.append(b"\r\n" + body)
        self.flush_headers()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the library itself refuses, such as a line that is too long, is told as JSON, too."""
        self.close_connection = True
        if not hasattr(self, "headers") or not hasattr(self, "command") or self.command is None:
            self.command, self.request_version = "GET", "HTTP/1.1"
        status, allowed = HTTPStatus(code), dict[str, str]()
        if status == HTTPStatus.NOT_IMPLEMENTED:  # as the library tells of methods that nobody declared
            status, allowed = HTTPStatus.METHOD_NOT_ALLOWED, {"Allow": "GET, HEAD, POST"}
        error = RequestError(status, "wrong_method" if allowed else "bad_request", f"{status.phrase}.", allowed)
        self._send(json_response(error.to_json(), status, allowed))

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: addresses and texts of those who ask are not written down."""
