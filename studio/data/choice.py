"""Which data a project is for, how it is split and how it is scaled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from studio.data.base import DataSpec, Remedy, Source, Target, registry
from studio.data.bundled import Digits
from studio.data.marks import (
    Later,
    Relabelled,
    later_from_json,
    later_json,
    relabelled_from_json,
    relabelled_json,
)
from studio.data.transforms import Transform
from studio.data.transforms import registry as transforms
from studio.fields import Declared, FieldError, field, from_json, made_by, to_json

SCALINGS = ("standardize", "unit range", "none")
MOST_TRANSFORMS = 50
TARGETS = LABELS, INPUT = ("labels", "the input itself")


FIND_OUT, RANDOM, STRATIFIED, GROUPED, BY_TIME, K_FOLD, FIXED = METHODS = (
    "find out", "random", "stratified", "grouped", "by time", "k-fold", "fixed",
)  # fmt: skip


class Split(Declared):
    """How samples are divided into train, validation and test; a test set of the dataset's own is always the test."""

    method: str = field(
        FIND_OUT,
        choices=METHODS,
        help="Find out: the dataset’s own sets; in order, as a text; by groups; or with the same share of each class. "
        "Random: no heed of classes. Stratified: the same share of each class. Grouped: what belongs together, as the "
        "pictures of one patient, stays together. By time: the latest samples are the test. K-fold: one of several "
        "equal parts is the validation. Fixed: only the sets that the dataset brings itself.",
    )
    validation: float = field(
        0.15,
        min=0.01,
        max=0.9,
        help="Share of what is not for the test that is kept to watch the training. Not used with k-fold, nor where "
        "the method takes a validation set of the dataset’s own.",
    )
    test: float = field(
        0.15, min=0.01, max=0.9, help="Share kept for the test. Not used where the dataset has a test set of its own."
    )
    seed: int = field(
        0, min=0, max=2**31 - 1, help="Same seed: the same split. Not used in order, as for a text, nor by time."
    )
    folds: int = field(5, min=2, max=100, help="K-fold: into how many equal parts what is not for the test is cut.")
    fold: int = field(1, min=1, max=100, help="K-fold: which part is the validation, from 1.")

    def _check_fields(self) -> None:
        super()._check_fields()
        if self.method == K_FOLD and self.fold > self.folds:
            raise FieldError("Split", "fold", f"must be at most the number of folds, {self.folds}, not {self.fold}")

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values; what is newer than the file only where it is not as it always was."""
        values, default = to_json(self), to_json(Split())
        return {name: v for name, v in values.items() if name in _ALWAYS or v != default[name]}


_ALWAYS = ("validation", "test", "seed")


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
    transforms: tuple[Transform, ...] = ()  # done to samples in training, in this order
    excluded: tuple[int, ...] = ()  # numbers of samples that are left out, in order; as this very source counts them
    relabelled: tuple[Relabelled, ...] = ()  # samples of another class than their files say, in order; counted likewise
    later: tuple[Later, ...] = ()  # samples to be looked at later, in order; they change nothing

    @property
    def spec(self) -> DataSpec:
        """What a network must take and answer, as far as it is known without reading the data."""
        return self.aimed(self.source.spec)

    def aimed(self, spec: DataSpec) -> DataSpec:
        """What a source gives and wants, with the target that was chosen. Tokens and several inputs are no target."""
        limits = (0.0, 1.0) if self.scaling == "unit range" else None
        spec = spec if limits is None else replace(spec, limits=limits)
        if self.target == LABELS:
            return spec
        return replace(spec, target=Target("regression", ("input",), spec.inputs[0].dims, is_input=True, limits=limits))

    def given(self, labels: Iterable[Relabelled]) -> DataChoice:
        """The choice with other classes for some samples, whatever was said of these before."""
        return replace(self, relabelled=tuple(sorted({m.sample: m for m in (*self.relabelled, *labels)}.values())))

    def noted(self, marks: Iterable[Later]) -> DataChoice:
        """The choice with samples to be looked at later; a new note takes the place of the old one."""
        return replace(self, later=tuple(sorted({m.sample: m for m in (*self.later, *marks)}.values())))

    def remedied(self, remedy: Remedy) -> DataChoice:
        """The choice after a remedy for a problem of the data."""
        return replace(
            chosen := self.with_source(remedy.source or self.source),
            excluded=tuple(sorted({*chosen.excluded, *remedy.exclude})),
            balanced=self.balanced or remedy.balanced,
            split=replace(self.split, method=remedy.method or self.split.method),
        )

    def with_source(self, source: Source) -> DataChoice:
        """The choice with another source, or the same with other settings.

        What was said of other samples, such as that they are left out, is dropped: the same numbers would mean
        something else. Nor do transforms stay that cannot be used on what the source gives.
        """
        given, same = source.spec.inputs[0], self.source.same_samples(source)
        return replace(
            self,
            source=source,
            excluded=self.excluded if same else (),
            relabelled=self.relabelled if same else (),
            later=self.later if same else (),
            transforms=tuple(transform for transform in self.transforms if not transform.refusal(given)),
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "kind": self.source.kind,
            "fields": to_json(self.source),
            "split": self.split.to_json(),
            "scaling": self.scaling,
            **({"target": self.target} if self.target != LABELS else {}),
            **({"balanced": True} if self.balanced else {}),
            **({"transforms": [_described(t) for t in self.transforms]} if self.transforms else {}),
            **({"excluded": list(self.excluded)} if self.excluded else {}),
            **({"relabelled": relabelled_json(self.relabelled)} if self.relabelled else {}),
            **({"later": later_json(self.later)} if self.later else {}),
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
        unknown = sorted(set(data) - {"kind", "fields", "split", "transforms", *_MARKS, *_PLAIN})
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
            relabelled=relabelled_from_json(data.get("relabelled", [])),
            later=later_from_json(data.get("later", [])),
            transforms=_transforms(data.get("transforms", [])),
        )


_PLAIN = ("scaling", "target", "balanced")
_MARKS = ("excluded", "relabelled", "later")


def _numbers(data: object) -> tuple[int, ...]:
    whole = isinstance(data, list) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in data)
    if not isinstance(data, list) or not whole or sorted(set(data)) != data:
        raise FieldError("Data", "excluded", "must be a list of different whole numbers from 0 on, in order")
    return tuple(data)


def _described(transform: Transform) -> dict[str, Any]:
    return {"kind": transform.kind, "fields": to_json(transform)}


def _transforms(data: object) -> tuple[Transform, ...]:
    if not isinstance(data, list) or len(data) > MOST_TRANSFORMS:
        raise FieldError("Data", "transforms", f"must be a list of at most {MOST_TRANSFORMS}")
    return tuple(map(_transform, data))


def _transform(data: object) -> Transform:
    if not isinstance(data, Mapping) or set(data) - {"kind", "fields"} or not isinstance(data.get("kind"), str):
        raise FieldError("Data", "transform", "must be an object with kind and fields")
    return from_json(transforms.get(data["kind"]), data.get("fields", {}))
