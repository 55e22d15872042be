"""Random changes of training samples: augmentation, drawn anew in each epoch, on whole batches on the device.

Importing this package imports no torch, and no transform before one is asked for.
"""

from studio.data.transforms.base import Transform, registry

# In the order of the menu.
registry.expect(
    "studio.data.transforms.pictures",
    "flip_horizontally", "flip_vertically", "shift", "rotation", "crop", "colour", "grey", "invert", "erase",
    "pixel_noise", "blur",
)  # fmt: skip
registry.expect(
    "studio.data.transforms.others",
    "series_noise", "series_scale", "gain", "sound_shift", "sound_noise", "spectrum_mask", "table_noise",
    "token_dropout", "token_swap",
)  # fmt: skip

__all__ = ["Transform", "registry"]
