"""Random changes of training samples: augmentation, drawn anew in each epoch, on whole batches on the device.

Importing this package registers every transform and imports no torch.
"""

from studio.data.transforms import others, pictures  # noqa: F401  # imported to be registered
from studio.data.transforms.base import Transform, registry

__all__ = ["Transform", "registry"]
