"""How the steps of a run are computed: what was set by hand, and what was measured and chosen."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from studio.settings import TrainingSettings
from studio.training.devices import thread_count
from studio.training.errors import TrainingError

PRECISIONS = {"float32": None, "tf32": None, "bfloat16": torch.bfloat16, "float16": torch.float16}
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
WHOLE_STEP_LATER = "whole step later"  # compiled in the background, while the run goes on without
COMPILE = ("off", "network", "whole step", WHOLE_STEP_LATER)


@dataclass(frozen=True)
class Choices:
    """How the steps of a run are computed.

    Args:
        threads: processor threads of the mathematics, at least 1.
        precision: one of PRECISIONS.
        layout: one of LAYOUTS.
        compile: one of COMPILE.
        prefetch: whether the next batches are prepared in a second thread.
        measured: what was tried: name, value, milliseconds per step (0 where nothing was measured, and a reason stands
            in the value). Empty if all was set by hand.
    """

    threads: int = 1
    precision: str = "float32"
    layout: str = "contiguous"
    compile: str = "off"
    prefetch: bool = False
    measured: tuple[tuple[str, str, float], ...] = ()

    def in_words(self) -> str:
        """What was chosen, as the end of a sentence; empty if nothing was measured."""
        if not self.measured:
            return ""
        parts = [
            f"{self.threads} thread{'s' if self.threads > 1 else ''}", self.precision, self.layout,
            *([f"{self.compile.replace(' later', '')} compiled"] if self.compile != "off" else []),
            *(["batches prepared ahead"] if self.prefetch else []),
        ]  # fmt: skip
        return ", ".join(parts)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {**asdict(self), "measured": [list(row) for row in self.measured]}

    @classmethod
    def from_json(cls, data: object) -> Choices:
        """What an earlier part of a run recorded.

        Raises:
            TrainingError: if it is no such record.
        """
        if not isinstance(data, Mapping) or not _is_record(data):
            raise TrainingError(
                "The record of the run does not say how its steps were computed, so it cannot go on as it began."
            )
        rows = tuple((str(name), str(value), float(ms)) for name, value, ms in data["measured"])
        return cls(**{name: data[name] for name in _TYPES}, measured=rows)


_TYPES = {"threads": int, "precision": str, "layout": str, "compile": str, "prefetch": bool}


def _is_record(data: Mapping[str, Any]) -> bool:
    rows = data.get("measured")
    return (
        set(data) == {*_TYPES, "measured"}
        and all(type(data[name]) is kind for name, kind in _TYPES.items())
        and 1 <= data["threads"] <= 1024
        and data["precision"] in PRECISIONS
        and data["layout"] in LAYOUTS
        and data["compile"] in COMPILE
        and isinstance(rows, list)
        and all(isinstance(row, list) and len(row) == 3 and isinstance(row[2], int | float) for row in rows)
    )


def set_by_hand(settings: TrainingSettings, device: torch.device, *, images: bool, outputs: int = 1) -> Choices:
    """What the settings say, and what they leave open as it always was.

    Args:
        device: where the network trains.
        images: whether the network has 2-D convolutions.
        outputs: how many Outputs it has.

    Raises:
        TrainingError: if this machine cannot do what was set.
    """
    speed = settings.speed
    chosen = Choices(
        threads=thread_count(settings.threads),
        precision="float32" if speed.precision == "auto" else speed.precision,
        layout=("channels last" if images else "contiguous") if speed.layout == "auto" else speed.layout,
        compile="off" if speed.compile == "auto" else speed.compile,
        prefetch=speed.prefetch == "on",
    )
    _check(chosen, settings, device, outputs)
    return chosen


def _check(choices: Choices, settings: TrainingSettings, device: torch.device, outputs: int) -> None:
    reason = ""
    if choices.precision == "tf32" and device.type != "cuda":
        reason = "The precision tf32 exists on NVIDIA GPUs only. Choose float32 or bfloat16."
    elif choices.precision == "float16" and device.type == "mps":
        reason = "The precision float16 is not made for Apple GPUs here. Choose float32 or bfloat16."
    elif choices.precision == "float16" and settings.optimizer.searches:
        reason = f"The optimizer {settings.optimizer.title} does not scale its loss, as float16 needs it."
    elif choices.compile != "off" and (missing := missing_compiler(device)):
        reason = f"Nothing can be compiled on this machine: {missing}. Set Compile to off."
    elif choices.compile == "whole step" and (refusal := whole_step_refusal(settings, choices, device, outputs)):
        reason = f"The whole step cannot be compiled: {refusal}. Set Compile to off or network."
    if reason:
        raise TrainingError(reason)


def whole_step_refusal(settings: TrainingSettings, choices: Choices, device: torch.device, outputs: int = 1) -> str:
    """Why forward, gradient and optimizer cannot become one graph, as far as the settings tell; empty if they can.

    Args:
        outputs: how many Outputs the network has.
    """
    if outputs > 1:
        return "the network has several Outputs"
    if device.type != "cpu":
        return "that is made for processors only"
    if settings.optimizer.torch_class not in ("SGD", "Adam", "AdamW"):
        return f"the optimizer {settings.optimizer.title} is not written for it"
    if settings.gradients.accumulate > 1:
        return "gradients are accumulated over several batches"
    if settings.gradients.clip_norm or settings.gradients.clip_value:
        return "gradients are clipped"
    if settings.parameters.l1:
        return "weights are pulled to zero (L1)"
    if settings.mixing.method != "off":
        return "samples are mixed, and the loss with them"
    return "the loss of float16 is scaled" if choices.precision == "float16" else ""


def missing_compiler(device: torch.device) -> str:
    """What this machine lacks to compile for a device; empty if nothing."""
    if device.type == "cuda":
        import importlib.util

        return "" if importlib.util.find_spec("triton") else "the package triton is missing"
    if device.type != "cpu":
        return "PyTorch compiles for processors and NVIDIA GPUs"
    names = [os.environ.get("CXX", ""), *(("cl",) if sys.platform == "win32" else ("g++", "clang++"))]
    return "" if any(name and shutil.which(name) for name in names) else "no C++ compiler was found"


@contextlib.contextmanager
def computing(choices: Choices) -> Iterator[None]:
    """Let torch compute so: threads, and what else it keeps for all networks at once."""
    threads, matmul = torch.get_num_threads(), torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    torch.set_num_threads(choices.threads)
    if choices.precision == "tf32":
        torch.set_float32_matmul_precision("high")
        torch.backends.cudnn.allow_tf32 = True
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if choices.precision == "tf32":
            torch.set_float32_matmul_precision(matmul)
            torch.backends.cudnn.allow_tf32 = convolutions


def without(choices: Choices, name: str, reason: str) -> Choices:
    """The same, with a reason why something was not tried."""
    return replace(choices, measured=(*choices.measured, (name, reason, 0.0)))
