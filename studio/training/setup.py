"""The network and all it takes to train it, made from a project and its data."""

from __future__ import annotations

import functools
import operator
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from studio.blocks import Output
from studio.compile.layers import BackboneSpec
from studio.compile.network import build_network
from studio.compile.outputs import answers_shares, compared_input, is_of_data, loss_of, main_output, target_of
from studio.compile.plan import Plan, make_plan
from studio.compile.target_kinds import kind_of
from studio.data.base import IGNORED
from studio.data.batches import Batches
from studio.data.dataset import Dataset
from studio.data.scaling import IDENTITY
from studio.graph import Node
from studio.project import Project
from studio.runs import RunFolder
from studio.settings import Loss, TrainingSettings
from studio.settings.losses import ByTask, CrossEntropy
from studio.training.averaging import Averager
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.keeper import Keeper
from studio.training.loop import Trainer
from studio.training.losses import loss_function, weights_of
from studio.training.metrics import subject_of
from studio.training.mixing import Mixer, check_mixing
from studio.training.optimizers import make_optimizer
from studio.training.outputs import Outputs, Part
from studio.training.preparation import describe_preparation
from studio.training.speed import LAYOUTS, Choices, set_by_hand
from studio.training.starting_weights import FirstWeights, read_first_weights
from studio.training.stepping import SeveralStepper, Stepper
from studio.training.stopping import Watch, check_watched
from studio.training.tasks import Task, task_of


def make_trainer(
    project: Project, dataset: Dataset, folder: RunFolder, device: torch.device, control: Control,
    weights: FirstWeights | None = None, choices: Choices | None = None,
) -> Trainer:  # fmt: skip
    """The network with fresh weights from the project's seed, and all it takes to train it.

    Args:
        weights: what takes the place of fresh ones; None to read what the project says.
        choices: how the steps are computed; None for what the settings say, with nothing measured.

    Raises:
        TrainingError: if the weights are to be read and are not there.
        CompileError: if the graph cannot become a network.
    """
    settings, plan = project.training, make_plan(project.graph)
    first = weights or read_first_weights(project, plan)
    torch.manual_seed(settings.seed)
    choices = choices or set_by_hand(settings, device, images=has_images(plan), outputs=len(plan.outputs))
    channels_last = choices.layout == "channels last"
    model: nn.Module = build_network(plan)
    model.load_state_dict(first.tensors, strict=False)
    frozen = _freeze(model, plan)
    model = model.to(device)
    model = model.to(memory_format=LAYOUTS[choices.layout])  # the same mathematics, faster convolutions
    task = task_for(project, dataset, device)
    batches = make_batches(dataset, settings.batch_size, device, channels_last, choices.prefetch)
    trainer = Trainer(
        stepper=_stepper(
            task,
            model=model,
            optimizer=make_optimizer(settings, model, plan, device),
            loss=task.loss,
            settings=settings,
            epochs=settings.epochs,
            samples=batches["train"].samples,
            device=device.type,
            choices=choices,
        ),
        task=task,
        batches=batches,
        shuffle=torch.Generator().manual_seed(settings.seed),
        keeper=Keeper(folder, project, _preparation(project, dataset, plan)),
        control=control,
        frozen=frozen,
        subject=subject_of(dataset, shares=main_task(task).shares),
        watch=Watch(settings.stopping, "loss" if task.outputs is None else task.outputs.main_loss),
    )
    _add_parts(trainer)
    return trainer


def _add_parts(trainer: Trainer) -> None:
    """Averages of the weights and mixed batches, where they are wanted."""
    stepper = trainer.stepper
    averaging, mixing = stepper.settings.averaging, stepper.settings.mixing
    if averaging.method != "off":
        trainer.averager = Averager(averaging, stepper.model, stepper.epochs, trainer.frozen)
        stepper.moved = trainer.averager.after_step
    if mixing.method != "off":
        trainer.mixer = Mixer(mixing, stepper.settings.seed, stepper.loss)
        stepper.loss = trainer.mixer.loss


def check_settings(settings: TrainingSettings, dataset: Dataset) -> None:
    """Whether the settings can be used on the data.

    Raises:
        TrainingError: if one cannot, and why.
    """
    check_watched(settings.stopping, subject_of(dataset).names)
    check_mixing(settings.mixing, dataset.spec)


