"""Which classes the source of a network has: one for the network, and one for all uses of a group that are built alike.

What differs between the uses of a class, such as the number of filters, becomes an argument of its constructor.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from typing import Any

from studio.blocks.custom import declared_names
from studio.compile.backbone import BACKBONE_IMPORTS
from studio.compile.layers import CustomSpec
from studio.compile.plan import CompileError, Plan, has_backbone
from studio.compile.record import BlockRecord
from studio.graph.names import SOURCE_NAMES

# A constant in a class: number of the step, of the part, of the layer (-1 for a group), and the argument's name.
Slot = tuple[int, int, int, str]


@dataclass
class Parameter:
    """An argument of a class's constructor, and the constants for which it stands."""

    name: str
    slots: tuple[Slot, ...]


@dataclass
class SourceClass:
    """One class.

    Args:
        name: its name in the source.
        uses: the plans that it stands for; they differ only in constants.
        parameters: what differs.
    """

    name: str
    uses: list[Plan]
    parameters: list[Parameter] = field(default_factory=list)

    def parameter_of(self, slot: Slot) -> str | None:
        """The argument that stands for a constant; None if it is the same in all uses."""
        return next((p.name for p in self.parameters if slot in p.slots), None)


class SourceClasses:
    """All classes of a network.

    Args:
        plan: the network.
        name: of its class.
        taken: names that the classes of groups must leave to what else stands in the file.

    Raises:
        CompileError: if what custom code declares has the name of something else in the file.
    """

    def __init__(self, plan: Plan, name: str, taken: Collection[str] = ()) -> None:
        self._by_structure: dict[Hashable, SourceClass] = {}
        self._main = SourceClass(name, [plan])
        self._taken = {*SOURCE_NAMES, *taken, *(BACKBONE_IMPORTS if has_backbone(plan) else ()), name}
        self.custom = _custom_code(plan, self._taken)
        self._taken |= {declared for code in self.custom for declared in declared_names(code)}
        self._collect(plan)
        for source_class in self._by_structure.values():
            source_class.parameters = self._parameters(source_class)

    @property
    def all(self) -> list[SourceClass]:
        """Each after those that it needs; the network's own is the last."""
        return [*self._by_structure.values(), self._main]

    def of(self, plan: Plan) -> SourceClass:
        """The class of a group's plan."""
        return self._by_structure[_structure(plan)]

    def arguments(self, plan: Plan) -> dict[str, Any]:
        """What a group's class takes to be built as in a plan."""
        constants = self._constants(plan)
        return {parameter.name: constants[parameter.slots[0]] for parameter in self.of(plan).parameters}

    def _collect(self, plan: Plan) -> None:
        for step in plan.steps:
            for part in step.parts:
                if isinstance(part, Plan):
                    self._collect(part)
                    structure = _structure(part)
                    if structure not in self._by_structure:
                        self._by_structure[structure] = SourceClass(self._free_name(part.title), [])
                    uses = self._by_structure[structure].uses
                    if part not in uses:
                        uses.append(part)

    def _free_name(self, title: str) -> str:
        name, number = title, 2
        while name in self._taken:
            name, number = f"{title}{number}", number + 1
        self._taken.add(name)
        return name

    def _constants(self, plan: Plan) -> dict[Slot, Any]:
        found: dict[Slot, Any] = {}
        for s, step in enumerate(plan.steps):
            for p, part in enumerate(step.parts):
                if isinstance(part, Plan):
                    found |= {(s, p, -1, name): value for name, value in self.arguments(part).items()}
                    continue
                for number, layer in enumerate(part.layers):
                    found |= {(s, p, number, name): value for name, value in layer.arguments}
        return found

    def _parameters(self, source_class: SourceClass) -> list[Parameter]:
        """Constants that differ between the uses; those that always agree with each other are one argument."""
        constants = [self._constants(plan) for plan in source_class.uses]
        together: dict[tuple[tuple[type, Any], ...], list[Slot]] = {}
        for slot in constants[0]:
            values = tuple((type(use[slot]), use[slot]) for use in constants)
            if len(set(values)) > 1:
                together.setdefault(values, []).append(slot)
        settings = {
            tuple((type(value), value) for value in column): names[0]
            for names, column in zip(_names(source_class), _columns(source_class), strict=True)
        }
        return _named(source_class.uses[0], together, settings)


def _custom_code(plan: Plan, taken: Collection[str]) -> list[str]:
    """The code of custom blocks, each once.

    Raises:
        CompileError: if what one declares would take the place of something else in the file.
    """
    owners = dict.fromkeys(taken, "")
    found: list[str] = []
    for layer in plan.layers():
        if isinstance(layer, CustomSpec) and layer.code not in found:
            found.append(layer.code)
            for name in declared_names(layer.code):
                if owners.setdefault(name, layer.code) != layer.code:
                    other = "another custom block declares too" if owners[name] else "the exported file uses itself"
                    raise CompileError(f"Custom code declares “{name}”, which {other}. Give it another name.")
    return found


def _names(source_class: SourceClass) -> list[tuple[str, ...]]:
    return list(zip(*([name for name, _ in plan.settings] for plan in source_class.uses), strict=True))


def _columns(source_class: SourceClass) -> list[tuple[Any, ...]]:
    """The values of each exposed setting in all uses."""
    return list(zip(*([value for _, value in plan.settings] for plan in source_class.uses), strict=True))


def _named(plan: Plan, together: dict[Any, list[Slot]], settings: dict[Any, str]) -> list[Parameter]:
    """The arguments, named after the exposed setting that they follow, or after what they are for."""
    taken = {"self"}
    parameters = []
    for values, slots in together.items():
        step, _, layer, argument = slots[0]
        names = plan.steps[step].layer_names
        own = f"{names[max(0, layer)] if len(names) > 1 else names[0]}_{argument}"
        wanted = (settings.get(values, ""), argument, own, *_numbered(own))
        name = next(name for name in wanted if name not in {"", *taken})
        taken.add(name)
        parameters.append(Parameter(name, tuple(slots)))
    return parameters


def _numbered(stem: str) -> list[str]:
    return [f"{stem}_{number}" for number in range(2, 1000)]


def _structure(plan: Plan) -> Hashable:
    """All that makes the text of a class, but constants of layers."""
    steps = tuple(
        (step.layer_names, step.sources, step.results, step.mask, tuple(_part_structure(part) for part in step.parts))
        for step in plan.steps
    )
    return plan.title, tuple(name for name, _ in plan.inputs), steps, plan.outputs, plan.mask


def _part_structure(part: BlockRecord | Plan) -> Hashable:
    if isinstance(part, Plan):
        return _structure(part)
    layers = tuple(
        (layer.class_name, tuple(name for name, _ in layer.arguments), getattr(layer, "code", ""))
        for layer in part.layers
    )
    return layers, part.operations, part.outputs, part.mask
