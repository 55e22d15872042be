"""Almost the same: found whatever the order, and nothing else taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from studio.data import near


def nothing() -> None:
    """No wish to end the search."""


def smooth(count: int, seed: int = 0, side: int = 32) -> np.ndarray:
    """Pictures (N, 3, H, W) without edges."""
    waves = np.cos(np.arange(1, 6)[:, None] * np.linspace(0, 3, side))
    drawn = waves.T @ np.random.default_rng(seed).normal(size=(count, 3, 5, 5)) @ waves
    return np.clip(128 + 12 * drawn, 0, 255).astype(np.uint8)


def all_of(images: np.ndarray) -> near.Pictures:
    return near.Pictures(images.shape[1:], lambda rows: images[rows])


def pairs_of(images: np.ndarray, parts: np.ndarray) -> list[list[int]]:
    return near.alike_pictures(all_of(images), np.arange(len(images)), parts, nothing).tolist()


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x * 0.7,
        lambda x: x * 0.5 + 60,
        lambda x: x + np.random.default_rng(4).integers(-5, 6, x.shape),
        lambda x: np.kron(x.reshape(3, 16, 2, 16, 2).mean((2, 4)), np.ones((2, 2))),
    ],
    ids=["darker", "less contrast", "noise", "scaled down and up"],
)
def test_what_was_changed_a_little_is_found(change) -> None:
    images = smooth(2_000)
    copied = np.stack([np.clip(change(image.astype(float)), 0, 255) for image in images[:200]]).astype(np.uint8)
    found = pairs_of(np.concatenate([images, copied]), np.arange(2_200) >= 2_000)
    expected = {(number, number + 2_000) for number in range(200)}
    assert len(expected & set(map(tuple, found))) >= 190
    assert set(map(tuple, found)) <= expected


def test_what_only_looks_alike_to_the_hash_is_another() -> None:
    ramp = np.linspace(0, 1, 32) * np.ones((3, 32, 1))  # brighter to the right, as its third power
    images = (255 * np.stack([ramp, ramp**3])).astype(np.uint8)
    assert pairs_of(images, np.arange(2)) == []
    (image,) = smooth(1)
    assert pairs_of(np.stack([image, image[:, :, ::-1], image[:, ::-1]]), np.arange(3)) == []


def test_only_pictures_of_different_splits_count_and_blank_ones_never() -> None:
    images = np.concatenate([smooth(1), smooth(1), smooth(1), np.zeros((3, 3, 32, 32), np.uint8)])
    assert pairs_of(images, np.array([0, 0, 1, 0, 1, 2])) == [[0, 2], [1, 2]]
    rows = np.array([0, 2, 3])
    assert near.alike_pictures(all_of(images), rows, np.array([0, 1, 0]), nothing).tolist() == [[0, 1]]


def test_pictures_that_are_all_alike_take_bounded_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near, "MOST_CANDIDATES", 5_000)
    images = np.repeat(smooth(1), 4_000, axis=0)
    assert len(pairs_of(images, np.arange(4_000) % 3)) == 5_000
    texts = ["one and the same text for all"] * 4_000
    assert len(near.alike_texts(texts, np.arange(4_000) % 3, nothing)) == 5_000


WORDS = np.random.default_rng(0).integers(0, 10_000, (300, 60))


def text(words: np.ndarray) -> str:
    return " ".join(f"word{word}" for word in words)


@pytest.mark.parametrize(("changed", "least", "most"), [(1, 100, 100), (2, 95, 100), (12, 0, 0), (30, 0, 0)])
def test_texts_with_a_few_words_changed(changed: int, least: int, most: int) -> None:
    copies = WORDS[:100].copy()
    copies[:, 5 : 5 + changed] = 0
    texts = [text(words) for words in [*WORDS, *copies]]
    found = near.alike_texts(texts, np.arange(400) >= 300, nothing).tolist()
    assert least <= len(found) <= most
    assert all(b == a + 300 for a, b in found)


def test_texts_without_words_are_no_trouble() -> None:
    texts = ["", "!?", "a", "A!", "b c", "B, c", "\ud800 x"]
    assert near.alike_texts(texts, np.arange(7), nothing).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert near.alike_texts([], np.arange(0), nothing).tolist() == []
    assert pairs_of(smooth(0), np.arange(0)) == []
