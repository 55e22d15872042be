"""Transforms of training samples: what they draw, what they do, and that they do it to each sample alone."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms.v2 import functional as reference

from studio.data.transforms import Transform, kernels, registry
from studio.data.transforms.augmentation import Augmentation
from studio.data.transforms.base import unusable, usable_kinds
from studio.data.transforms.draws import Draws
from studio.data.transforms.pictures import (
    ColourJitter,
    FlipHorizontally,
    FlipVertically,
    RandomRotation,
    RandomShift,
)
from studio.tensors import TensorSpec

SPECS = {
    "CHW": TensorSpec((3, 12, 10), "CHW"),
    "T": TensorSpec((20, 4), "TD"),
    "CT": TensorSpec((2, 50), "CT"),
    "D": TensorSpec((6,), "D"),
    "L": TensorSpec((15,), "L", "int"),
}


def draws(samples: list[int], seed: int = 0, epoch: int = 1, transform: int = 0) -> Draws:
    return Draws(seed, epoch, torch.tensor(samples), transform)


def batch(spec: TensorSpec, samples: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(5)
    if spec.dtype == "int":
        x = torch.randint(2, 90, (samples, *spec.dims), generator=generator)
        x[:, 11:] = 0
        return x
    if spec.axes == "CHW":
        return torch.randint(256, (samples, *spec.dims), generator=generator, dtype=torch.uint8)
    return torch.randn(samples, *spec.dims, generator=generator)


def usual(kind: type[Transform]) -> torch.Tensor:
    return batch(SPECS[kind.axes[0]])


def test_draws_are_those_of_the_reference() -> None:
    wrap = 2**64 - 1

    def mix(key: int) -> int:
        key = ((key ^ (key >> 30)) * 0xBF58476D1CE4E5B9) & wrap
        key = ((key ^ (key >> 27)) * 0x94D049BB133111EB) & wrap
        return key ^ (key >> 31)

    golden = 0x9E3779B97F4A7C15
    start = 0
    for part in (7, 3, 2):  # seed, epoch, transform
        start = mix(((start ^ part) + golden) & wrap)
    wanted = [mix((mix(sample ^ start) + golden) & wrap) >> 40 for sample in (0, 5, 999)]
    given = draws([0, 5, 999], seed=7, epoch=3, transform=2).uniform()
    assert given.tolist() == [value / 2**24 for value in wanted]


def test_draws_are_even_and_depend_on_all_there_is() -> None:
    samples = list(range(20_000))
    first = draws(samples)
    values, again = first.uniform(), first.uniform()
    assert float(values.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(values.var(correction=0)) == pytest.approx(1 / 12, abs=0.003)
    others = [draws(samples, seed=1), draws(samples, epoch=2), draws(samples, transform=1)]
    for other in (again, *[other.uniform() for other in others]):
        assert abs(float(torch.corrcoef(torch.stack([values, other]))[0, 1])) < 0.03
    whole = draws(samples).whole(-2, 2) + 2
    assert whole.bincount().tolist() == pytest.approx([4_000] * 5, rel=0.06)
    normal = draws(samples[:200]).normal(100)
    assert float(normal.mean()) == pytest.approx(0, abs=0.02)
    assert float(normal.std()) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("kind", registry.kinds())
def test_a_sample_is_changed_alike_in_any_batch(kind: str) -> None:
    transform = registry.get(kind)()
    x = usual(type(transform))
    before = x.clone()
    whole = transform.apply(x, draws(list(range(8))))
    assert torch.equal(x, before)
    assert whole.shape == x.shape
    order = [5, 2, 7]
    part = transform.apply(x[order], draws(order))
    assert torch.allclose(part.float(), whole[order].float(), atol=1e-4)
    assert torch.equal(whole, transform.apply(x, draws(list(range(8)))))
    assert not torch.equal(whole, transform.apply(x, draws(list(range(8)), epoch=2)))


@pytest.mark.parametrize("kind", registry.kinds())
def test_it_is_offered_for_its_own_inputs_alone(kind: str) -> None:
    transform = registry.get(kind)()
    for axes, spec in SPECS.items():
        refusal = transform.refusal(spec)
        assert (refusal == "") == (axes in transform.axes)
        assert transform.title in refusal or not refusal
        assert (type(transform) in usable_kinds(spec)) == (not refusal)
    assert unusable([transform], [TensorSpec((2, 3, 4, 5), "CDHW")])


@pytest.mark.parametrize("kind", [kind.kind for kind in registry if kind.geometric])
def test_classes_of_pixels_move_with_the_pixels(kind: str) -> None:
    transform = registry.get(kind)()
    rows = torch.arange(12)[:, None] // 4
    classes = (rows * 3 + torch.arange(9)[None] // 3).expand(8, 12, 9)
    picture = (classes[:, None] * 20).to(torch.uint8)
    moved = transform.apply(picture, draws(list(range(8)))).float() / 20
    places = transform.apply_to_places(classes, draws(list(range(8))))
    assert places.dtype == torch.int64
    assert not torch.equal(places, classes)
    # Where a bilinear look falls between two classes, they cannot agree; nearly everywhere else they do.
    assert float(((moved[:, 0] - places).abs() < 0.5).float().mean()) > 0.8


def test_flips_and_shifts() -> None:
    x = batch(SPECS["CHW"], 3)
    which = torch.tensor([True, False, True])
    assert torch.equal(kernels.flip(x, which, -1)[0], x[0].flip(-1))
    assert torch.equal(kernels.flip(x, which, -1)[1], x[1])
    down, right = torch.tensor([2, 0, -3]), torch.tensor([0, -1, 4])
    shifted = kernels.shift(x, down, right)
    assert torch.equal(shifted[0, :, 2:], x[0, :, :-2])
    assert torch.equal(shifted[0, :, 0], x[0, :, 2])  # mirrored at the edge, which is not repeated
    assert torch.equal(shifted[1, :, :, :-1], x[1, :, :, 1:])
    assert torch.equal(shifted[2, :, :-3, 4:], x[2, :, 3:, :-4])
    far = kernels.shift(x, torch.full((3,), 500), torch.full((3,), -500))
    assert far.shape == x.shape


def test_turns_match_those_by_hand() -> None:
    x = batch(TensorSpec((3, 9, 9), "CHW"), 2).float()
    zero, one = torch.zeros(2), torch.ones(2)
    quarter = kernels.warp(x, kernels.turned(9, 9, torch.tensor([90.0, -90.0]), one, zero, zero), "bilinear")
    assert torch.allclose(quarter[0], torch.rot90(x[0], 1, (1, 2)), atol=1e-2)
    assert torch.allclose(quarter[1], torch.rot90(x[1], -1, (1, 2)), atol=1e-2)
    wide = batch(TensorSpec((1, 8, 16), "CHW"), 1).float()
    same = kernels.warp(wide, kernels.turned(8, 16, zero[:1], one[:1], zero[:1], zero[:1]), "bilinear")
    assert torch.allclose(same, wide, atol=1e-3)
    moved = kernels.warp(wide, kernels.turned(8, 16, zero[:1], one[:1], one[:1] / 4, zero[:1]), "bilinear")
    assert torch.allclose(moved[..., 4:], wide[..., :-4], atol=1e-2)
    angle = torch.tensor([30.0])
    turned = kernels.warp(wide, kernels.turned(8, 16, angle, one[:1], zero[:1], zero[:1]), "bilinear")
    wanted = reference.rotate(wide, 30.0, interpolation=reference.InterpolationMode.BILINEAR)
    assert torch.allclose(turned[..., 3:5, 6:10], wanted[..., 3:5, 6:10], atol=1.0)  # of 255; far from the edges


def test_a_crop_fills_the_picture() -> None:
    x = batch(TensorSpec((3, 16, 16), "CHW"), 1).float()
    half, quarter = torch.full((1,), 0.5), torch.full((1,), 0.25)
    shown = kernels.warp(x, kernels.cropped(quarter, quarter, half, half), "bilinear")
    wanted = torch.nn.functional.interpolate(x[..., 4:12, 4:12], size=16, mode="bilinear")
    assert torch.allclose(shown[..., 1:-1, 1:-1], wanted[..., 1:-1, 1:-1], atol=1e-2)


def test_colours_match_torchvision() -> None:
    x = 100 + batch(SPECS["CHW"], 2).float() / 5  # so that nothing has to be cut off
    amounts, one, zero = torch.tensor([0.6, 1.3]), torch.ones(2), torch.zeros(2)
    bright = kernels.recolour(x, amounts, one, one, zero)
    contrast = kernels.recolour(x, one, amounts, one, zero)
    colourful = kernels.recolour(x, one, one, amounts, zero)
    all_of_it = kernels.recolour(x, amounts, amounts, amounts, zero)
    for number, amount in enumerate(amounts.tolist()):
        picture = x[number] / 255
        assert torch.allclose(bright[number] / 255, reference.adjust_brightness(picture, amount), atol=1e-4)
        assert torch.allclose(contrast[number] / 255, reference.adjust_contrast(picture, amount), atol=1e-4)
        assert torch.allclose(colourful[number] / 255, reference.adjust_saturation(picture, amount), atol=1e-4)
        for adjust in (reference.adjust_brightness, reference.adjust_contrast, reference.adjust_saturation):
            picture = adjust(picture, amount)
        assert torch.allclose(all_of_it[number] / 255, picture, atol=1e-4)
    single = kernels.recolour(x[:, :1], one, amounts, one, zero)
    assert torch.allclose(single[0] / 255, reference.adjust_contrast(x[0, :1] / 255, 0.6), atol=1e-4)


def test_a_turned_hue_keeps_the_brightness_and_comes_round() -> None:
    x, one = batch(SPECS["CHW"], 2).float(), torch.ones(2)
    turns = torch.tensor([0.3, 0.5])
    turned = kernels.recolour(x, one, one, one, turns)
    assert torch.allclose(kernels.grey(turned), kernels.grey(x), atol=1e-2)
    assert not torch.allclose(turned, x, atol=5)
    assert torch.allclose(kernels.recolour(turned, one, one, one, -turns), x, atol=1e-2)
    assert torch.allclose(kernels.recolour(x[:, :1], one, one, one, turns), x[:, :1])


def test_moves_are_looked_up_at_once_and_mean_the_same() -> None:
    """Flip, shift and flip again as one affine map, against one after the other."""
    x = batch(SPECS["CHW"]).float()
    samples = torch.arange(8)
    exact = (FlipHorizontally(), RandomShift(pixels=2), FlipVertically())
    still = RandomRotation(degrees=0.0)
    one_by_one = Augmentation(exact, 3, 1).before_scaling(x, samples)
    at_once = Augmentation((*exact, still), 3, 1).before_scaling(x, samples)
    inner = (slice(None), slice(None), slice(3, -3), slice(3, -3))  # the edges are mirrored in another way
    assert torch.allclose(at_once[inner], one_by_one[inner], atol=1e-2)
    assert not torch.allclose(one_by_one[inner], x[inner], atol=1e-2)


def test_classes_of_pixels_follow_a_whole_list() -> None:
    classes = (torch.arange(16)[:, None] // 8 * 2 + torch.arange(16)[None] // 8).expand(8, 16, 16)
    picture = (classes[:, None] * 50).to(torch.uint8)
    transforms = (FlipHorizontally(), ColourJitter(brightness=0.0, contrast=0.0), RandomRotation(degrees=20.0),
                  RandomShift(pixels=2))  # fmt: skip
    given = Augmentation(transforms, 0, 4)
    moved = given.before_scaling(picture, torch.arange(8)) / 50
    places = given.of_places(classes, torch.arange(8))
    assert not torch.equal(places, classes)
    assert float(((moved[:, 0] - places).abs() < 0.5).float().mean()) > 0.85


def test_what_comes_after_scaling_waits_for_it() -> None:
    x, samples = batch(SPECS["D"]), torch.arange(8)
    noise = Augmentation((registry.get("table_noise")(),), 0, 1)
    assert torch.equal(noise.before_scaling(x, samples), x)
    assert not torch.equal(noise.after_scaling(x, samples), x)


def test_blur_matches_torchvision() -> None:
    x = batch(TensorSpec((3, 30, 30), "CHW"), 2).float()
    blurred = kernels.blur(x, torch.tensor([0.7, 2.0]))
    for number, sigma in enumerate((0.7, 2.0)):
        wanted = reference.gaussian_blur(x[number], kernel_size=[13, 13], sigma=[sigma, sigma])
        assert torch.allclose(blurred[number], wanted, atol=0.05)
    assert kernels.blur(x[..., :1, :1], torch.ones(2)).shape == (2, 3, 1, 1)


def test_what_is_erased_is_a_rectangle_of_the_wanted_size() -> None:
    x = torch.arange(2.0 * 100).view(2, 1, 10, 10)
    half, one = torch.full((2,), 0.5), torch.ones(2)
    erased = kernels.erase(x, torch.tensor([True, False]), torch.full((2,), 0.25), one, half, half)
    assert int((erased[0] != x[0]).sum()) == 25
    assert torch.equal(erased[1], x[1])


@pytest.mark.parametrize("kind", ["token_dropout", "token_swap"])
def test_padding_stays_padding(kind: str) -> None:
    transform = registry.get(kind)(share=0.9)
    x = usual(type(transform))
    changed = transform.apply(x, draws(list(range(8))))
    assert torch.equal(changed == 0, x == 0)
    if kind == "token_swap":
        assert torch.equal(changed.sort(1).values, x.sort(1).values)
    else:
        assert float((changed[:, :11] == 1).float().mean()) == pytest.approx(0.9, abs=0.12)


def test_nothing_happens_where_the_chance_is_zero() -> None:
    x = batch(SPECS["CHW"])
    for kind in registry:
        if "chance" in kind._parts:
            assert torch.equal(kind(chance=0.0).apply(x, draws(list(range(8)))).float(), x.float())


def test_constant_samples_survive_everything() -> None:
    for kind in registry:
        x = torch.zeros_like(usual(kind))
        assert bool(torch.isfinite(kind().apply(x, draws(list(range(8)))).float()).all()), kind


@pytest.mark.parametrize("size", [1, 2])
def test_tiny_pictures_survive_everything(size: int) -> None:
    x = torch.full((4, 1, size, size), 9, dtype=torch.uint8)
    for kind in registry:
        if "CHW" in kind.axes:
            assert kind().apply(x, draws([0, 1, 2, 3])).shape == x.shape
