from __future__ import annotations

from typing import ClassVar

import pytest

from studio.registry import Registry, UnknownKindError


class Old:
    kind: ClassVar[str] = "old"
    replaces: ClassVar[tuple[str, ...]] = ("older",)


class New:
    kind: ClassVar[str] = "new"
    replaces: ClassVar[tuple[str, ...]] = ()


def make() -> Registry[Old]:
    registry: Registry[Old] = Registry("thing")
    registry.add(Old)
    registry.add(New)
    return registry


def test_things_are_found_by_kind_and_by_what_they_replace() -> None:
    registry = make()
    assert registry.get("old") is Old
    assert registry.get("older") is Old
    assert registry.kinds() == ["old", "new"]
    assert list(registry) == [Old, New]
    assert len(registry) == 2


def test_an_unknown_kind_lists_what_exists_and_guesses() -> None:
    with pytest.raises(UnknownKindError, match=r"no thing “olt”\. Did you mean “old”\? Known: old, new"):
        make().get("olt")


def test_a_huge_kind_is_answered_shortly() -> None:
    with pytest.raises(UnknownKindError) as caught:
        make().get("x" * 1_000_000)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("kind", "replaces"), [("old", ()), ("older", ()), ("fresh", ("new",))])
def test_a_kind_is_registered_once(kind: str, replaces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="registered twice"):
        make().add(type("Rival", (), {"kind": kind, "replaces": replaces}))
