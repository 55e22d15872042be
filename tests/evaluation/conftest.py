from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator

import pytest

from studio.evaluation.trained import Trained
from tests.evaluation.kinds_of_data import train_on


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in ("TRAINING_STUDIO_DATA", "TRAINING_STUDIO_CACHE")}
    for name in before:
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))
    yield
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.__setitem__(name, value)


@pytest.fixture(scope="session")
def trained_on(own_folders: None, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Trained]:
    """A tiny network for a kind of data, trained where it is wanted first and shared from then on."""
    return functools.cache(lambda kind: train_on(kind, tmp_path_factory.mktemp(kind)))
