"""Mixed samples: drawn from counters, the loss mixed alike, refused where nothing can be mixed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from studio.settings.parts import Mixing
from studio.training.checkpoint import read_checkpoint
from studio.training.errors import TrainingError
from studio.training.mixing import Mixer
from tests.training.conftest import with_settings


def test_mixup_mixes_samples_and_losses_by_the_same_share() -> None:
    mixer = Mixer(Mixing(method="mixup", strength=1.0), 3, functional.cross_entropy)
    x = torch.eye(6)
    (mixed,) = mixer.mix((x,), epoch=2, step=40)
    shares = mixed.diagonal()
    share = shares[0].item()
    assert 0.5 <= share < 1.0
    torch.testing.assert_close(shares, torch.full((6,), share))
    partner = (mixed - torch.diag(shares)).argmax(1)
    assert (partner != torch.arange(6)).all()
    torch.testing.assert_close(mixed, share * x + (1 - share) * x[partner])
    answers, targets = torch.randn(6, 4), torch.tensor([0, 1, 2, 3, 0, 1])
    probable = share * functional.one_hot(targets, 4) + (1 - share) * functional.one_hot(targets[partner], 4)
    torch.testing.assert_close(mixer.loss(answers, targets), functional.cross_entropy(answers, probable))


def test_cutmix_puts_a_rectangle_of_one_picture_into_another() -> None:
    mixer = Mixer(Mixing(method="cutmix", strength=1.0), 0, functional.cross_entropy)
    x = torch.arange(5.0).view(5, 1, 1, 1).expand(5, 2, 12, 10).contiguous()
    sizes = set()
    for step in range(20):
        (mixed,) = mixer.mix((x,), epoch=1, step=step)
        foreign = mixed != x
        assert (foreign == foreign[:1]).all()
        rows, columns = foreign[0, 0].any(1).sum(), foreign[0, 0].any(0).sum()
        assert foreign[0, 0].sum() == rows * columns <= 60, "at most half of it: the own class is the larger part"
        sizes.add(int(rows * columns))
        loss = mixer.loss(torch.eye(5), torch.arange(5))
        share = 1 - int(rows * columns) / 120
        wanted = share * torch.eye(5)
        if rows * columns:
            wanted += (1 - share) * torch.eye(5)[mixed[:, 0][foreign[:, 0]].view(5, -1)[:, 0].long()]
        torch.testing.assert_close(loss, functional.cross_entropy(torch.eye(5), wanted))
    assert len(sizes) > 5


def test_draws_depend_on_seed_epoch_and_step_alone() -> None:
    def mixed(seed: int, epoch: int, step: int) -> torch.Tensor:
        mixer = Mixer(Mixing(method="mixup", strength=1.0), seed, functional.cross_entropy)
        return mixer.mix((torch.eye(9),), epoch, step)[0]

    assert torch.equal(mixed(0, 1, 5), mixed(0, 1, 5))
    others = [mixed(1, 1, 5), mixed(0, 2, 5), mixed(0, 1, 6)]
    assert not any(torch.equal(mixed(0, 1, 5), other) for other in others)


def test_a_single_sample_stays_as_it_is() -> None:
    mixer = Mixer(Mixing(method="mixup"), 0, functional.cross_entropy)
    mixer.mix((torch.eye(3),), 1, 0)
    (alone,) = mixer.mix((torch.ones(1, 3),), 1, 1)
    assert torch.equal(alone, torch.ones(1, 3))
    answers, target = torch.randn(1, 4), torch.tensor([2])
    assert mixer.loss(answers, target) == functional.cross_entropy(answers, target)


@pytest.mark.parametrize("method", ["mixup", "either"])
def test_a_run_with_mixed_samples_repeats_exactly(train, method: str) -> None:
    project = with_settings("digits-cnn", epochs=2, mixing=Mixing(method=method))
    runs = [train(project)[0], train(project)[0], train(with_settings("digits-cnn", epochs=2))[0]]
    first, second, plain = (read_checkpoint(Path(run.checkpoint)).model for run in runs)
    assert all(torch.equal(first[name], tensor) for name, tensor in second.items())
    assert not all(torch.equal(first[name], tensor) for name, tensor in plain.items())
    assert runs[0].metrics["test"]["accuracy"] > 0.85


@pytest.mark.parametrize(
    ("template", "method", "reason"),
    [
        ("digits-autoencoder", "mixup", "one class each"),
        ("shapes-unet", "cutmix", "one class each"),
        ("iris-mlp", "cutmix", "Mixup works"),
    ],
)
def test_what_cannot_be_mixed_is_refused(train, template: str, method: str, reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        train(with_settings(template, epochs=1, mixing=Mixing(method=method)))
