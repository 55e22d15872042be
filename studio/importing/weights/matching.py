"""Which tensor of a file becomes which of a network: by name, then by order and size within the same kind of layer."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import torch

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.graph import Graph
from studio.importing.weights.tensors import ROLES, ForeignTensor, ForeignWeightsError

NAMES, SIZES, BOTH = "name", "shape", "both"
SAME_NAME = "same name"
SAME_ORDER = "same order and size"
CHOSEN = "chosen by hand"
COUNTER = "num_batches_tracked"  # how many batches a batch norm saw; many files do not have it
_FEWEST_RENAMED = 4  # tensors that speak for a prefix that was replaced by another one
_MOST_COMPARED = 1_000_000  # pairs of layers


@dataclass(frozen=True)
class OwnTensor:
    """A tensor of the network on the canvas.

    Args:
        name: in its state dict.
        dims: its sizes.
        dtype: its numbers, by torch's name.
    """

    name: str
    dims: tuple[int, ...]
    dtype: str

    @property
    def layer(self) -> str:
        """The module that has it."""
        return self.name.rpartition(".")[0]

    @property
    def role(self) -> str:
        """What it is there, such as “weight”."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True)
class Match:
    """What a tensor of the network gets.

    Args:
        foreign: None if it stays fresh.
        how: why this one, in words; empty for none.
    """

    own: OwnTensor
    foreign: ForeignTensor | None = None
    how: str = ""


