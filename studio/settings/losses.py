"""Losses: what a run makes small. Each says for which kinds of targets it is made."""

from __future__ import annotations

from typing import ClassVar

from studio.fields import Declared
from studio.registry import Registry


class Loss(Declared):
    """Base of every loss."""

    kind: ClassVar[str]
    replaces: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str]


registry: Registry[Loss] = Registry("loss")


@registry.add
class ByTask(Loss):
    """Cross-entropy for classes, binary cross-entropy for labels, squared error for numbers."""

    kind: ClassVar[str] = "by-task"
    title: ClassVar[str] = "Usual for the task"
