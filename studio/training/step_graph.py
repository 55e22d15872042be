"""One training step as a function of tensors alone, to be traced into a graph: forward, loss, gradient, optimizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from studio.training.lean import Kept, kept_by

Loss = Callable[[Tensor, Tensor], Tensor]
Answer = tuple[Tensor, Tensor]  # the mean loss () and the answers (N, ...)

_NUMBERS = 5  # lr, weight decay, beta1 or momentum, beta2, eps


@dataclass(frozen=True)
class Parts:
    """The tensors of a network and its optimizer that a step reads and changes, in a fixed order."""

    learned: dict[str, Tensor]
    others: dict[str, Tensor]
    kept: list[Kept]
    numbers: Tensor  # (groups, _NUMBERS), float64

    @classmethod
    def of(cls, model: nn.Module, optimizer: torch.optim.Optimizer) -> Parts | None:
        """None before the optimizer's first step."""
        kept = kept_by(optimizer)
        if kept is None:
            return None
        names = {id(parameter): name for name, parameter in model.named_parameters()}
        learned = {names[id(p)]: p.detach() for part in kept for p in part.parameters}
        rest = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        others = {name: tensor.detach() for name, tensor in rest.items() if name not in learned}
        numbers = torch.zeros(len(kept), _NUMBERS, dtype=torch.float64)
        return cls(learned, others, kept, numbers)

    def flat(self) -> list[Tensor]:
        """All of them; of the counts of steps the first of each group, for they are equal."""
        lists = [some for part in self.kept for some in (part.steps[:1], part.first, part.second)]
        return [*self.learned.values(), *self.others.values(), self.numbers, *(t for some in lists for t in some)]

    def steps(self) -> list[Tensor]:
        """Every parameter's count of steps."""
        return [count for part in self.kept for count in part.steps]


def numbers_of(group: dict[str, Any]) -> tuple[float, ...]:
    """What of an optimizer's settings for a group is a number in the graph, that may change."""
    memory = group["betas"] if "betas" in group else (group["momentum"], 0.0)
    return (group["lr"], group["weight_decay"], *memory, group.get("eps", 0.0))


def structure_of(optimizer: torch.optim.Optimizer) -> list[tuple[bool, ...]]:
    """What of an optimizer's settings is written into the graph itself."""
    return [
        (bool(group["weight_decay"]), bool(group.get("momentum")), bool(group.get("nesterov")))
        for group in optimizer.param_groups
    ]


class Program:
    """The step as a function of flat tensors: what is traced."""

    def __init__(
        self, model: nn.Module, optimizer: torch.optim.Optimizer, loss: Loss, autocast: torch.dtype | None,
        parts: Parts,
    ) -> None:  # fmt: skip
        self.model, self.loss, self.autocast = model, loss, autocast
        self.kind = type(optimizer)
        self.structure = structure_of(optimizer)
        self.learned, self.others = list(parts.learned), list(parts.others)
        self.sizes = [
            (len(part.parameters), len(part.steps[:1]), len(part.first), len(part.second)) for part in parts.kept
        ]

    def __call__(self, *flat: Tensor) -> Answer:
        """One step on the tensors of `Parts`, the inputs and the targets; changes the first, gives loss and answers."""
        tensors = iter(flat)
        learned = [next(tensors) for _ in self.learned]
        others = [next(tensors) for _ in self.others]
        numbers = next(tensors)
        kept = [[[next(tensors) for _ in range(count)] for count in sizes[1:]] for sizes in self.sizes]
        *inputs, targets = tensors
        leaves = [tensor.detach().requires_grad_() for tensor in learned]
        values = {**dict(zip(self.learned, leaves, strict=True)), **dict(zip(self.others, others, strict=True))}
        answers = self._answers(values, tuple(inputs))
        loss = self.loss(answers, targets)
        gradients = torch.autograd.grad(loss, leaves)
        with torch.no_grad():
            start = 0
            for row, sizes, lists, structure in zip(numbers, self.sizes, kept, self.structure, strict=True):
                some = slice(start, start + sizes[0])
                self._move(learned[some], gradients[some], lists, row.unbind(), structure)
                start += sizes[0]
        return loss.detach(), answers.detach()

    def _answers(self, values: dict[str, Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
        if self.autocast is None:
            answers: Tensor = torch.func.functional_call(self.model, values, inputs)
            return answers
        with torch.autocast("cpu", dtype=self.autocast, cache_enabled=False):
            answers = torch.func.functional_call(self.model, values, inputs)
        return answers.float()

    def _move(
        self, weights: Sequence[Tensor], gradients: Sequence[Tensor], lists: list[list[Tensor]],
        row: Sequence[Tensor], structure: tuple[bool, ...],
    ) -> None:  # fmt: skip
        """One group's step of the optimizer."""
        if self.kind is torch.optim.SGD:
            _sgd(weights, gradients, lists[1], row, structure)
        else:
            _adam(weights, gradients, lists, row, (structure[0], self.kind is torch.optim.AdamW))


def _sgd(
    weights: Sequence[Tensor], gradients: Sequence[Tensor], buffers: list[Tensor], row: Sequence[Tensor],
    structure: tuple[bool, ...],
) -> None:  # fmt: skip
    rate, decay, momentum = row[:3]
    decays, has_momentum, nesterov = structure
    for i, (weight, gradient) in enumerate(zip(weights, gradients, strict=True)):
        step = gradient + weight * decay if decays else gradient
        if has_momentum:
            buffers[i].mul_(momentum).add_(step)
            step = step + buffers[i] * momentum if nesterov else buffers[i]
        weight.sub_(step * rate)


def _adam(
    weights: Sequence[Tensor], gradients: Sequence[Tensor], lists: list[list[Tensor]], row: Sequence[Tensor],
    decay_kind: tuple[bool, bool],
) -> None:  # fmt: skip
    rate, decay, beta1, beta2, eps = row
    (count,), means, squares = lists
    decays, apart = decay_kind
    size, root = rate / (1 - beta1 ** count.double()), (1 - beta2 ** count.double()).sqrt()
    for weight, gradient, mean, square in zip(weights, gradients, means, squares, strict=True):
        step = gradient
        if decays and apart:
            weight.mul_(1 - rate * decay)
        elif decays:
            step = gradient + weight * decay
        mean.mul_(beta1).add_(step * (1 - beta1))
        square.mul_(beta2).add_(step * step * (1 - beta2))
        weight.sub_(mean / (square.sqrt() / root + eps) * size)


def traced(program: Program, flat: Sequence[Tensor]) -> torch.fx.GraphModule:
    """The graph of a step on tensors like these; nothing is computed and no tensor changed.

    Raises:
        Exception: of many kinds, where the step cannot be a graph.
    """
    from torch._subclasses import FakeTensorMode
    from torch.fx.experimental.proxy_tensor import make_fx

    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        return make_fx(program)(*[mode.from_tensor(tensor) for tensor in flat])


def is_random(graph: torch.fx.GraphModule) -> bool:
    """Whether a graph draws at random."""
    return any(torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()) for node in graph.graph.nodes)


def compiled(graph: torch.fx.GraphModule, flat: Sequence[Tensor], threads: int) -> Callable[..., Answer]:
    """A graph as machine code.

    Args:
        threads: processor threads that it will use.

    Raises:
        Exception: of many kinds, where that fails.
    """
    import torch._inductor

    # One thread of this process compiles: helpers of its own would stay for as long as the program runs.
    options = {"cpp.threads": threads, "compile_threads": 1}
    with torch.no_grad():
        made: Callable[..., Answer] = torch._inductor.compile(graph, list(flat), options=options)
    return made
