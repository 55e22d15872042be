"""A plan becomes readable Python, from the same records as the module that trains."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection
from typing import Any

from studio.compile.backbone import BACKBONE_IMPORTS, FEATURES
from studio.compile.layers import BackboneSpec, CustomSpec, LayerSpec, ParameterSpec
from studio.compile.plan import Plan, Step, has_backbone, single_layer
from studio.compile.record import BlockRecord, Operation, Ref
from studio.compile.source_classes import SourceClass, SourceClasses

LINE_LENGTH = 100


def class_name(title: str) -> str:
    """A class name from free text: "digits-cnn" is DigitsCnn; "Network" if nothing usable is left."""
    words = re.findall(r"[A-Za-z0-9]+", title[:80])
    name = "".join(word[:1].upper() + word[1:] for word in words).lstrip("0123456789")
    return name if name and not keyword.iskeyword(name) else "Network"


def source_imports(plan: Plan) -> tuple[str, ...]:
    """What the source of a network needs beside `import torch` and `from torch import nn`, a statement each."""
    if not has_backbone(plan):
        return ()
    return tuple(f"from {module} import {name}" for name, module in BACKBONE_IMPORTS.items())


def class_source(plan: Plan, name: str, taken: Collection[str] = ()) -> str:
    """The network as a class of `torch.nn`, after one class for each group in it.

    Args:
        plan: the network.
        name: a valid class name.
        taken: names that the classes of groups must leave to what else stands in the file.

    Returns:
        source that needs `import torch`, `from torch import nn` and `source_imports`; layers are made in the same order
        as in `build_network`, so that the same seed gives the same weights.

    Raises:
        CompileError: if what custom code declares has the name of something else in the file.
    """
    classes = SourceClasses(plan, name, taken)
    custom = [f"{code.strip()}\n" for code in classes.custom]
    return "\n\n".join([*custom, *(_ClassWriter(classes, each).text() for each in classes.all)])


class _ClassWriter:
    """Writes one class. Where its uses differ, it has arguments, and no comments with shapes."""

    def __init__(self, classes: SourceClasses, written: SourceClass) -> None:
        self.classes = classes
        self.written = written
        self.plan = written.uses[0]
        self.taken = {name for name, _ in self.plan.inputs}
        self.taken |= {name for step in self.plan.steps for name in (*step.results, step.mask)}

    def text(self) -> str:
        specs = [spec for _, spec in self.plan.inputs]
        shapes = ", ".join(f"({spec})" for spec in specs)
        same = all([spec for _, spec in use.inputs] == specs for use in self.written.uses)
        lines = [
            f"class {self.written.name}(nn.Module):",
            f'    """Takes {shapes if same else "inputs such as " + shapes}."""',
            "",
        ]
        types = ((p.name, type(self.classes.arguments(self.plan)[p.name]).__name__) for p in self.written.parameters)
        arguments = ", ".join(["self", *(f"{name}: {kind}" for name, kind in types)])
        lines += [f"    def __init__({arguments}) -> None:", "        super().__init__()", *self._layers(), ""]
        return "\n".join(lines + self._forward()) + "\n"

    def _layers(self) -> list[str]:
        lines = []
        for number, step in enumerate(self.plan.steps):
            for attribute, expression in self._attributes(number, step):
                lines.append(f"        self.{attribute} = {expression}")
        return lines

    def _attributes(self, number: int, step: Step) -> list[tuple[str, str]]:
        first = step.parts[0]
        if step.is_repeated:
            return [(step.layer_names[0], self._repetition(number, step))]
        if isinstance(first, Plan):
            return [(step.layer_names[0], self._constructor(number, 0, -1, first))]
        return [
            (attribute, self._constructor(number, 0, layer, spec))
            for layer, (attribute, spec) in enumerate(zip(step.layer_names, first.layers, strict=True))
        ]

    def _constructor(self, step: int, part: int, layer: int, built: LayerSpec | Plan) -> str:
        """The call that makes a layer or a group; over several lines if it is long."""
        end = ")"
        if isinstance(built, Plan):
            called, values = self.classes.of(built).name, self.classes.arguments(built)
        else:
            called, values = f"nn.{built.class_name}", dict(built.arguments)
            if isinstance(built, ParameterSpec):
                called, end = f"nn.Parameter(torch.{built.class_name}", "))"
            elif isinstance(built, CustomSpec | BackboneSpec):
                called = built.class_name
        texts = {
            name: self.written.parameter_of((step, part, layer, name)) or repr(value) for name, value in values.items()
        }
        arguments = [f"{name}={text}" for name, text in texts.items()]
        if isinstance(built, BackboneSpec):
            arguments = [f"get_model({texts['network']}, weights=None)", f"{{{texts['node']}: {FEATURES!r}}}"]
        line = f"{called}({', '.join(arguments)}{end}"
        if len(line) <= LINE_LENGTH - 25:
            return line
        body = "".join(f"            {argument},\n" for argument in arguments)
        return f"{called}(\n{body}        {end}"

    def _repetition(self, number: int, step: Step) -> str:
        calls = []
        for index, part in enumerate(step.parts):
            built = part if isinstance(part, Plan) else single_layer(part)
            assert built is not None
            calls.append(self._constructor(number, index, -1 if isinstance(part, Plan) else 0, built))
        container, star = ("Sequential", "*") if len(step.sources) == 1 else ("ModuleList", "")
        if len(set(calls)) == 1:
            inner = f"{calls[0]} for _ in range({len(calls)})"
            line = f"nn.{container}({star}({inner}))" if star else f"nn.{container}({inner})"
            return line if len(line) <= LINE_LENGTH - 20 else f"nn.{container}(\n            {star}({inner})\n        )"
        body = "".join(f"            {call},\n" for call in calls)
        return f"nn.{container}(\n{body}        )" if star else f"nn.{container}([\n{body}        ])"

    def _forward(self) -> list[str]:
        arguments = ", ".join(f"{name}: torch.Tensor" for name, _ in self.plan.inputs)
        answer = "torch.Tensor" if len(self.plan.outputs) + bool(self.plan.mask) == 1 else "tuple[torch.Tensor, ...]"
        lines = [f"    def forward(self, {arguments}) -> {answer}:"]
        for number, step in enumerate(self.plan.steps):
            same = len({use.steps[number].spec for use in self.written.uses}) == 1
            comment = f"  # {step.spec}" if same else ""
            lines += [f"        {line}" for line in self._step(step, comment)]
        lines.append(f"        return {', '.join(name for name in (*self.plan.outputs, self.plan.mask) if name)}")
        return lines

    def _step(self, step: Step, comment: str) -> list[str]:
        part, attribute = step.parts[0], f"self.{step.layer_names[0]}" if step.layer_names else ""
        if not step.is_repeated and isinstance(part, BlockRecord):
            return _StepWriter(step, part, self.taken, comment).lines()
        if step.is_repeated and len(step.sources) > 1:
            result, each = step.results[0], _free_name("part", self.taken)
            call = f"{result} = {each}({', '.join([result, *step.sources[1:]])})"
            return [f"{result} = {step.sources[0]}", f"for {each} in {attribute}:", f"    {call}{comment}"]
        results = ", ".join((*step.results, step.mask) if step.mask else step.results)
        return [f"{results} = {attribute}({', '.join(step.sources)}){comment}"]


def _free_name(stem: str, taken: set[str]) -> str:
    """A name for a value in between; it is taken from now on."""
    while stem in taken:
        stem += "_"
    taken.add(stem)
    return stem


class _StepWriter:
    """Writes one block's part of forward; a result that is used once stands where it is used."""

    def __init__(self, step: Step, record: BlockRecord, taken: set[str], comment: str) -> None:
        self.step = step
        self.record = record
        self.taken = taken
        self.comment = comment
        self.uses = _count_uses(record, masked=bool(step.mask))
        self.unpacked = _unpacked(record)
        self.expressions: list[str] = []

    def lines(self) -> list[str]:
        result: list[str] = []
        for index, operation in enumerate(self.record.operations):
            expression = self.expression(operation)
            if self.uses[index] > 1 and index != self.unpacked:
                name = _free_name(f"{self.step.node.name}_all", self.taken)
                result.append(f"{name} = {expression}")
                expression = name
            self.expressions.append(expression)
        return result + self._results()

    def _results(self) -> list[str]:
        if self.unpacked is not None:
            return [f"{', '.join(self.step.results)} = {self.expressions[self.unpacked]}{self.comment}"]
        results = zip(self.step.results, self.record.outputs, strict=True)
        lines = [f"{name} = {self.argument(output)}{self.comment}" for name, output in results]
        return [*lines, f"{self.step.mask} = {self.argument(self.record.mask)}"] if self.step.mask else lines

    def expression(self, operation: Operation) -> str:
        if operation.kind == "item":
            return f"{self.argument(operation.args[0])}[{operation.args[1]!r}]"
        if operation.kind == "parameter":
            return f"self.{self.step.layer_names[int(operation.target)]}"
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
        return f'float("{value}")' if isinstance(value, float) and math.isinf(value) else repr(value)


def _unpacked(record: BlockRecord) -> int | None:
    """The operation whose parts are the block's outputs, all of them and in their order."""
    first = record.operations[record.outputs[0].index] if record.outputs[0].index >= 0 else None
    if first is None or first.kind != "item" or record.operations[first.args[0].index].target != "split":
        return None
    parts = [Operation("item", "", (first.args[0], number)) for number in range(len(record.outputs))]
    index: int = first.args[0].index
    return index if [record.operations[output.index] for output in record.outputs] == parts else None


def _count_uses(record: BlockRecord, masked: bool) -> list[int]:
    uses = [0] * len(record.operations)

    def count(value: Any) -> None:
        if isinstance(value, Ref) and value.index >= 0:
            uses[value.index] += 1
        elif isinstance(value, tuple):
            for item in value:
                count(item)

    for operation in record.operations:
        count(operation.args)
    for output in (*record.outputs, record.mask) if masked else record.outputs:
        count(output)
    return uses
