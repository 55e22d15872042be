"""The loss of a network that knows nothing and does not pretend to."""

from __future__ import annotations

import math

from studio.compile.outputs import loss_of, target_of
from studio.compile.target_kinds import kind_of
from studio.data.dataset import Dataset
from studio.project import Project
from studio.settings.losses import LABELS, NUMBERS, ByTask
from studio.training.outputs import Part
from studio.training.tasks import Task

_SAMPLES = 512  # of the training split, whose numbers are looked at


def expected_loss(project: Project, data: Dataset, task: Task) -> float:
    """By the usual losses, in sum over all Outputs; NaN for others, of which that is of no use.

    Args:
        task: that of the project's run.
    """
    for node in project.graph.outputs:
        target = target_of(node, data.spec)
        if target is None or not isinstance(loss_of(node, kind_of(target), project.training.loss), ByTask):
            return math.nan
    if task.outputs is None:
        return _of_target(data)
    return sum(part.weight * _of_part(data, part, task.outputs.input) for part in task.outputs.parts)


def _of_part(data: Dataset, part: Part, entering: int | None) -> float:
    if not part.of_input or entering is None:
        return _of_target(data)
    rows = data.input_rows()[entering].take(data.splits["train"][:_SAMPLES])
    values = rows.view(-1, *data.inputs[entering].shape[1:])
    return float(data.scalings[entering].apply(values).square().mean())


def _of_target(data: Dataset) -> float:
    kind = kind_of(data.spec.target)
    if kind == NUMBERS:
        targets = data.wanted(data.splits["train"][:_SAMPLES]).float()
        return float(targets.square().mean())  # they are scaled: nothing is what is answered without knowledge
    return math.log(2 if kind == LABELS else data.spec.target.size)
