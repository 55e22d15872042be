"""A plan becomes readable Python: one class, from the same records as the module that trains."""

from __future__ import annotations

import keyword
import re
from typing import Any

from studio.compile.plan import Plan, Step
from studio.compile.record import LayerSpec, Operation, Ref

LINE_LENGTH = 100


def class_name(title: str) -> str:
    """A class name from free text: "digits-cnn" is DigitsCnn; "Network" if nothing usable is left."""
    words = re.findall(r"[A-Za-z0-9]+", title[:80])
    name = "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789")
    return name if name and not keyword.iskeyword(name) else "Network"


def class_source(plan: Plan, name: str) -> str:
    """The network as a class of `torch.nn`.

    Args:
        plan: the network.
        name: a valid class name.

    Returns:
        source that needs `import torch` and `from torch import nn`; layers are made in the same order as in
        `build_network`, so that the same seed gives the same weights.
    """
    shapes = ", ".join(f"({spec})" for _, spec in plan.inputs)
    lines = [f"class {name}(nn.Module):", f'    """Takes {shapes}."""', ""]
    layers = [
        f"        self.{attribute} = {_constructor(spec)}"
        for step in plan.steps
        for attribute, spec in zip(step.layer_names, step.record.layers, strict=True)
    ]
    lines += ["    def __init__(self) -> None:", "        super().__init__()", *layers, ""]
    return "\n".join(lines + _forward(plan)) + "\n"


def _constructor(spec: LayerSpec) -> str:
    arguments = [f"{key}={value!r}" for key, value in spec.arguments]
    line = f"nn.{spec.class_name}({', '.join(arguments)})"
    if len(line) <= LINE_LENGTH - 25:
        return line
    body = "".join(f"            {argument},\n" for argument in arguments)
    return f"nn.{spec.class_name}(\n{body}        )"


def _forward(plan: Plan) -> list[str]:
    arguments = ", ".join(f"{name}: torch.Tensor" for name, _ in plan.inputs)
    answer = "torch.Tensor" if len(plan.outputs) == 1 else "tuple[torch.Tensor, ...]"
    lines = [f"    def forward(self, {arguments}) -> {answer}:"]
    taken = {name for name, _ in plan.inputs} | {step.node.name for step in plan.steps}
    for step in plan.steps:
        lines += [f"        {line}" for line in _StepWriter(step, taken).lines()]
    lines.append(f"        return {', '.join(plan.outputs)}")
    return lines


class _StepWriter:
    """Writes one block's part of forward; a result that is used once stands where it is used."""

    def __init__(self, step: Step, taken: set[str]) -> None:
        self.step = step
        self.taken = taken
        self.uses = _count_uses(step)
        self.expressions: list[str] = []

    def lines(self) -> list[str]:
        record = self.step.record
        result: list[str] = []
        for index, operation in enumerate(record.operations):
            expression = self.expression(operation)
            if self.uses[index] > 1:
                name = self.helper_name()
                result.append(f"{name} = {expression}")
                expression = name
            self.expressions.append(expression)
        result.append(f"{self.step.node.name} = {self.argument(record.output)}  # {record.spec}")
        return result

    def expression(self, operation: Operation) -> str:
        if operation.kind == "item":
            return f"{self.argument(operation.args[0])}[{operation.args[1]!r}]"
        if operation.kind == "layer":
            function = f"self.{self.step.layer_names[int(operation.target)]}"
        else:
            function = f"torch.{operation.target}"
        arguments = [self.argument(arg) for arg in operation.args]
        arguments += [f"{key}={value!r}" for key, value in operation.kwargs]
        return f"{function}({', '.join(arguments)})"

    def argument(self, value: Any) -> str:
        if isinstance(value, Ref):
            return self.expressions[value.index] if value.index >= 0 else self.step.sources[-1 - value.index]
        if isinstance(value, tuple):
            inner = ", ".join(self.argument(item) for item in value)
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return repr(value)

    def helper_name(self) -> str:
        name = f"{self.step.node.name}_all"
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name


def _count_uses(step: Step) -> list[int]:
    uses = [0] * len(step.record.operations)

    def count(value: Any) -> None:
        if isinstance(value, Ref) and value.index >= 0:
            uses[value.index] += 1
        elif isinstance(value, tuple):
            for item in value:
                count(item)

    for operation in step.record.operations:
        count(operation.args)
    count(step.record.output)
    return uses
