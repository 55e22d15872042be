"""Where a run broke: which block first makes infinite numbers, or none, of finite ones."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn

from studio.compile.network import BLOCK, SCOPE
from studio.graph.paths import join
from studio.training.events import Broken
from studio.training.health_blocks import Watched


@torch.no_grad()
def look_for_break(
    model: nn.Module, blocks: Sequence[Watched], inputs: Sequence[Tensor], step: int, epoch: int, names: dict[str, str]
) -> Broken:
    """Run a batch through a network as for a prediction, and see where its numbers break. Nothing is changed.

    Args:
        model: as `build_network` made it.
        blocks: what `watched_blocks` found in it.
        inputs: (N, *dims) each.
        step, epoch: how far the run came.
        names: of blocks, by their paths.
    """
    broken = [block for block in blocks if not all(map(_is_sound, block.weights))]
    node = ""
    sound = all(map(_is_sound, inputs))
    if sound and isinstance(model, fx.GraphModule):
        with _evaluating(model):
            finder = _Finder(model)
            finder.run(*inputs)
        # A block with broken weights is no culprit: it was fed with broken gradients.
        node = finder.found if finder.found not in {block.node for block in broken} else ""
    weights = tuple(dict.fromkeys(block.name for block in broken))
    return Broken(step, epoch, node, names.get(node, node), weights, not sound)


@contextlib.contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """In evaluation nothing is drawn, and no running mean moves."""
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


class _Finder(fx.Interpreter):
    """Runs a network step by step and notes the block behind which numbers are broken first."""

    def __init__(self, module: fx.GraphModule, scope: str = "") -> None:
        super().__init__(module)
        self.scope = scope
        self.found = ""

    def run_node(self, n: fx.Node) -> Any:
        result = super().run_node(n)
        # Only what a block gives: within one, a mask may well hold minus infinity.
        if not self.found and BLOCK in n.meta and not _is_sound(result):
            self.found = self._inside(n) if SCOPE in n.meta else join(self.scope, n.meta[BLOCK])
        return result

    def _inside(self, n: fx.Node) -> str:
        """The block in a group that was called."""
        path = join(self.scope, n.meta[SCOPE])
        called = self.module.get_submodule(str(n.target))
        args, _ = self.fetch_args_kwargs_from_env(n)
        for part in called if isinstance(called, nn.Sequential) else (called,):
            if not isinstance(part, fx.GraphModule):
                break
            finder = _Finder(part, path)
            args = (finder.run(*args),)
            if finder.found:
                return finder.found
        return path


def _is_sound(value: Any) -> bool:
    """Whether all numbers in a tensor, or a tuple of them, are finite."""
    if isinstance(value, tuple | list):
        return all(map(_is_sound, value))
    return not isinstance(value, Tensor) or not value.is_floating_point() or bool(value.isfinite().all())
