"""Batched augmentation against the same four changes made picture by picture with Pillow and torchvision.

Both give float32 batches of 64 pictures of 3 × 64 × 64 from bytes in memory: flip, shifted crop, rotation, colour. Each
is timed in turn, with one thread and with all. Wanted: at least 5 times as fast.
"""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch
from PIL import Image
from torchvision.transforms import v2

from studio.data.transforms.augmentation import Augmentation
from studio.data.transforms.pictures import ColourJitter, FlipHorizontally, RandomRotation, RandomShift

SAMPLES, SIDE, BATCH, TURNS = 512, 64, 64, 7

pictures = np.random.default_rng(0).integers(0, 256, (SAMPLES, 3, SIDE, SIDE), dtype=np.uint8)
stored = torch.from_numpy(pictures)
transforms = (FlipHorizontally(), RandomShift(pixels=6), RandomRotation(degrees=15.0), ColourJitter(hue=0.05))
augmentation = Augmentation(transforms, seed=0, epoch=1)
one_by_one = v2.Compose(
    [
        v2.RandomHorizontalFlip(),
        v2.RandomCrop(SIDE, padding=6, padding_mode="reflect"),
        v2.RandomRotation(15, interpolation=v2.InterpolationMode.BILINEAR),
        v2.ColorJitter(0.2, 0.2, 0.2, 0.05),
        v2.ToImage(),
        v2.ToDtype(torch.float32, scale=True),
    ]
)


def batched() -> None:
    for start in range(0, SAMPLES, BATCH):
        rows = torch.arange(start, start + BATCH)
        augmentation.before_scaling(stored.index_select(0, rows), rows)


def item_by_item() -> None:
    for start in range(0, SAMPLES, BATCH):
        items = (Image.fromarray(picture.transpose(1, 2, 0)) for picture in pictures[start : start + BATCH])
        torch.stack([one_by_one(item) for item in items])


def seconds(work: object) -> float:
    begin = time.perf_counter()
    work()  # type: ignore[operator]
    return time.perf_counter() - begin


for threads in (1, torch.get_num_threads()):
    torch.set_num_threads(threads)
    batched(), item_by_item()
    ratios = [seconds(item_by_item) / seconds(batched) for _ in range(TURNS)]
    rate = SAMPLES / min(seconds(batched) for _ in range(3))
    print(
        f"{threads} threads: {statistics.median(ratios):.1f}x the item-by-item speed (wanted: 5); {rate:,.0f} a second"
    )
