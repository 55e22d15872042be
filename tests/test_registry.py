from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
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


def test_what_is_expected_is_imported_only_when_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: Registry[Old] = Registry("thing")
    home = SimpleNamespace(registry=registry)
    monkeypatch.setitem(sys.modules, "things_home", home)
    for name, kind, replaced in (("one", "first", "()"), ("two", "second", "('elder',)")):
        (tmp_path / f"things_{name}.py").write_text(
            "from things_home import registry\n\n@registry.add\nclass Thing:\n"
            f"    kind = {kind!r}\n    replaces = {replaced}\n"
        )
        registry.expect(f"things_{name}", kind)
        monkeypatch.delitem(sys.modules, f"things_{name}", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    registry.add(New)
    assert registry.get("second").kind == "second"
    assert "things_one" not in sys.modules
    assert registry.kinds() == ["first", "second", "new"]  # in the order in which they were announced
    assert "things_one" in sys.modules
    assert registry.get("elder") is registry.get("second")


def test_what_is_announced_of_the_datasets_is_there() -> None:
    """A fresh process knows all kinds of datasets and transforms by their names alone."""
    from studio.data import registry as datasets
    from studio.data.transforms import registry as transforms

    for registry in (datasets, transforms):
        for kind in registry.kinds():
            assert registry.get(kind).kind == kind
            assert registry._homes[kind] == registry.get(kind).__module__
