"""Datasets: where they come from, their splits and scaling, and their batches.

Importing this package registers every source and imports neither torch, NumPy nor scikit-learn.
"""

from studio.data import bundled, torchvision_sets  # noqa: F401  (imported to be registered; the picker's order)
from studio.data.base import (
    SPLITS,
    DataError,
    DataSpec,
    MissingDataError,
    Progress,
    Samples,
    Source,
    Target,
    registry,
)
from studio.data.batches import Batches
from studio.data.choice import SCALINGS, DataChoice, Split
from studio.data.dataset import Dataset, prepare
from studio.data.locations import cache_folder, datasets_folder
from studio.data.scaling import Scaling

__all__ = [
    "SCALINGS", "SPLITS", "Batches", "DataChoice", "DataError", "DataSpec", "Dataset", "MissingDataError", "Progress",
    "Samples", "Scaling", "Source", "Split", "Target", "cache_folder", "datasets_folder", "prepare", "registry",
]  # fmt: skip
