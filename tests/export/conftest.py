from __future__ import annotations

from pathlib import Path

import pytest

from studio.training.control import Control
from studio.training.events import Finished
from studio.training.runner import Job, run
from tests.training.conftest import with_settings


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A short run of the default network."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    return run(Job(with_settings("digits-cnn", epochs=2), folder), Control(), lambda event: None)


@pytest.fixture
def checkpoint(trained: Finished) -> Path:
    """Its best checkpoint."""
    return Path(trained.checkpoint)
