"""How a network is trained: everything a person may set, as one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.fields import Declared, FieldError, field, from_json, made_by, replace, to_json
from studio.settings.optimizers import Adam, Optimizer, registry


class TrainingSettings(Declared):
    """Settings of a run."""

    epochs: int = field(10, min=1, max=1_000_000, help="How many times the training split is gone through.")
    batch_size: int = field(64, min=1, max=1_000_000, unit="samples", help="Samples per step.")
    seed: int = field(0, min=0, max=2**31 - 1, help="Same seed on the same machine: the same weights.")
    device: str = field("auto", choices=("auto", "cpu", "cuda", "mps"), help="Where to train; auto takes the fastest.")
    threads: int = field(0, min=0, max=1_024, special="auto", help="Processor threads for the mathematics.")
    test_at_end: bool = field(
        True,
        help="Measure the finished network on the test samples, and count that use of them. Off: they stay locked, for "
        "the last comparison. What is chosen by the test samples is no longer tested by them.",
    )
    optimizer: Optimizer = made_by(Adam)

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; what is newer than the file only where it is not as it always was."""
        values = to_json(self)
        if self.test_at_end:
            del values["test_at_end"]
        return {**values, "optimizer": {"kind": self.optimizer.kind, "fields": to_json(self.optimizer)}}

    @classmethod
    def from_json(cls, data: object) -> TrainingSettings:
        """From plain JSON values; what is missing takes its default.

        Raises:
            FieldError: for an unknown field or a value that does not fit.
            UnknownKindError: for an unknown optimizer.
        """
        if not isinstance(data, Mapping):
            raise FieldError("Training settings", "they", "must be an object")
        plain = from_json(cls, {name: value for name, value in data.items() if name != "optimizer"})
        return replace(plain, optimizer=_optimizer(data["optimizer"])) if "optimizer" in data else plain


def _optimizer(data: object) -> Optimizer:
    if not isinstance(data, Mapping) or set(data) - {"kind", "fields"} or not isinstance(data.get("kind"), str):
        raise FieldError("Training settings", "optimizer", "must be an object with kind and fields")
    return from_json(registry.get(data["kind"]), data.get("fields", {}))
