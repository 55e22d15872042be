"""What must arrive at an Output for a target: said in plain words, and the blocks that give it."""

from __future__ import annotations

from collections.abc import Iterator

from studio.blocks import Block, registry
from studio.blocks.convolution import Conv2d
from studio.blocks.linear import Dense
from studio.data.base import Target
from studio.tensors import TensorSpec

Ending = tuple[Block, ...]


def misfit(name: str, given: TensorSpec, target: Target) -> str:
    """What is wrong with the tensor that arrives at an Output, and what to do."""
    wanted = _wanted(target)
    return f"“{name}” gets ({given}), but {wanted}: it needs ({target.answer}). {_advice(given, target)}"


def _wanted(target: Target) -> str:
    if target.is_input:
        return "the target is the input itself"
    if target.task == "classification":
        return f"the dataset has {target.size} classes{_places(target.dims)}"
    if target.task == "multi-label":
        return f"the dataset has {target.size} labels, of which each sample may have any"
    return f"the dataset has {'' if target.dims else f'{target.size} '}numbers to predict"


def _places(dims: tuple[int, ...]) -> str:
    if len(dims) == 1:
        return f" at each of {dims[0]} steps"
    return f" at each of {' × '.join(map(str, dims))} places" if dims else ""


def _advice(given: TensorSpec, target: Target) -> str:
    dims = target.answer.dims
    if not target.dims:
        return f"End with a Dense of {target.size} units."
    if target.task == "classification":
        return _steps_advice(given, target) if len(dims) == 2 else _picture_advice(given, dims)
    if given.numel == target.answer.numel:
        return f"Put Reshape to {_sizes(dims)} before it."
    if len(given.dims) == len(dims) == 3:
        return _picture_advice(given, dims)
    return f"End with a Dense of {target.answer.numel} units{f' and Reshape to {_sizes(dims)}' * (len(dims) > 1)}."


def _steps_advice(given: TensorSpec, target: Target) -> str:
    ending = f"nd with a Dense of {target.size} units."
    if len(given.dims) == 1:
        return f"Give every step its answer: set the output of a recurrent layer to “sequence”, and e{ending}"
    return f"E{ending}"


def _picture_advice(given: TensorSpec, dims: tuple[int, ...]) -> str:
    ending = f"nd with a Convolution of {_filters(dims[0])} and kernel size 1."
    if len(given.dims) != len(dims):
        return f"Keep the picture: leave out Flatten, Dense and global pooling, and e{ending}"
    if given.dims[1:] != dims[1:]:
        size = " × ".join(map(str, dims[1:]))
        return f"Bring it to {size} places first, as with Upsample or a transposed convolution, and e{ending}"
    return f"E{ending}"


def _sizes(dims: tuple[int, ...]) -> str:
    return ", ".join(map(str, dims))


def _filters(count: int) -> str:
    return "1 filter" if count == 1 else f"{count} filters"


def endings(given: TensorSpec, target: Target) -> Iterator[tuple[str, Ending]]:
    """Blocks that could be put before an Output, in words and as they are; guesses that are still to be tried.

    Args:
        given: what arrives there now.
        target: what is to be predicted.
    """
    dims = target.answer.dims
    dense = Dense(units=dims[-1])
    if len(dims) == 3:
        yield from _pictures(given, dims)
    if len(dims) < 3:
        yield from _named((dense,))
    if len(dims) == 1:
        yield from _named((registry.get("flatten")(), dense), (registry.get("global_average_pool")(), dense))
    elif target.task == "classification" and len(dims) == 2:
        yield from _named((registry.get("transpose")(),), (registry.get("transpose")(), dense))
    elif target.task == "regression":
        reshape, all_units = registry.get("reshape")(shape=dims), Dense(units=target.answer.numel)
        yield from _named((reshape,), (all_units, reshape), (registry.get("flatten")(), all_units, reshape))


def _pictures(given: TensorSpec, dims: tuple[int, ...]) -> Iterator[tuple[str, Ending]]:
    """A convolution to the right channels, after what brings the picture to the right size."""
    mix = Conv2d(filters=dims[0], kernel_size=1)
    yield from _named((mix,))
    factor, left = divmod(dims[1], given.dims[1]) if len(given.dims) == 3 else (0, 0)
    if 1 < factor <= 64 and not left:
        larger = registry.get("upsample")(factor=factor)
        yield from _named((larger,), (larger, mix))


def _named(*choices: Ending) -> Iterator[tuple[str, Ending]]:
    for blocks in choices:
        yield " and ".join(map(_name, blocks)), blocks


def _name(block: Block) -> str:
    match block:
        case Dense():
            return f"Dense ({block.units} units)"
        case Conv2d():
            return f"{block.title} ({_filters(block.filters)})"
    return block.title