def _freeze(model: nn.Module, plan: Plan) -> tuple[nn.Module, ...]:
    """Take gradients from what shall not learn; gives the modules among it.

    Raises:
        TrainingError: if nothing is left to learn.
    """
    parts = [operator.attrgetter(path)(model) for path in plan.frozen()]
    for part in parts:
        part.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise TrainingError("The network has nothing to learn: every block with weights is frozen. Unfreeze one.")
    return tuple(part for part in parts if isinstance(part, nn.Module))


def _stepper(task: Task, **about: Any) -> Stepper:
    """What does the steps of a network with one Output, or with several."""
    return Stepper(**about) if task.outputs is None else SeveralStepper(**about, outputs=task.outputs)


def task_for(project: Project, dataset: Dataset, device: torch.device) -> Task:
    """How the answers of a network are compared with what they are to be, with the losses that were chosen.

    Raises:
        TrainingError: if a loss is not made for its target.
    """
    nodes, usual = project.graph.outputs, project.training.loss
    tasks = [_task_of_output(node, usual, dataset, device) for node in nodes]
    if len(nodes) == 1:
        return tasks[0]
    parts = tuple(_part(node, task, usual, dataset, device) for node, task in zip(nodes, tasks, strict=True))
    entering = compared_input(dataset.spec) if any(part.of_input for part in parts) else None
    outputs = Outputs(parts, main_output(nodes), entering)
    return replace(tasks[outputs.main], loss=outputs.loss, outputs=outputs)


def main_task(task: Task) -> Task:
    """How the answers of the main Output alone are compared."""
    return task if task.outputs is None else task.outputs.parts[task.outputs.main].task


def _task_of_output(node: Node, usual: Loss, dataset: Dataset, device: torch.device) -> Task:
    target = target_of(node, dataset.spec)
    assert target is not None
    answers = dataset.answers if is_of_data(node) else IDENTITY
    loss = loss_of(node, kind_of(target), usual)
    if isinstance(loss, ByTask):
        return task_of(target, answers)
    weights = weights_of(loss, dataset)
    made = loss_function(loss, kind_of(target), None if weights is None else weights.to(device))
    return task_of(target, answers, made, shares=answers_shares(node, usual))


def _part(node: Node, task: Task, usual: Loss, dataset: Dataset, device: torch.device) -> Part:
    assert isinstance(node.block, Output)
    target = target_of(node, dataset.spec)
    assert target is not None
    loss, weigh = loss_of(node, kind_of(target), usual), task.weight
    if isinstance(loss, CrossEntropy) and (weights := weights_of(loss, dataset)) is not None:
        weigh = functools.partial(weight_of_classes, weights.to(device))
    # Where the target of the data is the input, the batches have it as their targets already.
    of_input = not is_of_data(node) and not dataset.spec.target.is_input
    return Part(node.name, task, node.block.weight, of_input, weigh)


def weight_of_classes(weights_K: Tensor, targets: Tensor) -> Tensor:
    """What the targets (N, ...) of a batch count () in a mean that counts some classes more than others."""
    return weights_K[targets[targets != IGNORED]].sum()


def _preparation(project: Project, dataset: Dataset, plan: Plan) -> dict[str, Any]:
    """What a checkpoint says of the data; with the weights of classes, of which a training script can know nothing."""
    main = project.graph.outputs[main_output(project.graph.outputs)]
    weights = weights_of(loss_of(main, kind_of(dataset.spec.target), project.training.loss), dataset)
    known = {} if weights is None else {"loss_weights": weights.tolist()}
    shares = {"shares": True} if answers_shares(main, project.training.loss) else {}
    return {**describe_preparation(dataset, plan), **known, **shares}


def has_images(plan: Plan) -> bool:
    """Whether the network has 2-D convolutions, which are faster with the channels last in memory."""
    return any(layer.class_name == "Conv2d" or isinstance(layer, BackboneSpec) for layer in plan.layers())


def make_batches(
    dataset: Dataset, batch_size: int, device: torch.device, channels_last: bool, ahead: bool = False
) -> dict[str, Batches]:
    """The batches of every split; those that only measure are larger, since they keep nothing for a backward pass."""
    sizes = {"train": batch_size, "validation": 4 * batch_size, "test": 4 * batch_size}
    return {split: Batches(dataset, split, size, device, channels_last, ahead) for split, size in sizes.items()}
