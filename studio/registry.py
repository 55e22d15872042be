"""One place per thing: a registry that refuses duplicates and, for an unknown name, lists what exists."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, ClassVar, Generic, Protocol, TypeVar


class Registrable(Protocol):
    """What a class must declare to be registered."""

    kind: ClassVar[str]  # kept for ever: it stands in people's files
    replaces: ClassVar[tuple[str, ...]]  # kinds of earlier versions that now mean this class


class UnknownKindError(ValueError):
    """A file or command names a thing that is not registered."""

    def __init__(self, what: str, kind: str, known: list[str]) -> None:
        import difflib  # only for messages; the window need not wait for it

        kind = kind[:80]
        close = difflib.get_close_matches(kind, known, n=1)
        hint = f" Did you mean “{close[0]}”?" if close else ""
        super().__init__(f"There is no {what} “{kind}”.{hint} Known: {', '.join(known)}.")


Item = TypeVar("Item", bound=Registrable)


class Registry(Generic[Item]):
    """Classes by their `kind`, in the order in which they were added.

    Args:
        what: the noun for messages, such as "block".
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self._items: dict[str, type[Item]] = {}
        self._replaced: dict[str, type[Item]] = {}
        self._homes: dict[str, str] = {}  # kind -> module, of those that are imported when they are asked for

    def expect(self, module: str, *kinds: str) -> None:
        """Say where some classes are registered, so that the module is imported only when one of them is needed.

        Args:
            module: its full name.
            kinds: all that are registered there; what is expected first comes first in the order of all.
        """
        self._homes.update(dict.fromkeys(kinds, module))

    def _gather(self) -> dict[str, type[Item]]:
        """Every class, in order; imports what is expected and not there yet."""
        missing = dict.fromkeys(home for kind, home in self._homes.items() if kind not in self._items)
        for module in missing:
            importlib.import_module(module)
        if missing:  # put in order in one go: another thread may be reading
            expected = {kind: self._items[kind] for kind in self._homes}
            self._items = {**expected, **self._items}
        return self._items

    def add(self, item: type[Any]) -> type[Any]:
        """Register a class; used as a decorator.

        Raises:
            ValueError: if its kind, or one it replaces, is taken.
        """
        for kind in (item.kind, *item.replaces):
            if kind in self._items or kind in self._replaced:
                raise ValueError(f"the {self.what} “{kind}” is registered twice")
        self._items[item.kind] = item
        self._replaced.update(dict.fromkeys(item.replaces, item))
        return item

    def get(self, kind: str) -> type[Item]:
        """The class of this kind.

        Raises:
            UnknownKindError: if there is none.
        """
        if kind not in self._items and kind in self._homes:
            importlib.import_module(self._homes[kind])
        found = self._items.get(kind) or self._replaced.get(kind)
        if found is None and self._gather():  # it may be replaced by one that nobody needed yet
            found = self._replaced.get(kind)
        if found is None:
            raise UnknownKindError(self.what, kind, self.kinds())
        return found

    def kinds(self) -> list[str]:
        """All kinds, in order of registration."""
        return list(self._gather())

    def __iter__(self) -> Iterator[type[Item]]:
        return iter(list(self._gather().values()))

    def __len__(self) -> int:
        return len(self._gather())
