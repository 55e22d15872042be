"""Averaged weights: the same as torch's own averages, and the network trains on as if there were none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from studio.data.dataset import prepare
from studio.runs import RunFolder
from studio.settings import optimizers
from studio.settings.parts import Averaging, Gradients, Mixing
from studio.training.averaging import Averager
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.setup import make_trainer
from studio.training.speed import Choices, whole_step_refusal
from tests.training.conftest import with_settings


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2))


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> None:
    for _ in range(count):
        model.train()
        optimizer.zero_grad()
        model(torch.randn(8, 3)).square().sum().backward()
        optimizer.step()


def test_ema_is_that_of_torch_with_a_shorter_memory_at_first() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    averager = Averager(Averaging(method="ema", decay=0.9), model, epochs=1)
    optimizer.register_step_post_hook(lambda *_: averager.after_step())

    def mean(kept: torch.Tensor, new: torch.Tensor, count: torch.Tensor | int) -> torch.Tensor:
        decay = min(0.9, (1 + int(count)) / (10 + int(count)))
        return decay * kept + (1 - decay) * new

    other = AveragedModel(model, avg_fn=mean)
    for _ in range(150):
        steps(model, optimizer, 1)
        other.update_parameters(model)
    for name, parameter in other.module.named_parameters():
        torch.testing.assert_close(averager.weights()[name], parameter.detach())


def test_ema_waits_for_its_first_step() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    averager = Averager(Averaging(method="ema", from_step=5), model, epochs=1)
    optimizer.register_step_post_hook(lambda *_: averager.after_step())
    steps(model, optimizer, 5)
    assert not averager.active
    steps(model, optimizer, 1)
    assert averager.active
    assert torch.equal(averager.weights()["0.weight"], model[0].weight)


def test_swa_is_that_of_torch_with_norms_of_its_own() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    averager, other = Averager(Averaging(method="swa", last_share=0.3), model, epochs=10), AveragedModel(model)
    for epoch in range(1, 11):
        steps(model, optimizer, 3)
        averager.end_epoch(epoch)
        assert averager.active == (epoch > 7)
        if epoch > 7:
            other.update_parameters(model)
    batches = [((torch.randn(16, 3),), torch.zeros(16)) for _ in range(4)]
    update_bn([inputs[0] for inputs, _ in batches], other)
    own = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with averager.applied():
        assert averager.measures_norms
        for _ in averager.measure_norms(batches):
            pass
        model.eval()
        answers = model(torch.ones(2, 3))
    torch.testing.assert_close(answers, other.module.eval()(torch.ones(2, 3)))
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, own[name]), name


def test_an_average_goes_on_where_it_was() -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = Averager(Averaging(method="ema"), model, epochs=1)
    optimizer.register_step_post_hook(lambda *_: first.after_step())
    steps(model, optimizer, 5)
    second = Averager(Averaging(method="ema"), model, epochs=1)
    second.load_state_dict(first.state_dict())
    optimizer.register_step_post_hook(lambda *_: second.after_step())
    steps(model, optimizer, 5)
    assert all(torch.equal(second.weights()[name], mean) for name, mean in first.weights().items())


@pytest.mark.parametrize(
    ("optimizer", "accumulate"), [("adam", 1), ("adam", 4), ("sgd", 1), ("rmsprop", 1), ("lbfgs", 1)]
)
def test_every_step_of_the_optimizer_counts(optimizer: str, accumulate: int, tmp_path: Path) -> None:
    project = with_settings(
        "iris-mlp", epochs=2, batch_size=10, averaging=Averaging(method="ema"), optimizer=optimizers.get(optimizer)(),
        gradients=Gradients(accumulate=accumulate),
    )  # fmt: skip
    folder = RunFolder.create(tmp_path / "run", project)
    trainer = make_trainer(project, prepare(project.data), folder, torch.device("cpu"), Control())
    for _ in trainer.train():
        pass
    trainer.keeper.close()
    assert trainer.averager is not None
    per_epoch = -(-len(trainer.batches["train"]) // accumulate)
    assert trainer.averager.count == (2 * per_epoch if accumulate > 1 else trainer.step) > 10 // accumulate


def test_mixed_samples_are_no_compiled_step() -> None:
    settings = with_settings("iris-mlp", mixing=Mixing(method="mixup")).training
    assert "mixed" in whole_step_refusal(settings, Choices(), torch.device("cpu"))


@pytest.mark.parametrize("method", ["ema", "swa"])
def test_a_run_is_judged_by_the_average_and_trains_on_without(train, method: str) -> None:
    plain, _ = train(with_settings("digits-cnn", epochs=2))
    averaged, _ = train(with_settings("digits-cnn", epochs=2, averaging=Averaging(method=method, last_share=1.0)))

    def weights(finished, name: str) -> dict[str, torch.Tensor]:
        return read_checkpoint(Path(finished.run) / "checkpoints" / f"{name}.pt").model

    last = weights(plain, "last")
    assert all(torch.equal(last[name], tensor) for name, tensor in weights(averaged, "last").items())
    assert not all(torch.equal(last[name], tensor) for name, tensor in weights(averaged, "best").items())
    best = read_checkpoint(Path(averaged.checkpoint))
    assert averaged.metrics["validation"] == pytest.approx(best.metrics, abs=1e-6)
