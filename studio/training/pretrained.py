"""Learned weights of torchvision: where their files are kept, how they come there, what is read from them.

They are torchvision's own files in torch's own cache, which other programs on the machine share. No torch is imported
here before a file is read: the window asks whether one is there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.blocks.torchvision_backbone import IMAGENET, NETWORKS, Backbone
from studio.data.base import Progress
from studio.storage import StorageError
from studio.training.errors import MissingWeightsError, TrainingError

if TYPE_CHECKING:
    from torch import Tensor

    from studio.data.download import RemoteFile

ADDRESS = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class WeightsFile:
    """A file of learned weights.

    Args:
        network: its name in torchvision.
        url: where torchvision has it; its name ends with the first digits of its SHA-256.
        download_bytes: its size, within a part in a hundred.
    """

    network: str
    url: str
    download_bytes: int

    @property
    def title(self) -> str:
        """What it is, for people."""
        return f"Weights of {self.network}"

    @property
    def path(self) -> Path:
        """Where it is, once it was downloaded. As `torch.hub.get_dir` says, which would need torch."""
        home = os.environ.get("TORCH_HOME", os.path.join(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch"))
        return Path(home).expanduser() / "hub" / "checkpoints" / self.url.rpartition("/")[2]

    def is_there(self) -> bool:
        """Whether there is a file at its place; only reading it tells whether it is the original one."""
        return self.path.is_file()

    def download(self, progress: Progress | None = None) -> None:
        """Download it, unless the original is there already. Called only after the person agreed.

        Raises:
            DataError: if it fails; the message says why and what to do.
        """
        from studio.data.download import fetch, reporter  # brings the whole of HTTP, which nothing else here needs

        advice = f"put them into {self.path.parent}"
        fetch([self._remote()], 2 * self.download_bytes, reporter(progress, self.download_bytes), advice)

    def read(self) -> dict[str, Tensor]:
        """The tensors by their names in torchvision's network. Nothing in the file is run.

        Raises:
            MissingWeightsError: if it is not there, or not the original.
            TrainingError: if it holds anything but weights.
        """
        from studio.training.torch_files import TorchFileError, load_torch_file

        if not self.is_there():
            raise MissingWeightsError(self._refusal(f"are not on this machine: there is no {self.path}"), self)
        if not self._remote().is_there():
            reason = f"cannot be used: {self.path} is not the original file, it was cut off or replaced"
            raise MissingWeightsError(self._refusal(reason), self)
        try:
            tensors = load_torch_file(self.path)
            return {_name_today(name): tensor.detach() for name, tensor in tensors.items()}
        except (TorchFileError, StorageError, OSError, AttributeError, TypeError) as error:
            raise TrainingError(f"{self.path} holds no weights that can be read safely: {error}") from error

    def _remote(self) -> RemoteFile:
        from studio.data.download import RemoteFile

        digits = re.search(r"-([0-9a-f]{8,})\.", self.url)
        assert digits is not None  # all of torchvision's names are so
        return RemoteFile((self.url,), "", self.path, digits[1])

    def _refusal(self, reason: str) -> str:
        return (
            f"The learned weights of {self.network} {reason}. Download them ({self.download_bytes / 1e6:.0f} MB), or "
            f"set the weights of the {Backbone.title} to “random”."
        )


def _name_today(name: str) -> str:
    """The name that a tensor has by now: the oldest files of DenseNet have points where there can be none any more."""
    return re.sub(r"(denselayer\d+\.(?:norm|relu|conv))\.(\d\.)", r"\1\2", name)


def weights_of(block: Backbone) -> WeightsFile | None:
    """The file that a backbone needs when a run begins; None for fresh weights."""
    return weights_file(block.network) if block.weights == IMAGENET else None


def weights_file(network: str) -> WeightsFile:
    """The file of one of the networks of backbones."""
    known = NETWORKS[network]
    return WeightsFile(network, ADDRESS + known.file, known.size_bytes)
