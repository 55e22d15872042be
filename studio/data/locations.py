"""Where downloaded datasets are kept, and where the files of a dataset may lie in a folder of the person's own."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from studio.data.base import DataError

CACHE_VARIABLE = "TRAINING_STUDIO_CACHE"


def cache_folder() -> Path:
    """The studio's own cache folder: the user's usual one, or what TRAINING_STUDIO_CACHE names."""
    chosen = os.environ.get(CACHE_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs  # not before data is read: the window need not wait for it

    return Path(platformdirs.user_cache_dir("training-studio", False))


def datasets_folder() -> Path:
    """Where downloaded datasets are kept. It may not exist yet."""
    return cache_folder() / "datasets"


def candidates(folder: Path, names: Iterable[str]) -> list[Path]:
    """Folders in which a dataset's files may lie, best first: subfolders named after it, then `folder` itself.

    Args:
        folder: what the person chose; it may lie in an archive.
        names: names of the dataset; letter case, "-", "_" and spaces do not matter.

    Raises:
        DataError: if `folder` cannot be read; one that does not exist is no error here.
    """
    from studio.data.unpacked import here  # it needs the folder of the cache from here

    folder = here(folder)
    wanted = {_plain(name) for name in names}
    try:
        named = sorted(path for path in folder.iterdir() if _plain(path.name) in wanted and path.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        named = []
    except OSError as error:
        raise DataError(f"The folder {folder} cannot be read: {error.strerror or error}.") from error
    return [*named, folder]


def is_called(path: Path, names: Iterable[str]) -> bool:
    """Whether a path, or a folder in which it lies, has one of these names; see `candidates`."""
    wanted = {_plain(name) for name in names}
    return any(_plain(part) in wanted for part in path.parts)


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "").replace(" ", "")


def first_file(folder: Path, names: Iterable[str]) -> Path | None:
    """The first of `names` that is a file in `folder`; None if there is none."""
    return next((path for name in names if os.path.isfile(path := folder / name)), None)
