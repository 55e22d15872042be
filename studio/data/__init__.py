"""Datasets: where they come from, their splits and scaling, and their batches.

Importing this package registers every source and imports neither torch, NumPy nor scikit-learn. What reads and prepares
data (`dataset`, `batches`, `scaling`) is imported from its own module, since the window needs none of it at its start.
"""

# Imported to be registered, in the picker's order.
from studio.data import bundled, plane, shapes, tables, images, images_marked, text_sources  # noqa: F401, I001
from studio.data import language_sources, shakespeare, audio_sources, series_sources, torchvision_sets  # noqa: F401
from studio.data import handwriting_sets, colour_sets, photo_sets, hub_sources, python_source  # noqa: F401
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
