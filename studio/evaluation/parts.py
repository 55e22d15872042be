"""What a checkpoint says of its data, checked at the door: what a person gives to the network, and what it answers."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from studio.compile.plan import Plan
from studio.compile.target_kinds import kind_of
from studio.data.base import DataError, DataSpec, Learned, Target
from studio.data.choice import INPUT, DataChoice
from studio.data.forms import RawForm, learned_form, plain_form
from studio.data.scaling import Scaling, scaled_answers
from studio.data.tables.categories import Categories
from studio.data.tables.features import Columns
from studio.data.texts.tokens import Tokenization
from studio.tensors import TensorSpec
from studio.training.errors import CheckpointError

NEXT = "next token"  # beside the kinds of studio.settings.losses: of steps only the last one counts, what comes next
LEARNED: tuple[type[Tokenization] | type[Columns] | type[Categories], ...] = (Tokenization, Columns, Categories)


@dataclass(frozen=True)
class Part:
    """One thing that a person gives.

    Args:
        name: of the input that it is for, the first of them.
        form: how it is given.
    """

    name: str
    form: RawForm


@dataclass(frozen=True)
class Preparation:
    """What belongs to the network's ends.

    Args:
        inputs: the tensor of each input.
        parts: what is given for them, in their order.
        scalings: of each input.
        tokens: how many token numbers each input may have; 0 where it has none.
        target: what is answered.
        answers: how numbers that are answered are scaled.
        kind: of the answer: one of studio.settings.losses, or NEXT.
    """

    inputs: tuple[TensorSpec, ...]
    parts: tuple[Part, ...]
    scalings: tuple[Scaling, ...]
    tokens: tuple[int, ...]
    target: Target
    answers: Scaling
    kind: str


def read_preparation(preparation: Mapping[str, Any], plan: Plan, data: DataChoice) -> Preparation:
    """What a checkpoint says of its data.

    Args:
        preparation: as `studio.training.preparation.describe_preparation` gives it.
        plan: of the network.
        data: that of the project; its source says in which form raw values are given.

    Raises:
        CheckpointError: if it is damaged, or does not belong to the network.
    """
    try:
        return _read(preparation, plan, data)
    except (KeyError, TypeError, ValueError, AttributeError, AssertionError, DataError) as error:
        reason = str(error) or type(error).__name__
        raise CheckpointError(f"What the checkpoint says of its data cannot be used: {reason.rstrip('.')}.") from error


def _read(preparation: Mapping[str, Any], plan: Plan, data: DataChoice) -> Preparation:
    given = preparation["inputs"]
    names = [name for name, _ in plan.inputs[: len(given)]]
    specs = tuple(TensorSpec(tuple(map(int, one["dims"])), one["axes"], one["dtype"]) for one in given)
    if [spec.dims for spec in specs] != [spec.dims for _, spec in plan.inputs] or not specs:
        raise ValueError("its inputs are not those of the network.")
    scalings = tuple(Scaling.from_json(one["scaling"]) for one in given)
    learned = tuple(_learned(one) for one in given)
    target = _target(preparation, specs[0], plan)
    spec = DataSpec(specs, target, _features(given, data, specs), characters=str(given[0].get("characters", "")))
    _check_scalings(specs, scalings)
    forms = _forms(spec, learned, scalings, data)
    starts = [sum(form.inputs for form in forms[:number]) for number in range(len(forms))]
    follows = data.source.predicts_next and len(target.dims) == 1
    return Preparation(
        inputs=specs,
        parts=tuple(Part(names[start], form) for start, form in zip(starts, forms, strict=True)),
        scalings=scalings,
        tokens=_tokens(names, specs, plan),
        target=target,
        answers=scaled_answers(preparation),
        kind=NEXT if follows else kind_of(target),
    )


def _learned(given: Mapping[str, Any]) -> Learned | None:
    return next((kind.from_json(given[kind.key]) for kind in LEARNED if kind.key in given), None)


def _features(given: Sequence[Mapping[str, Any]], data: DataChoice, specs: Sequence[TensorSpec]) -> tuple[str, ...]:
    """Names of the numbers of the only input; older checkpoints have none, but the source may know them."""
    names = tuple(map(str, given[0].get("features", data.source.spec.features)))
    return names if len(specs) == 1 and specs[0].dims == (len(names),) else ()


def _check_scalings(specs: Sequence[TensorSpec], scalings: Sequence[Scaling]) -> None:
    for spec, scaling in zip(specs, scalings, strict=True):
        axis = spec.dims[-1] if scaling.last else spec.dims[0]
        if len(scaling.shift) not in (0, 1, axis):
            raise ValueError("a scaling has another size than its input.")


def _target(preparation: Mapping[str, Any], first: TensorSpec, plan: Plan) -> Target:
    is_input = preparation.get("target") == INPUT
    names, task = preparation["names"], preparation["task"]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ValueError("the names of its answers are missing.")
    if task not in ("classification", "multi-label", "regression"):
        raise ValueError("what it answers is unknown.")
    places = tuple(map(int, preparation.get("places", ())))
    if not names:  # an imported network may have none
        names = [str(number) for number in range(math.prod(plan.specs[plan.main].dims))]
    target = Target(task, tuple(names), first.dims if is_input else places, is_input=is_input)
    if plan.specs[plan.main].dims != target.answer.dims:
        raise ValueError("its answers are not those of the network.")
    return target


def _forms(
    spec: DataSpec, learned: Sequence[Learned | None], scalings: Sequence[Scaling], data: DataChoice
) -> list[RawForm]:
    """One for each part, in the order of the inputs."""
    source = data.source
    if all(isinstance(one, Columns | Categories) for one in learned):
        forms: list[RawForm] = [learned_form([one for one in learned if one is not None])]
    else:
        plain = _fitting(source.raw_forms(spec), spec)
        last = len(learned) - 1
        forms = [
            # Of several texts it is the last one that is followed.
            form if known is None else learned_form([known], followed=source.predicts_next and number == last)
            for number, (known, form) in enumerate(zip(learned, plain, strict=True))
        ]
    if _sizes(forms) != [tensor.dims for tensor in spec.inputs]:
        raise ValueError("what was learned of its inputs is of another size than what the network takes.")
    return _measured(forms, scalings, data.scaling)


def _fitting(forms: tuple[RawForm, ...], spec: DataSpec) -> tuple[RawForm, ...]:
    """The forms of a source, if the network is for it: an imported one may have been trained on anything."""
    if _sizes(forms) == [tensor.dims for tensor in spec.inputs]:
        return forms
    return tuple(plain_form(tensor) for tensor in spec.inputs)


def _sizes(forms: Sequence[RawForm]) -> list[tuple[int, ...]]:
    return [dims for form in forms for dims in form.dims]


def _measured(forms: Sequence[RawForm], scalings: Sequence[Scaling], method: str) -> list[RawForm]:
    found, place = [], 0
    for form in forms:
        found.append(form.measured(scalings[place : place + form.inputs], method))
        place += form.inputs
    return found


def _tokens(names: Sequence[str], specs: Sequence[TensorSpec], plan: Plan) -> tuple[int, ...]:
    """How many tokens each input may have: on a GPU a number beyond would break the whole program."""
    return tuple(
        min(_tables(plan, name), default=0) if spec.dtype == "int" else 0
        for name, spec in zip(names, specs, strict=True)
    )


def _tables(plan: Plan, value: str) -> Iterator[int]:
    """The sizes of the tables of vectors in which the numbers of a value are looked up."""
    for step in plan.steps:
        for part in step.parts[:1] if value in step.sources else ():
            if isinstance(part, Plan):
                yield from _tables(part, part.inputs[step.sources.index(value)][0])
            else:
                tables = (layer for layer in part.layers if layer.class_name == "Embedding")
                yield from (int(dict(layer.arguments)["num_embeddings"]) for layer in tables)
