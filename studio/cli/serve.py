"""studio serve: a trained network behind HTTP."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.cli.project_options import add_trust_option

if TYPE_CHECKING:
    from studio.serving.server import Server

_TICK = 0.1  # seconds
_LAST_ANSWER = 10.0  # seconds that an answer may still take when the server ends


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        "serve", help="answer new inputs over HTTP; only for this machine, unless told otherwise"
    )
    parser.add_argument("source", type=Path, metavar="RUN|CHECKPOINT", help="a run’s folder or a .pt checkpoint")
    parser.add_argument("--port", type=int, default=8_000, metavar="N", help="default: 8000; 0 takes one that is free")
    parser.add_argument("--host", default="127.0.0.1", help="default: 127.0.0.1, which only this machine reaches")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    add_trust_option(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl+C or SIGTERM."""
    from studio.evaluation.answering import open_answerer  # loads torch
    from studio.serving.server import Server, is_loopback
    from studio.serving.service import Service

    if not 0 <= options.port <= 65_535:
        raise ValueError("--port must be a number from 0 to 65535.")
    answerer = open_answerer(options.source, options.device, trusted=options.trust)
    name = options.source.resolve().name if options.source.is_dir() else options.source.resolve().stem
    service = Service(answerer, f"Training Studio: {name}")
    try:
        server = Server(service, options.host, options.port)
    except OSError as error:
        reason = error.strerror or error
        raise ValueError(
            f"Cannot listen on {options.host}, port {options.port}: {reason}. Try another --port."
        ) from error
    if not is_loopback(options.host):
        print(
            "studio: everybody who reaches this machine can use the server: there is no password and no encryption. "
            "Use 127.0.0.1, or put a proxy before it.",
            file=sys.stderr,
        )
    with server, _until_signal() as ended:
        print(f"{server.url} answers ({answerer.device.type}); more: {server.url}/docs. Ctrl+C ends it.", flush=True)
        _serve(server, ended)
    service.wait_until_idle(_LAST_ANSWER)
    print("Ended.", flush=True)
    return 0


def _serve(server: Server, ended: threading.Event) -> None:
    """In a thread: a signal must not break into the work of the server."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": _TICK})
    thread.start()
    try:
        while thread.is_alive() and not ended.wait(_TICK):  # Windows lets no signal through while it waits
            pass
    finally:
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def _until_signal() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl+C set."""
    ended = threading.Event()
    # Where a shell lets a program in the background ignore Ctrl+C, that stays so.
    wanted = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) != signal.SIG_IGN]
    before = [(one, signal.signal(one, lambda *_: ended.set())) for one in wanted]
    try:
        yield ended
    finally:
        for one, handler in before:
            signal.signal(one, handler)