def own_tensors(graph: Graph) -> tuple[OwnTensor, ...]:
    """All tensors of a graph's network.

    Raises:
        CompileError: if it cannot become a network.
        ForeignWeightsError: if it has none.
    """
    plan = make_plan(graph)
    with torch.device("meta"):  # names and sizes alone
        own = build_network(plan).state_dict()
    if not own:
        raise ForeignWeightsError("The network on the canvas has no weights.")
    return tuple(
        OwnTensor(name, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for name, tensor in own.items()
    )


def match(own: Sequence[OwnTensor], foreign: Sequence[ForeignTensor], by: str = BOTH) -> tuple[Match, ...]:
    """A proposal which tensor becomes which.

    Args:
        by: NAMES, SIZES, or BOTH: sizes for what names do not tell.

    Returns:
        one match for each tensor of the network, in its order; each tensor of the file is used once at most.
    """
    found = _Found(own, foreign)
    if by != SIZES:
        found.by_names()
    if by != NAMES:
        found.by_layers()
        found.by_roles()
    return tuple(found.matches.get(tensor.name, Match(tensor)) for tensor in own)


def fits(own: OwnTensor, foreign: ForeignTensor) -> bool:
    """Whether a tensor of a file can become one of the network: of the same size, and whole numbers where those are."""
    whole = own.dtype.startswith("int")
    return own.dims == foreign.fit_dims and foreign.dtype.startswith("int" if whole else ("float", "bfloat"))


def chosen(matches: Sequence[Match], name: str, foreign: ForeignTensor | None) -> tuple[Match, ...]:
    """The same with another choice for one tensor of the network; who had that one before gets none.

    Args:
        name: of the network's tensor.

    Raises:
        ForeignWeightsError: if it is of another size.
    """
    changed = []
    for item in matches:
        if item.own.name == name:
            if foreign is not None and not fits(item.own, foreign):
                raise ForeignWeightsError(f"“{foreign.name}” does not have the size of “{name}”.")
            changed.append(replace(item, foreign=foreign, how=CHOSEN if foreign is not None else ""))
        else:
            changed.append(Match(item.own) if foreign is not None and item.foreign == foreign else item)
    return tuple(changed)


def unused(matches: Iterable[Match], foreign: Iterable[ForeignTensor]) -> tuple[ForeignTensor, ...]:
    """What of a file no tensor of the network gets."""
    used = {item.foreign for item in matches}
    return tuple(tensor for tensor in foreign if tensor not in used)


_Tensor = TypeVar("_Tensor", OwnTensor, ForeignTensor)
_Kind = tuple[tuple[str, tuple[int, ...]], ...]
_OwnLayer = dict[str, OwnTensor]
_ForeignLayer = dict[str, ForeignTensor]


class _Found:
    """Matches while they are searched."""

    def __init__(self, own: Sequence[OwnTensor], foreign: Sequence[ForeignTensor]) -> None:
        self.own = own
        self.foreign = foreign
        self.matches: dict[str, Match] = {}
        self.used: set[ForeignTensor] = set()

    def add(self, own: OwnTensor, foreign: ForeignTensor, how: str) -> None:
        self.used.add(foreign)
        extra = ", transposed" if foreign.axes else ""
        self.matches[own.name] = Match(own, foreign, how + extra)

    def rest(self) -> tuple[list[OwnTensor], list[ForeignTensor]]:
        return (
            [tensor for tensor in self.own if tensor.name not in self.matches],
            [tensor for tensor in self.foreign if tensor not in self.used],
        )

    # By name.

    def by_names(self) -> None:
        """Take tensors with the same name, or the same but for what stands before it."""
        by_path = {tensor.name: tensor for tensor in self.foreign}
        for tensor in self.foreign:
            by_path.setdefault(tensor.path, tensor)
        for theirs, ours in _prefixes(self.own, by_path):
            for own in self.rest()[0]:
                found = by_path.get(theirs + own.name.removeprefix(ours)) if own.name.startswith(ours) else None
                if found is not None and found not in self.used and fits(own, found):
                    self.add(own, found, _said(theirs, ours, found))

    # By order and size.

    def by_layers(self) -> None:
        """Take whole layers that have the same tensors with the same sizes, in the same order."""
        own, foreign = self.rest()
        ours, theirs = _layers(own), _layers(foreign)
        for mine, other in _aligned([_kind(layer) for layer in ours], [_kind(layer) for layer in theirs]):
            self._add_layer(ours[mine], theirs[other])
        self._add_equally_many(ours, theirs)

    def _add_equally_many(self, ours: list[_OwnLayer], theirs: list[_ForeignLayer]) -> None:
        """Layers of a kind of which equally many are left, though in another order among the others."""
        by_kind: dict[_Kind, tuple[list[_OwnLayer], list[_ForeignLayer]]] = defaultdict(lambda: ([], []))
        for mine in ours:
            if not any(tensor.name in self.matches for tensor in mine.values()):
                by_kind[_kind(mine)][0].append(mine)
        for other in theirs:
            if not any(tensor in self.used for tensor in other.values()):
                by_kind[_kind(other)][1].append(other)
        for left, right in by_kind.values():
            if len(left) == len(right):
                for mine, other in zip(left, right, strict=True):
                    self._add_layer(mine, other)

    def _add_layer(self, ours: _OwnLayer, theirs: _ForeignLayer) -> None:
        for role, tensor in ours.items():
            if role in theirs and fits(tensor, theirs[role]):
                self.add(tensor, theirs[role], SAME_ORDER)

    def by_roles(self) -> None:
        """Take single tensors where equally many of a size are left that are the same in their layers."""
        own, foreign = self.rest()
        by_kind: dict[tuple[object, ...], tuple[list[OwnTensor], list[ForeignTensor]]] = defaultdict(lambda: ([], []))
        for tensor in own:
            by_kind[tensor.role, tensor.dims][0].append(tensor)
        for other in foreign:
            by_kind[other.role, other.fit_dims][1].append(other)
        for (role, _), (mine, others) in by_kind.items():
            if len(mine) == len(others) and role != COUNTER:
                for tensor, other in zip(mine, others, strict=True):
                    if fits(tensor, other):
                        self.add(tensor, other, SAME_ORDER)


def _said(theirs: str, ours: str, tensor: ForeignTensor) -> str:
    """Why a tensor was taken by its name, in words."""
    if theirs and ours:
        how = f"“{theirs}” for “{ours}”"
    else:
        how = f"{SAME_NAME} but for “{theirs or ours}”" if theirs or ours else SAME_NAME
    leaf = re.split(r"[./]", tensor.name.removesuffix(":0"))[-1]
    return f"{how}, {leaf} as {tensor.role}" if ROLES.get(leaf) == tensor.role else how


def _prefixes(own: Sequence[OwnTensor], by_path: dict[str, ForeignTensor]) -> Iterator[tuple[str, str]]:
    """What may stand before the same names, there and here; first nothing, then what most tensors speak for."""
    by_tail: dict[str, list[str]] = defaultdict(list)
    for path in by_path:
        for tail in _tails(path):
            by_tail[tail].append(path)
    votes: Counter[tuple[str, str]] = Counter()
    for tensor in own:
        for tail in _tails(tensor.name):
            ours = tensor.name[: len(tensor.name) - len(tail)]
            # The last part alone, as “weight”, says nothing.
            paths = by_tail.get(tail, []) if "." in tail or not ours else [tail] if tail in by_path else []
            for path in paths:
                if fits(tensor, by_path[path]):
                    votes[path[: len(path) - len(tail)], ours] += 1
    votes.pop(("", ""), None)
    yield "", ""
    for pair, count in sorted(votes.items(), key=lambda item: (-item[1], len(item[0][0]) + len(item[0][1]))):
        if "" in pair or count >= _FEWEST_RENAMED:
            yield pair


def _tails(name: str) -> Iterator[str]:
    """A name without its first parts, one after the other."""
    while name:
        yield name
        _, _, name = name.partition(".")


def _layers(tensors: Iterable[_Tensor]) -> list[dict[str, _Tensor]]:
    """Tensors by what they are in their layer, for each layer in the order of its first one."""
    layers: dict[str, dict[str, _Tensor]] = {}
    for tensor in tensors:
        layers.setdefault(tensor.layer, {}).setdefault(tensor.role, tensor)
    return [layer for layer in layers.values() if layer.keys() != {COUNTER}]


def _kind(layer: Mapping[str, OwnTensor] | Mapping[str, ForeignTensor]) -> _Kind:
    """Layers that are equal in this are of one kind, as far as a file tells."""
    return tuple(sorted((role, _dims(tensor)) for role, tensor in layer.items() if role != COUNTER))


def _dims(tensor: OwnTensor | ForeignTensor) -> tuple[int, ...]:
    return tensor.fit_dims if isinstance(tensor, ForeignTensor) else tensor.dims


def _aligned(ours: list[_Kind], theirs: list[_Kind]) -> list[tuple[int, int]]:
    """The longest series of equal kinds that is in the same order in both: pairs of places."""
    start = 0
    while start < min(len(ours), len(theirs)) and ours[start] == theirs[start]:
        start += 1
    pairs = [(place, place) for place in range(start)]
    rest, others = ours[start:], theirs[start:]
    if len(rest) * len(others) > _MOST_COMPARED:
        return pairs
    # lengths[i][j]: of the longest series in what begins at i and at j
    lengths = [[0] * (len(others) + 1) for _ in range(len(rest) + 1)]
    for i in reversed(range(len(rest))):
        for j in reversed(range(len(others))):
            equal = rest[i] == others[j]
            lengths[i][j] = lengths[i + 1][j + 1] + 1 if equal else max(lengths[i + 1][j], lengths[i][j + 1])
    i = j = 0
    while i < len(rest) and j < len(others):
        if rest[i] == others[j]:
            pairs.append((start + i, start + j))
            i, j = i + 1, j + 1
        elif lengths[i + 1][j] >= lengths[i][j + 1]:
            i += 1
        else:
            j += 1
    return pairs
