"""Which data a project is for, how it is split and how it is scaled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.data.base import DataSpec, Remedy, Source, Target, registry
from studio.data.bundled import Digits
from studio.fields import Declared, FieldError, field, from_json, made_by, to_json

SCALINGS = ("standardize", "unit range", "none")
TARGETS = LABELS, INPUT = ("labels", "the input itself")


class Split(Declared):
    """How samples are divided into train, validation and test."""

    validation: float = field(
        0.15,
        min=0.01,
        max=0.9,
        help="Share of what is not for the test that is kept to watch the training. "
        "Not used where the dataset has a validation set of its own.",
    )
    test: float = field(
        0.15, min=0.01, max=0.9, help="Share kept for the test. Not used where the dataset has a test set of its own."
    )
    seed: int = field(
        0, min=0, max=2**31 - 1, help="Same seed: the same split. Not used for a text, whose end is kept."
    )


class DataChoice(Declared):
    """The data of a project: a source, its split, its scaling, and what is to be predicted."""

    source: Source = made_by(Digits)
    split: Split = made_by(Split)
    scaling: str = field(
        "standardize",
        choices=SCALINGS,
        help="Standardize: mean 0 and spread 1. Unit range: from 0 to 1. Both are measured on the training split. "
        "Numbers to predict are scaled alike; the mean absolute error is told in their own units.",
    )
    target: str = field(
        LABELS,
        choices=TARGETS,
        help="What is to be predicted: the labels of the dataset, or its input as it was scaled, for an autoencoder.",
    )
    balanced: bool = field(
        False,
        help="Draw rare classes as often as frequent ones in training. Validation and test stay as they are.",
    )
    excluded: tuple[int, ...] = ()  # numbers of samples that are left out, in order; as the source counts them

    @property
    def spec(self) -> DataSpec:
        """What a network must take and answer, as far as it is known without reading the data."""
        return self.aimed(self.source.spec)

    def aimed(self, spec: DataSpec) -> DataSpec:
        """What a source gives and wants, with the target that was chosen. Tokens and several inputs are no target."""
        if self.target == LABELS:
            return spec
        limits = (0.0, 1.0) if self.scaling == "unit range" else None
        return replace(spec, target=Target("regression", ("input",), spec.inputs[0].dims, is_input=True, limits=limits))

    def remedied(self, remedy: Remedy) -> DataChoice:
        """The choice after a remedy for a problem of the data."""
        return replace(
            self,
            source=remedy.source or self.source,
            excluded=tuple(sorted({*self.excluded, *remedy.exclude})),
            balanced=self.balanced or remedy.balanced,
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "kind": self.source.kind,
            "fields": to_json(self.source),
            "split": to_json(self.split),
            "scaling": self.scaling,
            **({"target": self.target} if self.target != LABELS else {}),
            **({"balanced": True} if self.balanced else {}),
            **({"excluded": list(self.excluded)} if self.excluded else {}),
        }

    @classmethod
    def from_json(cls, data: object) -> DataChoice:
        """From plain JSON values; what is missing takes its default, but for the kind.

        Raises:
            FieldError: for an unknown field or a value that does not fit.
            UnknownKindError: for an unknown dataset.
        """
        if not isinstance(data, Mapping):
            raise FieldError("Data", "choice", "must be an object")
        unknown = sorted(set(data) - {"kind", "fields", "split", "excluded", *_PLAIN})
        if unknown:
            raise FieldError("Data", f"“{unknown[0][:40]}”", "is no part of it")
        if not isinstance(data.get("kind"), str):
            raise FieldError("Data", "kind", "must be a text")
        plain = from_json(cls, {name: data[name] for name in _PLAIN if name in data})
        return replace(
            plain,
            source=from_json(registry.get(data["kind"]), data.get("fields", {})),
            split=from_json(Split, data.get("split", {})),
            excluded=_numbers(data.get("excluded", [])),
        )


_PLAIN = ("scaling", "target", "balanced")


def _numbers(data: object) -> tuple[int, ...]:
    whole = isinstance(data, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in data)
    if not isinstance(data, list) or not whole or sorted(set(data)) != data:
        raise FieldError("Data", "excluded", "must be a list of different whole numbers from 0 on, in order")
    return tuple(data)
