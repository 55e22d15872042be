"""What is to be predicted of a sample, in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.data.base import IGNORED, Target

if TYPE_CHECKING:
    import numpy as np

_MOST_STEPS = 40  # of a sequence that is to be predicted, in words
_MOST_NUMBERS = 12


def target_text(target: Target, names: tuple[str, ...], value: np.ndarray) -> str:
    """A sample's target: the name of its class, its labels, its numbers, or what its places have.

    Args:
        names: of the classes or numbers; those of the target, where it knows them.
        value: one of `Samples.targets`.
    """
    if target.is_input:
        return "the target is the input itself"
    if target.task == "classification":
        return (_class_text, _steps_text, _places_text)[min(len(target.dims), 2)](names, value)
    if target.task == "multi-label":
        return ", ".join(name for name, has in zip(names, value, strict=True) if has) or "none"
    if target.dims:
        return f"numbers from {float(value.min()):.3g} to {float(value.max()):.3g}"
    shown = list(zip(names, value.reshape(-1), strict=True))[:_MOST_NUMBERS]
    return ", ".join(f"{name} {float(number):.3g}" for name, number in shown) + ", …" * (len(names) > _MOST_NUMBERS)


def _class_text(names: tuple[str, ...], value: np.ndarray) -> str:
    return names[int(value)]


def _steps_text(names: tuple[str, ...], values: np.ndarray) -> str:
    values = values[values != IGNORED]
    shown = [names[int(value)] for value in values[:_MOST_STEPS]]
    text = ("" if all(len(name) == 1 for name in shown) else ", ").join(shown)  # characters make a text
    return f"“{text}{'…' if len(values) > _MOST_STEPS else ''}”".replace("\n", "↵")


def _places_text(names: tuple[str, ...], values: np.ndarray) -> str:
    import numpy as np

    counts = np.bincount(values[values != IGNORED], minlength=len(names)).tolist()
    shares = ((name, count / max(sum(counts), 1)) for name, count in zip(names, counts, strict=True) if count)
    return ", ".join(f"{name} {f'{100 * share:.0f} %' if share >= 0.005 else 'under 1 %'}" for name, share in shares)
