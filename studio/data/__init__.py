"""Datasets: where they come from, their splits and scaling, and their batches.

Importing this package imports neither torch, NumPy nor scikit-learn, and no source: those are imported when they are
asked for. What reads and prepares data (`dataset`, `batches`, `scaling`) is imported from its own module, since the
window needs none of it at its start.
"""

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

# In the picker's order.
registry.expect("studio.data.bundled", "digits", "iris", "wine", "breast_cancer", "diabetes", "linnerud")
registry.expect("studio.data.plane", "xor", "spirals", "moons", "circles", "blobs")
registry.expect("studio.data.shapes", "shapes")
registry.expect("studio.data.tables.source", "table")
registry.expect("studio.data.images.sources", "image-folders", "image-table")
registry.expect("studio.data.images.marked_sources", "image-masks", "image-boxes")
registry.expect("studio.data.texts.sources", "text-files", "imdb")
registry.expect("studio.data.texts.language_sources", "plain-text", "conll", "parallel")
registry.expect("studio.data.texts.shakespeare", "tiny-shakespeare")
registry.expect("studio.data.audio.sources", "audio-folders")
registry.expect("studio.data.series.sources", "series")
registry.expect("studio.data.known.torchvision_sets", "mnist", "fashion_mnist", "cifar10")
registry.expect("studio.data.known.handwriting_sets", "kmnist", "qmnist", "emnist_letters", "emnist_balanced")
registry.expect("studio.data.known.colour_sets", "cifar100", "svhn", "stl10")
registry.expect("studio.data.known.photo_sets", "oxford_pets", "flowers102")
registry.expect("studio.data.hub.sources", "huggingface")
registry.expect("studio.data.own_code.source", "python-file")
