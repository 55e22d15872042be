"""What is explained: one sample, one answer, and the numbers on which that answer depends smoothly.

Tokens are no numbers that could be a little larger: the vectors that an Embedding makes of them stand in for them, and
what they are worth is summed up for each token.

Axis letters: N samples, T tokens, D features, K classes, P places of an answer, such as steps or pixels.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from studio.data.base import IGNORED
from studio.evaluation.trained import Trained
from studio.tensors import TensorSpec
from studio.training.errors import TrainingError
from studio.training.tasks import CLASSES, LABELS, NUMBERS, PLACES, STEPS, kind_of


@dataclass(frozen=True, eq=False)
class Subject:
    """One sample and one answer to it.

    Args:
        model: the network, in the state for answering.
        inputs: what it gets, one tensor (1, *dims) for each Input.
        which: the number of the Input that is explained.
        spec: sizes and axes of that Input.
        target: the number of the class, label or number that is explained.
        kind: which of the kinds in studio.training.tasks the target is.
        embedding: what makes vectors of that Input's tokens; None if it has real numbers.
        points: the numbers on which the answer depends (1, *dims), or vectors (1, T, D) of tokens.
        places: of an answer with places, the numbers of those whose mean is explained (P,) int64; None for all.
    """

    model: nn.Module
    inputs: tuple[Tensor, ...]
    which: int
    spec: TensorSpec
    target: int
    kind: str
    embedding: nn.Embedding | None
    points: Tensor
    places: Tensor | None = None

    def score(self, points: Tensor) -> Tensor:
        """What the network says for the answer that is explained (N,): its raw score, or the number.

        Args:
            points: other values in place of `points`, (N, *dims).
        """
        count = len(points)
        inputs = [value.expand(count, *value.shape[1:]) for value in self.inputs]
        if self.embedding is None:
            inputs[self.which] = points
        with _giving(self.embedding, points):
            answers: Tensor = self.model(*inputs)
        if self.kind in (CLASSES, LABELS):
            return answers[:, self.target]
        return self._of_places(answers).mean(1)

    def _of_places(self, answers: Tensor) -> Tensor:
        """The answer at each place that counts (N, P); of numbers without places the one that is explained (N, 1)."""
        if self.kind == NUMBERS and self.places is None and answers.ndim == 2:
            return answers[:, self.target : self.target + 1]
        if self.kind != NUMBERS:
            answers = answers[:, :, self.target] if self.kind == STEPS else answers[:, self.target]
        flat = answers.flatten(1)
        return flat if self.places is None else flat[:, self.places]

    @property
    def baseline(self) -> Tensor:
        """A sample that says nothing (1, *dims): the mean of what is scaled around zero, and no token at all."""
        return torch.zeros_like(self.points)

    @property
    def place_axes(self) -> tuple[int, ...]:
        """Which axes of `points`, behind that of the batch, are time, space or a list of features; others are channels.

        The vectors of tokens are no axis of the sample.
        """
        if self.embedding is not None:
            return (0,)
        return tuple(number for number, axis in enumerate(self.spec.axes) if axis in "TLZHW" or self.spec.axes == "D")

    @property
    def places_of_input(self) -> tuple[int, ...]:
        """The sizes of those axes."""
        return tuple(self.points.shape[1 + axis] for axis in self.place_axes)

    def per_feature(self, values: Tensor) -> Tensor:
        """What was found for `points` (1, *dims), for each part of the sample: (*dims), or (T,) for tokens."""
        return values[0].sum(-1) if self.embedding is not None else values[0]


@contextlib.contextmanager
def _giving(embedding: nn.Embedding | None, vectors: Tensor) -> Iterator[None]:
    """Let an Embedding give other vectors than those of its tokens, if there is one."""
    if embedding is None:
        yield
        return
    handle = embedding.register_forward_hook(lambda _module, _inputs, _answer: vectors)
    try:
        yield
    finally:
        handle.remove()


def prepared(trained: Trained, row: int) -> tuple[Tensor, ...]:
    """The inputs of a sample of the dataset as the network gets them, one tensor (1, *dims) each, on its device."""
    rows = torch.tensor([row])
    return tuple(
        scaling.apply(values.take(rows).view(-1, *tensor.shape[1:]).to(trained.device))
        for values, tensor, scaling in zip(
            trained.dataset.input_rows(), trained.dataset.inputs, trained.dataset.scalings, strict=True
        )
    )


def subject_of(
    trained: Trained, row: int, target: int | None = None, which: int = 0, place: int | None = None
) -> Subject:
    """A sample of the dataset as a subject.

    Args:
        row: its number in the dataset.
        target: the class, label or number to explain; None for the one that the network answers.
        which: the number of the Input to explain.
        place: of an answer with places, the one to explain, counted row by row; None for the mean over all of them that
            are to be predicted.

    Raises:
        TrainingError: if tokens go to no Embedding or to several, so that there is nothing to explain them by.
    """
    if place is not None:
        places: Tensor | None = torch.tensor([place], device=trained.device)
    else:
        places = _to_predict(trained, row)
    return make_subject(trained, prepared(trained, row), target, which, places)


def _to_predict(trained: Trained, row: int) -> Tensor | None:
    """The places of a sample that are to be predicted (P,); None where all are, or there is but one answer."""
    target = trained.dataset.spec.target
    if kind_of(target) == NUMBERS and target.dims:
        return torch.arange(target.answer.numel, device=trained.device)
    if kind_of(target) not in (STEPS, PLACES):
        return None
    wanted = trained.dataset.target_rows().take(torch.tensor([row])).flatten()
    found = (wanted != IGNORED).nonzero().flatten()
    return found.to(trained.device) if 0 < len(found) < len(wanted) else None


def make_subject(
    trained: Trained,
    inputs: tuple[Tensor, ...],
    target: int | None = None,
    which: int = 0,
    places: Tensor | None = None,
) -> Subject:
    """Any prepared sample as a subject; see `subject_of`.

    Args:
        inputs: one tensor (1, *dims) for each Input, on the network's device.
        places: as in `Subject`.
    """
    # An Input block knows its sizes alone: which axis is time, only the data can tell.
    name, spec = trained.plan.inputs[which][0], trained.dataset.spec.inputs[which]
    kind = kind_of(trained.dataset.spec.target)
    for parameter in trained.model.parameters():  # gradients are wanted of the sample alone
        parameter.requires_grad_(False)
    embedding, points = None, inputs[which].float()
    if spec.dtype == "int":
        embedding = _embedding(trained, name)
        with torch.no_grad():
            points = embedding(inputs[which])
    with torch.no_grad():
        answers = trained.model(*inputs)
    chosen = _most_probable(answers, kind, places) if target is None else target
    return Subject(trained.model, inputs, which, spec, chosen, kind, embedding, points.detach(), places)


def _embedding(trained: Trained, name: str) -> nn.Embedding:
    """The one Embedding that an Input's tokens go to."""
    assert isinstance(trained.model, fx.GraphModule)
    place = next(node for node in trained.model.graph.nodes if node.op == "placeholder" and node.target == name)
    called = {str(user.target) for user in place.users if user.op == "call_module"}
    layers = {path: trained.model.get_submodule(path) for path in called}
    found = {path: layer for path, layer in layers.items() if isinstance(layer, nn.Embedding)}
    if len(found) != 1:
        raise TrainingError(
            f"The tokens of “{name}” go to {len(found)} embeddings, not to one, so what each token is worth cannot be "
            "said."
        )
    return next(iter(found.values()))


def _most_probable(answers: Tensor, kind: str, places: Tensor | None) -> int:
    if kind == NUMBERS:
        return 0
    if kind in (CLASSES, LABELS):
        return int(answers[0].argmax())
    scores = answers[0] if kind == STEPS else answers[0].flatten(1).T  # places, classes
    return int((scores if places is None else scores[places]).mean(0).argmax())
