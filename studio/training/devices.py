"""Where tensors live and how many threads compute."""

from __future__ import annotations

import os
from dataclasses import dataclass

import torch

from studio.training.errors import TrainingError

NAMES = {"cpu": "Processor", "cuda": "NVIDIA GPU", "mps": "Apple GPU"}


@dataclass(frozen=True)
class DeviceInfo:
    """A device of this machine."""

    kind: str
    name: str
    available: bool
    detail: str


def list_devices() -> list[DeviceInfo]:
    """Every kind of device, with whether this machine has it."""
    cuda = torch.cuda.is_available()
    return [
        DeviceInfo("cpu", NAMES["cpu"], True, f"{os.cpu_count()} cores"),
        DeviceInfo("cuda", NAMES["cuda"], cuda, torch.cuda.get_device_name(0) if cuda else "not found"),
        DeviceInfo("mps", NAMES["mps"], torch.backends.mps.is_available(), "Metal"),
    ]


def resolve_device(choice: str) -> torch.device:
    """The device for a choice; "auto" is the fastest there is.

    Raises:
        TrainingError: if this machine has no such device.
    """
    available = {info.kind for info in list_devices() if info.available}
    if choice == "auto":
        return torch.device(next(kind for kind in ("cuda", "mps", "cpu") if kind in available))
    if choice not in available:
        raise TrainingError(
            f"This machine has no {NAMES[choice]} that PyTorch can use ({choice}). Choose auto or cpu instead."
        )
    return torch.device(choice)


def thread_count(choice: int) -> int:
    """How many threads compute: the choice, or for 0 a number that is the same on the same machine every time.

    Where several processes train together on this machine, each has its share of the cores. Otherwise one core is left
    to the window and everything else: with all cores taken, threads that wait for each other can cost many times what
    they gain.
    """
    together = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    cores = os.cpu_count() or 1
    return choice or max(1, cores // together if together > 1 else cores - 1)
