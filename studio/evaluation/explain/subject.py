"""What is explained: one sample, one answer, and the numbers on which that answer depends smoothly.

Tokens are no numbers that could be a little larger: the vectors that an Embedding makes of them stand in for them, and
what they are worth is summed up for each token.

Axis letters: N samples, T tokens, D features, K classes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, fx, nn

from studio.evaluation.trained import Trained
from studio.tensors import TensorSpec
from studio.training.errors import TrainingError
from studio.training.tasks import CLASSES, LABELS, NUMBERS, STEPS, kind_of


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
    """

    model: nn.Module
    inputs: tuple[Tensor, ...]
    which: int
    spec: TensorSpec
    target: int
    kind: str
    embedding: nn.Embedding | None
    points: Tensor

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
        if self.kind == NUMBERS:
            return answers.flatten(1)[:, self.target]
        places = answers[:, :, self.target] if self.kind == STEPS else answers[:, self.target]
        return places.flatten(1).mean(1)

    @property
    def baseline(self) -> Tensor:
        """A sample that says nothing (1, *dims): the mean of what is scaled around zero, and no token at all."""
        return torch.zeros_like(self.points)

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


def subject_of(trained: Trained, row: int, target: int | None = None, which: int = 0) -> Subject:
    """A sample of the dataset as a subject.

    Args:
        row: its number in the dataset.
        target: the class, label or number to explain; None for the one that the network answers.
        which: the number of the Input to explain.

    Raises:
        TrainingError: if tokens go to no Embedding or to several, so that there is nothing to explain them by.
    """
    rows = torch.tensor([row])
    inputs = tuple(
        scaling.apply(values.take(rows).view(-1, *tensor.shape[1:]).to(trained.device))
        for values, tensor, scaling in zip(
            trained.dataset.input_rows(), trained.dataset.inputs, trained.dataset.scalings, strict=True
        )
    )
    return make_subject(trained, inputs, target, which)


def make_subject(trained: Trained, inputs: tuple[Tensor, ...], target: int | None = None, which: int = 0) -> Subject:
    """Any prepared sample as a subject; see `subject_of`.

    Args:
        inputs: one tensor (1, *dims) for each Input, on the network's device.
    """
    name, spec = trained.plan.inputs[which]
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
    chosen = _most_probable(answers, kind) if target is None else target
    return Subject(trained.model, inputs, which, spec, chosen, kind, embedding, points.detach())


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


def _most_probable(answers: Tensor, kind: str) -> int:
    if kind == NUMBERS:
        return 0
    if kind in (CLASSES, LABELS):
        return int(answers[0].argmax())
    classes = answers[0].flatten(0, -2).mean(0) if kind == STEPS else answers[0].flatten(1).mean(1)
    return int(classes.argmax())
