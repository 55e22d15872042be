"""Training script: one readable file that trains the network as the studio did, without the studio."""

from __future__ import annotations

import ast
import dataclasses
import functools
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import tokenizers
import torch

from studio import __version__, storage
from studio.compile.layers import BackboneSpec
from studio.compile.outputs import answers_shares, loss_of
from studio.compile.plan import Plan, has_backbone, make_plan
from studio.compile.source import class_name, class_source, source_imports
from studio.compile.target_kinds import kind_of
from studio.data import DataChoice, DataError, LoadingCode, Target
from studio.data.base import literal
from studio.data.scaling import Scaling, scaled_answers
from studio.export import script_proof, script_splits, script_tokens
from studio.export import script_text as text
from studio.export.clean_process import Tick
from studio.export.formats import ExportError
from studio.export.script_learning import LearningCode, learning_code
from studio.export.script_losses import LossCode, loss_code
from studio.fields import replace as replace_fields
from studio.project import Project
from studio.runs import RunFolder
from studio.settings import TrainingSettings
from studio.settings.losses import KLDivergence
from studio.settings.training import PARTS, differences
from studio.training.checkpoint import Checkpoint
from studio.training.devices import resolve_device, thread_count
from studio.training.setup import has_images
from studio.training.tasks import TASKS, task_of

LINE_LENGTH = 100


def write(
    checkpoint: Checkpoint, path: Path, target: Path, data_folder: Path | None = None, tick: Tick | None = None
) -> str:
    """Write the script; see `studio.export.write.export`.

    Args:
        data_folder: where the files of the dataset are, with which the script is tried; None for the studio's cache, or
            where the project says that the person's own are.
        tick: told often what is being done; may raise to give up.
    """
    if data_folder is not None and checkpoint.project.data.source.needs_place:
        checkpoint = dataclasses.replace(checkpoint, project=_moved(checkpoint.project, data_folder))
    threads, device = _machine(checkpoint, path)
    source = make_script(checkpoint, threads, device)
    proof = script_proof.prove(source, checkpoint.project, path, threads, data_folder, tick)
    storage.write_text(target, source)
    return f"Wrote {target}: {proof}"


def _moved(project: Project, place: Path) -> Project:
    """A project with the person's own files at another place."""
    source = project.data.source.at(place.absolute())
    return dataclasses.replace(project, data=dataclasses.replace(project.data, source=source))


def _machine(checkpoint: Checkpoint, path: Path) -> tuple[int, str]:
    """Threads and kind of device of the run to which a checkpoint belongs; if it lies alone, those of a new run."""
    settings = checkpoint.project.training
    record = RunFolder(path.absolute().parent.parent).read_record()
    threads, device = record.get("threads"), str(record.get("device")).partition(":")[0]
    if not isinstance(threads, int) or not 1 <= threads <= 1024 or device not in ("cpu", "cuda", "mps"):
        return thread_count(settings.threads), resolve_device("auto").type
    return threads, device


