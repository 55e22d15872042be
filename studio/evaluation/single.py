"""A sample that somebody gives, in the place of a dataset: what looks at samples of a dataset can look at it, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from studio.data.base import DataSpec, Learned
from studio.data.dataset import Dataset
from studio.data.forms import CharactersForm, NumbersForm, Raw, RawForm, RowForm, TextForm
from studio.evaluation.answering import Answerer
from studio.evaluation.trained import Trained
from studio.project import Project
from studio.training.checkpoint import Checkpoint


def with_one_sample(answerer: Answerer, project: Project, raws: Sequence[Raw]) -> Trained:
    """The network of an answerer with a dataset of one sample, whose number is 0 and whose target is not known.

    Args:
        project: whose network it is.
        raws: what was read of each part.
    """
    preparation = answerer.preparation
    arrays = [array for raw in raws for array in raw.arrays]
    forms = [part.form for part in answerer.parts]
    target = preparation.target
    places = target.dims if target.task == "classification" else target.answer.dims
    inputs = tuple(torch.from_numpy(array.copy())[None] for array in arrays)
    dataset = Dataset(
        spec=DataSpec(preparation.inputs, target, _features(forms), characters=_characters(forms)),
        inputs=inputs,
        targets=inputs[0] if target.is_input else torch.zeros((1, *places), dtype=_target_type(target.task)),
        splits={name: torch.arange(1 if name == "test" else 0) for name in ("train", "validation", "test")},
        scalings=preparation.scalings,
        fingerprint="",
        learned=tuple(learned for form in forms for learned in _learned(form)),
        raw=(None,) * len(inputs),
        answers=preparation.answers,
    )
    checkpoint = Checkpoint({}, {}, 0, 0, {}, project, {})
    return Trained(Path(), checkpoint, answerer.plan, answerer.model, dataset, answerer.device, changed=False)


def blank(answerer: Answerer) -> list[Raw]:
    """A sample of zeros, for what asks about the network alone."""
    arrays = [
        np.zeros(spec.dims, np.int64 if spec.dtype == "int" else np.float32) for spec in answerer.preparation.inputs
    ]
    return [Raw(tuple(arrays))]


def _target_type(task: str) -> torch.dtype:
    return torch.int64 if task == "classification" else torch.float32


def _learned(form: RawForm) -> tuple[Learned | None, ...]:
    if isinstance(form, RowForm):
        return form.learned
    return (form.learned,) if isinstance(form, TextForm) else (None,)


def _features(forms: Sequence[RawForm]) -> tuple[str, ...]:
    """Names of the numbers of a single input."""
    form = forms[0]
    if len(forms) == 1 and isinstance(form, NumbersForm):
        return form.names
    if len(forms) == 1 and isinstance(form, RowForm) and len(form.learned) == 1:
        return form.learned[0].features
    return ()


def _characters(forms: Sequence[RawForm]) -> str:
    return forms[0].characters if isinstance(forms[0], CharactersForm) else ""
