"""Figures that a run measures on its validation split: their names, and which way is better. No torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One figure.

    Args:
        title: as a person reads it.
        higher: whether more is better.
        share: whether it is a share of 1, which is shown as a percentage.
    """

    title: str
    higher: bool = True
    share: bool = False


MEASURES: dict[str, Measure] = {
    "loss": Measure("Loss", higher=False),
    "accuracy": Measure("Accuracy", share=True),
    "top5_accuracy": Measure("Top-5 accuracy", share=True),
    "balanced_accuracy": Measure("Balanced accuracy", share=True),
    "f1": Measure("Macro F1"),
    "auroc": Measure("AUROC"),
    "iou": Measure("Mean IoU"),
    "dice": Measure("Mean Dice"),
    "perplexity": Measure("Perplexity", higher=False),
    "mae": Measure("Mean absolute error", higher=False),
    "rmse": Measure("Root mean squared error", higher=False),
    "r2": Measure("R²"),
}


_SHORT = {"mae": "MAE"}  # where the name of an Output stands behind it


def title_of(name: str) -> str:
    """What a figure is called; its own name where nothing is known of it.

    Args:
        name: such as "f1"; of one Output among several with the name of that before it, as "head.loss".
    """
    output, _, figure = name.rpartition(".")
    if figure not in MEASURES:
        return name
    return f"{_SHORT.get(figure, MEASURES[figure].title)} of “{output}”" if output else MEASURES[figure].title


def phrase_of(name: str) -> str:
    """What a figure is called in the middle of a sentence; capitals of a name stay."""
    title = title_of(name)
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def is_share(name: str) -> bool:
    """Whether a figure is a share of 1."""
    figure = name.rpartition(".")[2]
    return figure in MEASURES and MEASURES[figure].share