def make_script(checkpoint: Checkpoint, threads: int, device: str) -> str:
    """The whole file.

    Args:
        threads: how many the run computed with.
        device: what it computed on: "cpu", "cuda" or "mps".

    Raises:
        ExportError: if something in the project cannot be written as code yet, or the person's own files cannot be
            read; the message names it.
    """
    project, plan = checkpoint.project, make_plan(checkpoint.project.graph)
    if reason := _refusal(project):
        raise _without_script(reason)
    loading, scaling, target = _loading(project), _scaling(checkpoint), project.data.spec.target
    answers = _scaled_answers(checkpoint)
    kind = kind_of(target)
    loss = loss_code(loss_of(project.graph.outputs[0], kind, project.training.loss), kind, checkpoint.preparation)
    learning = learning_code(project.training, plan, loss.EXPRESSION if loss else text.LOSSES[kind])
    numbers = {**learning.constants, **(loss.constants if loss else {})}
    constants = _constants(checkpoint, loading, scaling, answers, threads, device, numbers)
    pretrained = bool(_pretrained(plan))
    getting = {"from operator import attrgetter"} if pretrained or list(plan.frozen()) else set()
    cutting = script_tokens.imports(loading.tokens) if loading.tokens else set()
    imports = _imports({*text.IMPORTS, *loading.imports, *cutting, *getting, *source_imports(plan)})
    functions = [
        loading.functions,
        *(script_tokens.functions(loading.tokens) if loading.tokens else []),
        _division(project, loading).functions,
        _prepare(scaling, plan),
        _batches(project.data, learning),
        *(loss.functions if loss else ()),
        *learning.functions,
        *_judging(target, answers, loss, learning, frozen=bool(list(plan.frozen()))),
        *([text.PRETRAINED] if pretrained else []),
        Template(text.OPTIONS).substitute(data=_place(loading)[1]),
    ]
    main = functools.partial(_main, project, plan, loading, learning, "scale_targets" if answers.shift else "")
    taken = _names([imports, constants, *functions, main("model")])
    name = class_name(project.title)
    while name in taken:
        name += "Network"
    top = "\n\n".join([_introduction(name, loading, backbone=has_backbone(plan)).strip("\n"), imports, constants])
    parts = [top, class_source(plan, name, taken), *functions, main(name)]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _loading(project: Project) -> LoadingCode:
    source, reason = project.data.source, ""
    try:
        loading = source.loading_code
    except DataError as error:
        raise ExportError(
            f"The training script must know how your files are written, and they cannot be read: {error} Nothing was "
            "written."
        ) from error
    if loading is None:
        reason = f"how “{source.title}” is loaded"
    elif len(source.spec.inputs) != 1:
        reason = "how several Inputs are filled"
    elif project.data.relabelled:
        reason = "which samples were given another class by hand"
    elif project.data.transforms:
        reason = "what the transforms do to the samples"
    else:
        reason = script_splits.refusal(project.data, loading)
    if loading is None or reason:
        raise _without_script(reason)
    return loading


def _without_script(reason: str) -> ExportError:
    return ExportError(
        f"There is no training script for this run yet: {reason} cannot be written as code so far. Nothing was "
        "written. Export the network alone, as “Python source”."
    )


def _refusal(project: Project) -> str:
    """What of the network or the settings cannot be written as code; empty if all can."""
    if len(project.graph.outputs) > 1:
        return "the sum of the losses of several Outputs"
    if answers_shares(project.graph.outputs[0], project.training.loss):
        return f"the loss “{KLDivergence.title}”"
    settings, usual = project.training, TrainingSettings()
    # How processes share the work is no matter for a script, which is one.
    for name in (name for name in PARTS if name not in ("gradients", "parameters", "spread")):
        if getattr(settings, name) != getattr(usual, name):
            changed = next(iter(differences(usual, replace_fields(usual, **{name: getattr(settings, name)}))))
            return f"the setting “{changed.partition('.')[2].replace('_', ' ')}”"
    return ""


def _place(loading: LoadingCode) -> tuple[str, str]:
    """What `load_data` is called with, and the line that takes it from the command line."""
    if loading.place:
        return "options.data", text.DATA
    return ("options.data_dir", text.DATA_DIR) if loading.takes_folder else ("", "")


def _division(project: Project, loading: LoadingCode) -> script_splits.SplitCode:
    # Only the classes of samples have shares to keep; their labels divide them also where these are not predicted.
    labels = project.data.source.spec.target
    classes = labels.task == "classification" and not labels.dims
    return script_splits.split_code(project.data, loading, classes=classes)


def _batches(choice: DataChoice, learning: LearningCode) -> str:
    shuffled = text.SHUFFLED[choice.balanced]
    return Template(text.BATCHES).substitute(
        text.TARGETS[choice.spec.target.is_input],
        shuffled=shuffled,
        samples_of_epoch=learning.pieces["samples_of_epoch"],
    )


def _scaling(checkpoint: Checkpoint) -> Scaling:
    try:
        return Scaling.from_json(checkpoint.preparation["inputs"][0]["scaling"])
    except (KeyError, IndexError, TypeError, DataError) as error:
        raise ExportError("The checkpoint does not say how its inputs are scaled. Nothing was written.") from error


