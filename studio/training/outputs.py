"""Several Outputs of one network: what each is compared with, and the sum of their losses.

In training the answers of such a network are a tuple: one tensor for each Output, and behind them the input that some
of them are compared with, if any is. So whoever hands answers and targets on need not know of it.

Axis letters: N batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from studio.training.events import Metrics

if TYPE_CHECKING:
    from studio.training.tasks import Sums, Task

Answers = Any  # a tuple of tensors: of each Output, and the input that is compared; where one Output is, a tensor


@dataclass(frozen=True)
class Part:
    """One Output.

    Args:
        name: of its block.
        task: its own loss and score.
        weight: of its loss in the sum.
        of_input: whether it is compared with the input.
        weigh: targets of a batch to what they count in the mean loss (); None where that is the number of samples.
    """

    name: str
    task: Task
    weight: float
    of_input: bool
    weigh: Callable[[Tensor], Tensor] | None = None

    @property
    def loss_name(self) -> str:
        """What its own loss is called among the figures."""
        return f"{self.name}.loss"

    @property
    def score_name(self) -> str:
        """What its own score is called among the figures."""
        return f"{self.name}.{self.task.metric}"


@dataclass(frozen=True)
class Outputs:
    """All Outputs of a network that has several.

    Args:
        parts: in the order of the network's answers.
        main: number of the one whose score is that of the network.
        input: number of the input that some are compared with; None if none is.
    """

    parts: tuple[Part, ...]
    main: int
    input: int | None

    @property
    def main_loss(self) -> str:
        """What the main Output's own loss is called among the figures."""
        return self.parts[self.main].loss_name

    @property
    def names(self) -> tuple[str, ...]:
        """The figures of each Output; the main one's score is that of the network, and has its own name."""
        return tuple(name for number, part in enumerate(self.parts) for name in self._names_of(number, part))

    def _names_of(self, number: int, part: Part) -> tuple[str, ...]:
        return (part.loss_name,) if number == self.main else (part.loss_name, part.score_name)

    def with_input(self, answers: Answers, inputs: Sequence[Tensor]) -> Answers:
        """The answers of the network as they are handed on.

        Args:
            answers: (N, ...) of each Output.
            inputs: (N, *dims) each.
        """
        return answers if self.input is None else (*answers, inputs[self.input])

    def pair(self, number: int, answers: Answers, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Answers and targets of one Output, both (N, ...)."""
        return answers[number], answers[-1] if self.parts[number].of_input else targets

    def losses(self, answers: Answers, targets: Tensor) -> list[Tensor]:
        """The mean loss () of each Output by itself."""
        return [part.task.loss(*self.pair(number, answers, targets)) for number, part in enumerate(self.parts)]

    def total(self, losses: Sequence[Tensor]) -> Tensor:
        """The sum of their losses, each times its weight: what is made small."""
        total = losses[0] * self.parts[0].weight
        for part, loss in zip(self.parts[1:], losses[1:], strict=True):
            total = total + loss * part.weight
        return total

    def loss(self, answers: Answers, targets: Tensor) -> Tensor:
        """The loss () of a batch."""
        return self.total(self.losses(answers, targets))

    def main_answers(self, answers: Answers) -> Tensor:
        """Those of the main Output."""
        main: Tensor = answers[self.main]
        return main

    def figures(self, sums: Sums) -> Metrics:
        """Loss and score of each Output by itself, by `names`.

        Args:
            sums: what a Tally gave for a task with these Outputs.
        """
        values: Metrics = {}
        for number, (part, own) in enumerate(zip(self.parts, sums.parts, strict=True)):
            pair = (own.mean_loss, own.mean_score)
            values.update(zip(self._names_of(number, part), pair, strict=False))
        return values
