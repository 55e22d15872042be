"""Random changes of training samples: augmentation, drawn anew in each epoch, on whole batches on the device.

Importing this package registers every transform and imports no torch.
"""

from studio.data.transforms.base import Transform, registry

# Imported to be registered, in the order of the menu.
# isort: off
from studio.data.transforms import pictures  # noqa: F401
from studio.data.transforms import others  # noqa: F401
# isort: on

__all__ = ["Transform", "registry"]
