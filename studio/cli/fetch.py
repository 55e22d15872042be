"""studio fetch: look up a dataset of Hugging Face's hub, show its size and licence, and download it if one agrees."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Any

from studio.data.own_files import printable


def add_parser(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("fetch", help="look up a dataset of Hugging Face’s hub, and download it if you agree")
    parser.add_argument("name", metavar="NAME", help="of the dataset, such as stanfordnlp/imdb")
    parser.add_argument("--config", default="", metavar="NAME", help="which of several parts; default: the usual one")
    parser.add_argument("--revision", default="", metavar="COMMIT", help="40 digits; default: the newest")
    parser.add_argument("--yes", action="store_true", help="download without asking")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Ask the hub, tell, ask the person, download, and say how to use it."""
    from studio.data.hub.remote import Offer, fetch_offer, look_up  # brings the whole of HTTP
    from studio.data.hub.sources import HuggingFace

    offer: Offer = look_up(options.name, options.config, options.revision)
    source = offer.pinned(HuggingFace())
    print(_described(offer))
    if not options.yes and not _agrees():
        print("Nothing was downloaded.")
        return 1
    from tqdm import tqdm

    with tqdm(total=offer.size, unit="B", unit_scale=True, disable=None, file=sys.stderr) as bar:
        fetch_offer(offer, source.folder, offer.size, lambda done, total: _move(bar, done))
    pinned = {"name": source.name, "config": source.config, "revision": source.revision}
    settings = " ".join(f"--set {name}={shlex.quote(value)}" for name, value in pinned.items())
    print(f"It is in {source.folder}. To look into it, or to train on it:")
    print(f"studio inspect huggingface {settings}\nstudio train --data huggingface {settings}")
    return 0


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)


def _described(offer: Any) -> str:
    splits = ", ".join(
        f"{printable(name)} ({sum(file.size for file in files) / 1e6:.1f} MB)" for name, files in offer.splits.items()
    )
    lines = [
        f"{offer.name}, configuration “{printable(offer.config)}”",
        f"  licence   {offer.licence}",
        f"  revision  {offer.revision}",
        f"  download  {offer.size / 1e6:.1f} MB: {splits}",
    ]
    if len(offer.configs) > 1:
        lines.append(
            f"  there are also the configurations {', '.join(printable(c) for c in offer.configs if c != offer.config)}"
        )
    if offer.unused:
        lines.append(f"  not used: {', '.join(map(printable, offer.unused))}")
    return "\n".join(lines)


def _agrees() -> bool:
    if not sys.stdin.isatty():
        print("Add --yes to download it.", file=sys.stderr)
        return False
    print("Download it? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
