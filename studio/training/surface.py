"""What a network makes of data with two features: the class of every place in the plane, looked at while it trains.

A look changes nothing: neither the weights and running means, nor what is drawn at random later.

Axis letters: N places or samples, D features (two), K classes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from studio.data.dataset import Dataset
from studio.training.events import Plane, Points, Surface

SIDE = 100  # cells along each side of the plane
MOST_CLASSES = 10  # more could not be told apart by their colours
MOST_POINTS = 1_000  # of each split
SECONDS_BETWEEN_LOOKS = 0.1
SHARE_OF_TIME = 0.01  # of the run that looks may take
_ROWS_AT_ONCE = 2_500  # keeps the memory of a look small, and lets the person stop in between
_MARGIN = 0.12  # of the points' width, on each side


class Surveyor:
    """Looks at a network's answers all over the plane.

    Args:
        model: takes (N, D) and answers (N, K).
        dataset: one for which `can_be_surveyed` holds.
        device: where the network is.
        main: number of the Output whose classes are meant, where the network has several.
    """

    def __init__(self, model: nn.Module, dataset: Dataset, device: torch.device, main: int = 0) -> None:
        self.plane = _plane(dataset)
        self._model, self._main = model, main
        # The generators whose state a look must leave alone.
        self._gpus = [device] if device.type == "cuda" else []
        places_ND = dataset.scalings[0].apply(_grid(self.plane)).to(device)
        self._parts = torch.split(places_ND, _ROWS_AT_ONCE)
        self._due = 0.0

    def is_due(self) -> bool:
        """Whether another look would be neither too soon nor take too large a share of the time."""
        return time.perf_counter() >= self._due

    def look(self, epoch: int, *, best: bool = False) -> Iterator[Surface | None]:
        """One look, in several steps. It leaves the network in evaluation mode.

        Args:
            epoch: how many are completed.
            best: whether the weights are those of the best checkpoint.

        Yields:
            None after each step, the surface after the last one.
        """
        started = time.perf_counter()
        self._model.eval()
        parts = []
        for places_ND in self._parts:
            parts.append(self._most_probable(places_ND))
            yield None
        classes_N, shares_N = (torch.cat(column).cpu().numpy() for column in zip(*parts, strict=True))
        ended = time.perf_counter()
        self._due = ended + max(SECONDS_BETWEEN_LOOKS, (ended - started) / SHARE_OF_TIME)
        yield Surface(epoch, best, SIDE, classes_N.tobytes(), shares_N.tobytes())

    @torch.inference_mode()
    def _most_probable(self, places_ND: Tensor) -> tuple[Tensor, Tensor]:
        """The most probable class (N,) and its probability in 255ths (N,), both uint8."""
        with torch.random.fork_rng(self._gpus):
            answers = self._model(places_ND)
        answers_NK: Tensor = answers[self._main] if isinstance(answers, tuple) else answers
        highest = answers_NK.float().softmax(1).max(1)
        return highest.indices.to(torch.uint8), (255 * highest.values).nan_to_num(0).round().to(torch.uint8)


def can_be_surveyed(dataset: Dataset) -> bool:
    """Whether samples are points of a plane, in a few classes."""
    spec = dataset.spec
    shapes = [(tensor.dims, tensor.dtype) for tensor in spec.inputs]
    return (
        shapes == [((2,), "float")]
        and spec.target.task == "classification"
        and spec.target.size <= MOST_CLASSES
        and bool(dataset.inputs[0].isfinite().all())
    )


def _plane(dataset: Dataset) -> Plane:
    values_ND = dataset.inputs[0].double()
    (left, bottom), (right, top) = values_ND.min(0).values.tolist(), values_ND.max(0).values.tolist()
    return Plane(
        features=dataset.spec.features or ("feature 1", "feature 2"),
        classes=dataset.spec.target.names,
        x_range=_widened(left, right),
        y_range=_widened(bottom, top),
        points={split: _points(dataset, split) for split in ("train", "validation")},
    )


def _widened(low: float, high: float) -> tuple[float, float]:
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _points(dataset: Dataset, split: str) -> Points:
    rows = dataset.splits[split]
    # A generator of its own: the run draws its weights and its order from others.
    mixed = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:MOST_POINTS]
    shown = rows[mixed.sort().values]
    x, y = dataset.inputs[0][shown].T.tolist()
    return Points(tuple(x), tuple(y), tuple(dataset.targets[shown].tolist()), len(rows))


def _grid(plane: Plane) -> Tensor:
    """The middles of all cells (N, D), row by row from the lowest y, each from the lowest x."""
    x, y = (
        torch.linspace(low, high, 2 * SIDE + 1, dtype=torch.float64)[1::2]
        for low, high in (plane.x_range, plane.y_range)
    )
    return torch.stack([x.repeat(SIDE), y.repeat_interleave(SIDE)], 1).float()
