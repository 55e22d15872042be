"""What a network must take and answer to be trained on a dataset.

Axis letters: M samples of the whole dataset, N batch, C channels, H W space, D features, T steps, L tokens, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

from studio.tensors import TensorSpec, axes_for

IGNORED = -100  # class number of a place that is not to be predicted; PyTorch's own default for it


@dataclass(frozen=True)
class Target:
    """What is to be predicted.

    Args:
        task: "classification" (one of the classes), "multi-label" (any of the classes), "regression" (real numbers) or
            "detection" (rectangles on a picture; it can be looked at, but not trained on yet).
        names: the classes in order of their number, or the names of the numbers to predict; of numbers with places one
            name for all; none if only reading the data tells them.
        dims: places of a sample, for each of which there is an answer: (T,) steps of a sequence, (H, W) pixels; of
            numbers the whole size of the answer, such as (C, H, W). Empty if there is one answer for the sample. A
            class of IGNORED says that a place has no answer, as behind the end of a short text.
        is_input: whether it is the sample's input itself, scaled.
        limits: the smallest and the largest number to predict, where they are known.
    """

    task: str
    names: tuple[str, ...]
    dims: tuple[int, ...] = ()
    is_input: bool = False
    limits: tuple[float, float] | None = None

    @property
    def size(self) -> int:
        """How many classes, or named numbers, there are; 0 if that is not known yet."""
        return len(self.names)

    @property
    def answer(self) -> TensorSpec:
        """What the network must answer: one number per class, or per target, at each place.

        The classes of steps come last (T, K), as a Dense gives them; those of pixels first (K, H, W), as channels.
        """
        if self.task != "classification" and self.dims:
            dims = self.dims
        else:
            dims = (*self.dims, self.size) if len(self.dims) < 2 else (self.size, *self.dims)
        return TensorSpec(dims, axes_for(len(dims)))


@dataclass(frozen=True)
class DataSpec:
    """What a network must take and answer to be trained on a dataset.

    Args:
        inputs: one tensor per input.
        target: what is to be predicted.
        tokens: for each input how many token numbers there may be, 0 if it has none; empty if none has any.
        features: names of the numbers of a single input (D,), where they are known.
        characters: what the token numbers of a single input stand for, one character each; empty if they are no such.
        limits: the smallest and the largest number of the scaled inputs, where they are known.
    """

    inputs: tuple[TensorSpec, ...]
    target: Target
    features: tuple[str, ...] = ()
    tokens: tuple[int, ...] = ()
    characters: str = ""
    limits: tuple[float, float] | None = None

    @property
    def refusal(self) -> str:
        """Why the input cannot be the target, in plain words; empty if nothing stands against it."""
        if not self.target.is_input or (len(self.inputs) == 1 and self.inputs[0].dtype == "float"):
            return ""
        given = f"{len(self.inputs)} inputs" if len(self.inputs) > 1 else "tokens, which are no real numbers"
        return f"The target is the input itself, but the dataset gives {given}. Set the target of the data to “labels”."