def _scaled_answers(checkpoint: Checkpoint) -> Scaling:
    """How numbers to predict are scaled; the identity for other targets."""
    try:
        return scaled_answers(checkpoint.preparation)
    except DataError as error:
        raise ExportError("The checkpoint does not say how its targets are scaled. Nothing was written.") from error


def _introduction(name: str, loading: LoadingCode, *, backbone: bool) -> str:
    ours = (["torchvision"] if backbone else []) + (["tokenizers"] if loading.tokens else [])
    *most, last = dict.fromkeys(("NumPy", "PyTorch", *loading.packages, *ours))
    versions = f"NumPy {np.__version__}, PyTorch {torch.__version__}"
    if loading.tokens:
        versions += f", tokenizers {tokenizers.__version__}"
    return Template(text.INTRODUCTION).substitute(
        name=name,
        studio=__version__,
        also=", the vocabulary to tokenizer.json" if loading.tokens else "",
        packages=f"{', '.join(most)} and {last}",
        versions=versions,
    )


def _imports(lines: Iterable[str]) -> str:
    """Import statements in their usual order: the standard library, then what is installed."""
    ordered = sorted(lines, key=lambda line: (line.startswith("from "), line))
    standard = [line for line in ordered if line.split()[1].partition(".")[0] in sys.stdlib_module_names]
    return "\n".join([*standard, "", *(line for line in ordered if line not in standard)])


def _constants(
    checkpoint: Checkpoint, loading: LoadingCode, scaling: Scaling, answers: Scaling, threads: int, device: str,
    learned: Mapping[str, Any],
) -> str:  # fmt: skip
    settings = checkpoint.project.training
    lines = [
        f"SEED = {settings.seed}  # of the weights, of dropout and of the order of the samples",
        f"EPOCHS = {settings.epochs}",
        f"BATCH_SIZE = {settings.batch_size}",
        f'DEVICE = "{device}"',
        f"THREADS = {threads}  # with more or fewer of them, sums are rounded differently",
        "",
        *(_constant(name, value) for name, value in learned.items()),
        "",
    ]
    if frozen := list(make_plan(checkpoint.project.graph).frozen()):
        lines += ["# Parts that stay as they are.", _constant("FROZEN", frozen), ""]
    if loading.place:
        lines += ["# File or folder of the samples.", _constant("DATA", loading.place), ""]
    if loading.tokens:
        lines += [*script_tokens.constants(loading.tokens), ""]
    if pretrained := _pretrained(make_plan(checkpoint.project.graph)):
        lines += ["# Parts that begin with what torchvision’s networks learned on ImageNet.", "PRETRAINED = {"]
        lines += [f"    {literal(path)}: ({', '.join(map(literal, names))})," for path, names in pretrained.items()]
        lines += ["}", ""]
    if (weights := checkpoint.project.weights) is not None:
        lines += [f"STARTING_WEIGHTS = {str(weights.path)!r}  # a checkpoint of the studio", ""]
    if dividing := _division(checkpoint.project, loading).constants:
        lines += [*dividing, ""]
    if _changes(scaling):
        lines += ["# Measured on the training split: inputs become (inputs - SHIFT) * SCALE."]
        lines += [_constant("SHIFT", list(scaling.shift)), _constant("SCALE", list(scaling.scale)), ""]
    if answers.shift:
        lines += ["# Measured on it, too: numbers to predict become (targets - TARGET_SHIFT) * TARGET_SCALE."]
        lines += [_constant("TARGET_SHIFT", list(answers.shift)), _constant("TARGET_SCALE", list(answers.scale)), ""]
    names = [str(name) for name in checkpoint.preparation["names"]]
    return "\n".join([*lines, "# What the answers stand for, in order.", _constant("LABELS", names)])


def _constant(name: str, value: Any) -> str:
    """An assignment; a long list over several lines."""
    if not isinstance(value, list):
        return f"{name} = {literal(value)}"
    items = [literal(item) for item in value]
    line = f"{name} = [{', '.join(items)}]"
    if len(line) <= LINE_LENGTH:
        return line
    return "\n".join([f"{name} = [", *(f"    {item}," for item in items), "]"])


