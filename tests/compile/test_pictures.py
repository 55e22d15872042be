from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from studio.compile.pictures import BAR_HEIGHT, MAX_IMAGE, MAX_SIDE, ZERO, class_picture, picture


def test_a_colour_photo_keeps_its_colours() -> None:
    photo = torch.zeros(3, 4, 6)
    photo[0, 0, 0] = 1.0
    made = picture(photo, image=True)
    assert made.pixels.shape == (4, 6, 3)
    assert made.pixels[0, 0].tolist() == [255, 0, 0]
    assert not made.signed


def test_a_grey_image_goes_from_its_darkest_to_its_brightest() -> None:
    made = picture(torch.tensor([[[-2.0, 0.0], [1.0, 2.0]]]), image=True)
    assert made.pixels.tolist() == [[0, 128], [191, 255]]
    assert (made.low, made.high, made.caption) == (-2.0, 2.0, "image")


def test_zero_keeps_its_shade_where_there_are_both_signs() -> None:
    made = picture(torch.tensor([[[-4.0, 0.0], [1.0, 2.0]]]))
    assert made.signed
    assert made.pixels.tolist() == [[1, ZERO], [160, 192]]


def test_maps_stand_side_by_side() -> None:
    maps = torch.zeros(4, 5, 5)
    maps[3] = 1.0
    made = picture(maps)
    assert made.pixels.shape == (11, 11)
    assert made.pixels[6:, 6:].min() == 255
    assert (made.pixels == 255).sum() == 25
    assert (made.pixels == ZERO).sum() == 121 - 25
    assert made.caption == "4 feature maps"


def test_of_many_large_maps_the_first_are_shown_small() -> None:
    made = picture(torch.rand(100, 200, 200))
    assert made.caption == "16 of 100 feature maps"
    assert made.pixels.shape == (4 * (MAX_SIDE + 1) - 1,) * 2


def test_a_sequence_is_a_sheet_of_its_numbers() -> None:
    made = picture(torch.arange(6.0).reshape(2, 3) + 1)
    assert made.pixels.tolist() == [[0, 51, 102], [153, 204, 255]]
    assert made.caption == "2 × 3 values"
    assert picture(torch.rand(500, 300)).pixels.shape == (MAX_IMAGE, MAX_IMAGE)


def test_a_short_vector_is_bars_from_zero() -> None:
    made = picture(torch.tensor([1.0, -1.0]))
    first, second = made.pixels[:, 0], made.pixels[:, BAR_HEIGHT // 2 + 2]
    middle = (BAR_HEIGHT - 1) // 2
    assert first[0] == 255
    assert first[-1] == ZERO
    assert second[-1] == 1
    assert second[0] == ZERO
    assert (first[middle] != ZERO) == (second[middle + 1] != ZERO)


def test_a_bar_is_as_high_as_its_value() -> None:
    made = picture(torch.tensor([1.0, 0.5, 0.25, 0.0]))
    heights = [int((made.pixels[:, 16 * n] > ZERO).sum()) for n in range(4)]
    assert heights == pytest.approx([64, 32, 16, 0], abs=1)


def test_a_long_vector_is_a_square() -> None:
    made = picture(torch.arange(100.0) + 1)
    assert made.pixels.shape == (10, 10)
    assert made.pixels[0, 0] == 0
    assert made.pixels[9, 9] == 255
    assert picture(torch.arange(70.0) + 1).pixels.shape == (8, 9)


@pytest.mark.parametrize("shape", [(1,), (64,), (65,), (3, 4), (1, 1), (2, 3, 4), (2, 2, 3, 4), (1, 1, 1)])
@pytest.mark.parametrize("value", [0.0, 1.0, -3.0, 1e38, math.nan, math.inf])
def test_any_tensor_has_a_picture(shape: tuple[int, ...], value: float) -> None:
    made = picture(torch.full(shape, value))
    assert made.pixels.dtype == np.uint8
    assert min(made.pixels.shape) >= 1
    assert made.broken == (0 if math.isfinite(value) else math.prod(shape))
    assert made.pixels.flags.c_contiguous


def test_tokens_are_numbers_too() -> None:
    made = picture(torch.tensor([3, 1, 2]))
    assert (made.low, made.high) == (1.0, 3.0)


def test_what_is_no_number_does_not_hide_the_rest() -> None:
    made = picture(torch.tensor([[1.0, math.nan], [3.0, math.inf]]))
    assert (made.broken, made.low, made.high) == (2, 0.0, 3.0)
    assert made.pixels.tolist() == [[170, ZERO], [255, ZERO]]


def test_what_a_relu_cut_off_has_the_shade_of_zero() -> None:
    made = picture(torch.tensor([[0.0, 2.0]]))
    assert made.signed
    assert made.pixels.tolist() == [[ZERO, 255]]


def test_features_that_enter_a_network_are_no_image() -> None:
    assert picture(torch.tensor([1.0, -1.0]), image=True).signed


def test_answered_classes_stand_beside_the_true_ones() -> None:
    scores = torch.tensor([[[5.0, 0.0]], [[0.0, 1.0]], [[0.0, 0.0]], [[0.0, 9.0]]])  # 4 classes of 1 × 2 pixels
    made = class_picture(scores, torch.tensor([[2, 1]]))
    assert made.pixels.tolist() == [[0, 255, ZERO, 170, 85]]
    assert (made.signed, made.low, made.high) == (False, 0.0, 3.0)
    assert class_picture(torch.zeros(4, 200, 100), torch.zeros(200, 100)).pixels.shape == (67, 69)
