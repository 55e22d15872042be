"""Datasets: where they come from, their splits and scaling, and their batches.

Importing this package registers every source and imports neither torch, NumPy nor scikit-learn. What reads and prepares
data (`dataset`, `batches`, `scaling`) is imported from its own module, since the window needs none of it at its start.
"""

# Imported to be registered, in the picker's order.
# isort: off
from studio.data import bundled, plane, shapes  # noqa: F401
from studio.data.tables import source  # noqa: F401
from studio.data.images import sources, marked_sources  # noqa: F401
from studio.data.texts import sources as text_sources, language_sources, shakespeare  # noqa: F401
from studio.data.audio import sources as audio_sources  # noqa: F401
from studio.data.series import sources as series_sources  # noqa: F401
from studio.data.known import torchvision_sets, handwriting_sets, colour_sets, photo_sets  # noqa: F401
from studio.data.hub import sources as hub_sources  # noqa: F401
from studio.data.own_code import source as own_source  # noqa: F401

# isort: on
from studio.data.base import (
    IGNORED,
    SPLITS,
    Column,
    DataError,
    DataProblem,
    DataSpec,
    Findings,
    LoadingCode,
    MissingDataError,
    Progress,
    Remedy,
    Samples,
    Source,
    Target,
    registry,
)
from studio.data.choice import SCALINGS, DataChoice, Split
from studio.data.locations import cache_folder, datasets_folder

__all__ = [
    "IGNORED", "SCALINGS", "SPLITS", "Column", "DataChoice", "DataError", "DataProblem", "DataSpec", "Findings",
    "LoadingCode", "MissingDataError", "Progress", "Remedy", "Samples", "Source", "Split", "Target", "cache_folder",
    "datasets_folder", "registry",
]  # fmt: skip