def _pretrained(plan: Plan) -> dict[str, tuple[str, str]]:
    """The network and the weights of torchvision with which parts begin, by the paths of these parts."""
    return {
        path: (dict(layer.arguments)["network"], layer.weights)
        for path, layer in plan.named_layers()
        if isinstance(layer, BackboneSpec) and layer.weights
    }


def _changes(scaling: Scaling) -> bool:
    """Whether it is more than a change of the type."""
    return any(scaling.shift) or any(number != 1.0 for number in scaling.scale)


def _prepare(scaling: Scaling, plan: Plan) -> str:
    dims = plan.inputs[0][1].dims
    lines = [
        "def prepare(inputs: torch.Tensor) -> torch.Tensor:",
        f'    """Raw values (N, {", ".join(map(str, dims))}) as the network takes them."""',
    ]
    if has_images(plan) and len(dims) == 3:
        lines += ["    inputs = inputs.contiguous(memory_format=torch.channels_last)"]
    if not _changes(scaling):
        return "\n".join([*lines, f"    return inputs{'.float()' if scaling.shift else ''}"])
    shape = ", ".join(map(str, scaling.along(len(dims) + 1)))
    return "\n".join(
        [
            *lines,
            f"    shift = torch.tensor(SHIFT, device=inputs.device).view({shape})",
            f"    scale = torch.tensor(SCALE, device=inputs.device).view({shape})",
            "    return (inputs.float() - shift) * scale",
        ]
    )


def _judging(
    target: Target, answers: Scaling, own_loss: LossCode | None, learning: LearningCode, *, frozen: bool
) -> list[str]:
    kind, resting = kind_of(target), text.RESTING if frozen else ""
    along = f".view(1, -1{', 1' * (len(target.answer.dims) - 1)})"
    score = Template(text.SCALED_SCORE).substitute(along=along) if answers.shift else text.SCORES[kind]
    counts = text.SAMPLES if TASKS[kind].weight is None else text.WEIGHTS
    loss = own_loss.EXPRESSION if own_loss else text.LOSSES[kind]
    pieces = {**learning.pieces, **counts, "loss": loss, "metric": TASKS[kind].metric, "resting": resting}
    return [score, Template(text.LOOP).substitute(pieces)]


def _main(
    project: Project, plan: Plan, loading: LoadingCode, learning: LearningCode, scale_targets: str, name: str
) -> str:
    settings, target = project.training, project.data.spec.target
    images, division = has_images(plan), _division(project, loading)
    given, metric = text.TARGETS[target.is_input]["given"], task_of(target).metric
    tests = text.TESTS[settings.test_at_end]
    return Template(text.MAIN).substitute(
        learning.pieces
        | {name: Template(lines).substitute(given=given, metric=metric) for name, lines in tests.items()},
        name=name,
        metric=metric,
        starts="".join(f", {part}" for part in division.loaded),
        divided=division.arguments,
        place=_place(loading)[0],
        loaded="texts" if loading.tokens else "samples",
        tokens=text.TOKENS if loading.tokens else "",
        data=Template(text.TARGETS[target.is_input]["data"]).substitute(
            labels=f"{scale_targets}(torch.from_numpy(labels))" if scale_targets else "torch.from_numpy(labels)"
        ),
        given=given,
        frozen=text.FREEZING if list(plan.frozen()) else "",
        learned=text.LEARNED if _pretrained(plan) else "",
        pretrained=text.STARTING_PRETRAINED if _pretrained(plan) else "",
        starting_weights=text.STARTING_WEIGHTS if project.weights else "",
        memory_format=", memory_format=torch.channels_last" if images else "",
        memory_comment="  # faster convolutions, rounded in their own way" if images else "",
    )


def _names(pieces: Iterable[str]) -> set[str]:
    """Every name that stands in some code."""
    names: set[str] = set()
    for node in ast.walk(ast.parse("\n".join(pieces))):
        match node:
            case ast.Name(id=name) | ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.arg(arg=name):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add(other or name)
    return names
