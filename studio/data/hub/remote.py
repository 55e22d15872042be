"""Looks up and fetches datasets of Hugging Face's hub. Nothing here is called before the person agreed.

Only Parquet files are fetched: those of the dataset itself, or those that the hub made of its files. Each is compared
with its SHA-256 (or git's digest), and a dataset counts as fetched once the manifest is written, which is last.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio import storage
from studio.data.base import SPLITS, DataError, MissingDataError, Progress
from studio.data.hub.layout import DEFAULT, Layout, in_order, layout_of
from studio.data.hub.rules import REVISION, is_name
from studio.data.hub.table import MANIFEST, is_path_below, read_manifest
from studio.data.own_files import printable
from studio.fields import replace

if TYPE_CHECKING:
    from studio.data.download import RemoteFile
    from studio.data.hub.sources import HuggingFace

CONVERTED = "refs/convert/parquet"  # the branch on which the hub keeps Parquet that it made of other files
TIMEOUT_S = 30.0
MOST_FILES = 100_000  # in a repository
_UNKNOWN = "unknown"
_DIGEST = re.compile("[0-9a-fA-F]{40}|[0-9a-fA-F]{64}")


@dataclass(frozen=True)
class Remote:
    """One file on the hub: its path, its size in bytes, and its SHA-256 or its digest in git."""

    path: str
    size: int
    sha256: str
    blob: str


@dataclass(frozen=True)
class Offer:
    """What the hub has, before anything is fetched.

    Args:
        name: of the dataset.
        revision: the commit, 40 digits.
        config: the configuration that is offered.
        configs: all there are.
        licence: as the dataset says; “unknown” if it says nothing.
        splits: the files of each split that would be fetched.
        unused: names of splits that would not.
    """

    name: str
    revision: str
    config: str
    configs: tuple[str, ...]
    licence: str
    splits: dict[str, tuple[Remote, ...]]
    unused: tuple[str, ...]

    @property
    def files(self) -> list[Remote]:
        """All that would be fetched, each once."""
        return list({file.path: file for files in self.splits.values() for file in files}.values())

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(file.size for file in self.files)

    def pinned(self, source: HuggingFace) -> HuggingFace:
        """The source with what was found: always the same commit."""
        return replace(
            source, path="", name=self.name, config=self.config, revision=self.revision, licence=self.licence,
            download_bytes=self.size,
        )  # fmt: skip


def look_up(name: str, config: str = "", revision: str = "") -> Offer:
    """Ask the hub for a dataset: at most two requests, and no file of it is fetched.

    Args:
        name: such as “stanfordnlp/imdb”.
        config: the configuration; empty for the usual one.
        revision: a commit; empty for the newest.

    Raises:
        DataError: if there is none, it cannot be reached or not be used; the message says why.
    """
    if not is_name(name):
        raise DataError(f"“{printable(name)}” is no name of a dataset of the hub, such as stanfordnlp/imdb.")
    info = request_info(name, revision or None)
    files, card, licence = _files(info), _card(info), _licence(info)
    layout = layout_of((path for path in files if path.endswith(".parquet")), card)
    if not layout and not revision:
        info = request_info(name, CONVERTED)
        files = _files(info)
        layout = layout_of(path for path in files if path.endswith(".parquet"))
    if not layout:
        raise DataError(f"{name} has no Parquet files, and the hub has made none of its files. It cannot be used here.")
    if not isinstance(info.sha, str) or REVISION.fullmatch(info.sha) is None:
        raise DataError(f"The hub did not say which commit of {name} it has.")
    return _offer(name, info.sha, config, layout, files, licence)


def _offer(
    name: str, revision: str, config: str, layout: Layout, files: Mapping[str, Remote], licence: str
) -> Offer:  # fmt: skip
    chosen = config or (DEFAULT if DEFAULT in layout else next(iter(layout)))
    if chosen not in layout:
        known = ", ".join(printable(other, 40) for other in list(layout)[:30])
        raise DataError(f"{name} has no configuration “{printable(chosen)}”. There are: {known}.")
    names = in_order(layout[chosen])
    used = [split for split in names if split in SPLITS] or names[:1]
    splits = {split: tuple(files[path] for path in layout[chosen][split]) for split in used}
    unused = tuple(split for split in names if split not in used)
    return Offer(name, revision, chosen, tuple(layout), licence, splits, unused)


def request_info(name: str, revision: str | None) -> Any:
    """One request: what a repository is and holds. Raises DataError."""
    from huggingface_hub import HfApi

    _say_no_more()
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"), user_agent="training-studio")
    return _asked(name, lambda: api.dataset_info(name, revision=revision, files_metadata=True, timeout=TIMEOUT_S))


def _say_no_more() -> None:
    """The person agreed to ask for a dataset: the library is not to tell, or ask for, anything else beside that."""
    from huggingface_hub import constants

    constants.HF_HUB_DISABLE_TELEMETRY = True


def _asked(name: str, ask: Callable[[], Any]) -> Any:
    from huggingface_hub import errors

    try:
        return ask()
    except errors.GatedRepoError as error:
        raise DataError(
            f"{name} is only given to people who accepted its terms. Accept them on its page of the hub, log in with "
            "“hf auth login”, and try again."
        ) from error
    except errors.RevisionNotFoundError as error:
        raise DataError(f"{name} has no such revision on the hub, or no Parquet files were made of it.") from error
    except errors.RepositoryNotFoundError as error:
        raise DataError(f"The hub has no dataset “{name}”, or it is private.") from error
    except Exception as error:  # its versions use different HTTP libraries, each with errors of its own
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise DataError(f"The hub could not be asked for {name}: {reason}. Check the network and try again.") from error


def _files(info: Any) -> dict[str, Remote]:
    """Every file that has a safe path, a size and a digest."""
    found = {}
    for sibling in (info.siblings or [])[:MOST_FILES]:
        path, lfs = sibling.rfilename, sibling.lfs
        size, digest = (lfs.size, lfs.sha256) if lfs else (sibling.size, sibling.blob_id)
        if is_path_below(path) and isinstance(size, int) and size >= 0 and _DIGEST.fullmatch(str(digest)):
            found[path] = Remote(path, size, digest.lower() if lfs else "", "" if lfs else digest.lower())
    return found


def _card(info: Any) -> Mapping[str, Any]:
    card = info.card_data.to_dict() if info.card_data is not None else {}
    return card if isinstance(card, Mapping) else {}


def _licence(info: Any) -> str:
    told = _card(info).get("license")
    names = told if isinstance(told, list) else [told]
    plain = [printable(name, 60) for name in names if isinstance(name, str) and name]
    tagged = [printable(tag[8:], 60) for tag in info.tags or [] if isinstance(tag, str) and tag.startswith("license:")]
    return ", ".join(plain or tagged) or _UNKNOWN


def download(source: HuggingFace, progress: Progress | None = None) -> None:
    """Fetch what a source that was looked up stands for.

    Raises:
        DataError: if the hub has something else now, or it fails; what `progress` raises is raised, too.
    """
    if not source.name or not source.revision:
        raise DataError("Look up the dataset on the hub first.")
    offer = look_up(source.name, source.config, source.revision)
    # The branch of what the hub converted has no card, and so tells no licence.
    offer = dataclasses.replace(offer, licence=source.licence or offer.licence)
    fetch_offer(offer, source.folder, source.download_bytes, progress)


def fetch_offer(offer: Offer, folder: Path, agreed_bytes: int, progress: Progress | None = None) -> None:
    """Fetch the files of an offer into a folder, and say so in its manifest.

    Args:
        agreed_bytes: what the person agreed to; more is not fetched.

    Raises:
        DataError: if it takes more than that, or fails.
    """
    from studio.data.download import fetch, reporter

    if offer.size > agreed_bytes:
        raise DataError(
            f"{offer.name} takes {offer.size / 1e6:.1f} MB, which is more than the {agreed_bytes / 1e6:.1f} MB that it "
            "was said to take. Look it up again."
        )
    files = [_remote_file(offer, file, folder) for file in offer.files]
    fetch(files, max(file.size for file in files), reporter(progress, offer.size))
    _write_manifest(offer, folder)


def _remote_file(offer: Offer, file: Remote, folder: Path) -> RemoteFile:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils._headers import build_hf_headers

    from studio.data.download import RemoteFile

    _say_no_more()
    endpoint = os.environ.get("HF_ENDPOINT")
    url = hf_hub_url(offer.name, file.path, repo_type="dataset", revision=offer.revision, endpoint=endpoint)
    secrets = tuple((name, value) for name, value in build_hf_headers().items() if name.lower() == "authorization")
    return RemoteFile((url,), "", folder / file.path, file.sha256, file.blob, file.size, secrets)


def _write_manifest(offer: Offer, folder: Path) -> None:
    known = read_manifest(folder).get("configs")
    configs = known if isinstance(known, dict) else {}
    configs[offer.config] = {
        "licence": offer.licence,
        "splits": {split: [file.path for file in files] for split, files in offer.splits.items()},
        "sizes": {file.path: file.size for file in offer.files},
    }
    written = {"name": offer.name, "revision": offer.revision, "configs": configs}
    try:
        storage.write_json(folder / MANIFEST, written)
    except storage.StorageError as error:
        raise DataError(str(error)) from error


def is_complete(source: HuggingFace) -> bool:
    """Whether all files of a dataset of the hub are there, with the sizes that they had."""
    folder = source.folder
    configs = read_manifest(folder).get("configs")
    known = configs.get(source.config) if isinstance(configs, dict) and source.config else configs
    sizes = known.get("sizes", {}) if isinstance(known, dict) and source.config else {}
    return bool(known) and all(_has_size(folder / path, size) for path, size in sizes.items() if is_path_below(path))


def check_complete(source: HuggingFace) -> None:
    """Raise MissingDataError unless all files of a dataset of the hub are there."""
    if is_complete(source):
        return
    size = f", {source.download_bytes / 1e6:.1f} MB" if source.download_bytes else ""
    raise MissingDataError(
        f"{source.name} of Hugging Face (licence: {source.licence or _UNKNOWN}{size}) is not on this machine. "
        + ("Download it, or choose its folder." if size else f"Look it up and fetch it: studio fetch {source.name}.")
    )


def _has_size(path: Path, size: object) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
