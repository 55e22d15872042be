from __future__ import annotations

import copy
import dataclasses
import functools
import pickle
from typing import Any, ClassVar

import pytest

from studio.fields import Declared, FieldError, field, from_json, made_by, parse, replace, specs, to_json


class Sample(Declared):
    flag: bool = field(True)
    count: int = field(3, min=1, max=10, unit="ms", help="How many.")
    rate: float = field(0.5, min=0.0, max=1.0)
    mode: str = field("a", choices=("a", "b"))
    name: str = field("x")
    sizes: tuple[int, ...] = field((1, 2), min=-1, max=9)


def test_specs_hold_what_was_declared() -> None:
    by_name = {spec.name: spec for spec in specs(Sample)}
    assert list(by_name) == ["flag", "count", "rate", "mode", "name", "sizes"]
    count = by_name["count"]
    assert (count.type, count.default, count.min, count.max, count.unit, count.help) == (
        int,
        3,
        1,
        10,
        "ms",
        "How many.",
    )
    assert by_name["sizes"].type is tuple
    assert by_name["mode"].choices == ("a", "b")


BAD: list[tuple[str, Any, str]] = [
    ("flag", 1, "true or false"),
    ("count", 0, "at least 1, not 0"),
    ("count", 11, "at most 10, not 11"),
    ("count", 2.0, "whole number"),
    ("count", True, "whole number"),
    ("count", 10**5000, "at most 10, not a number with thousands of digits"),
    ("rate", 1.01, "at most 1"),
    ("rate", float("nan"), "finite"),
    ("rate", float("inf"), "finite"),
    ("rate", "0.5", "a number"),
    ("mode", "c", "one of a, b"),
    ("name", 5, "a text"),
    ("name", "x" * 10_001, "longer than"),
    ("sizes", (), "1 to 8 numbers"),
    ("sizes", (1,) * 9, "1 to 8 numbers"),
    ("sizes", (10,), "at most 9"),
    ("sizes", (-2,), "at least -1"),
    ("sizes", (1.5,), "whole numbers"),
    ("sizes", [1], "whole numbers"),
]


@pytest.mark.parametrize(("name", "value", "message"), BAD, ids=[f"{i}-{case[0]}" for i, case in enumerate(BAD)])
def test_values_that_do_not_fit_are_refused(name: str, value: Any, message: str) -> None:
    with pytest.raises(FieldError, match=message) as caught:
        Sample(**{name: value})
    assert str(caught.value).startswith(f"Sample: {name}")
    assert len(str(caught.value)) < 200


def test_large_bounds_are_written_out() -> None:
    class Large(Declared):
        count: int = field(1, min=1, max=1_000_000)

    with pytest.raises(FieldError, match="at most 1,000,000, not 1000001"):
        Large(count=1_000_001)


@pytest.mark.parametrize(
    ("name", "value"), [("count", 1), ("count", 10), ("rate", 0.0), ("rate", 1.0), ("sizes", (-1, 9))]
)
def test_bounds_are_inclusive(name: str, value: Any) -> None:
    assert getattr(Sample(**{name: value}), name) == value


def test_json_round_trip() -> None:
    value = Sample(flag=False, count=7, rate=0.25, mode="b", name="ß", sizes=(3,))
    assert from_json(Sample, to_json(value)) == value
    assert from_json(Sample, {}) == Sample()
    assert from_json(Sample, {"rate": 1}).rate == 1.0


@pytest.mark.parametrize("data", [None, [], "x", {"colour": 1}, {"sizes": "12"}, {"sizes": None}, {"rate": 10**400}])
def test_bad_json_is_refused(data: Any) -> None:
    with pytest.raises(FieldError):
        from_json(Sample, data)


def test_replace_checks_too() -> None:
    assert replace(Sample(), count=4).count == 4
    with pytest.raises(FieldError):
        replace(Sample(), count=40)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("flag", "Yes", True), ("flag", "0", False), ("count", " 4 ", 4), ("rate", "1e-3", 1e-3), ("name", "q", "q"),
     ("sizes", "1, 2", (1, 2)), ("sizes", "3x4", (3, 4)), ("sizes", "3×4", (3, 4))],
)  # fmt: skip
def test_parse_reads_what_people_type(name: str, text: str, value: Any) -> None:
    assert parse({spec.name: spec for spec in specs(Sample)}[name], text) == value


@pytest.mark.parametrize(("name", "text"), [("flag", "maybe"), ("count", "4.5"), ("rate", "much"), ("sizes", "1,a")])
def test_parse_refuses_the_rest(name: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse({spec.name: spec for spec in specs(Sample)}[name], text)


class Holder(Declared):
    """One thing that must be given, one that is made, one field, and something kept beside them."""

    kind: ClassVar[str] = "holder"
    given: tuple[str, ...]
    made: Sample = made_by(Sample)
    size: int = field(2, min=1)

    @functools.cached_property
    def doubled(self) -> int:
        return 2 * self.size


class Smaller(Holder):
    size: int = field(1, min=1)
    more: bool = field(True)


def test_a_declaration_is_a_value() -> None:
    one, same, other = Holder(("a",)), Holder(given=("a",), size=2), Holder(("a",), Sample(count=4))
    assert one == same != other
    assert hash(one) == hash(same)
    assert one.doubled == 4
    assert one == same
    assert hash(one) == hash(same)
    assert repr(one) == f"Holder(given=('a',), made={Sample()!r}, size=2)"
    assert Smaller(("a",), size=2) != one
    assert one != ("a",)
    assert dataclasses.replace(one, size=3) == Holder(("a",), size=3)
    assert copy.deepcopy(one) == one
    assert pickle.loads(pickle.dumps(one)) == one


def test_a_declaration_is_frozen() -> None:
    holder = Holder(("a",))
    with pytest.raises(AttributeError, match="frozen"):
        holder.size = 3  # type: ignore[misc]
    with pytest.raises(AttributeError, match="frozen"):
        del holder.size  # type: ignore[misc]
    assert holder == Holder(("a",))


def test_what_cannot_be_made_says_why() -> None:
    with pytest.raises(TypeError, match="needs given"):
        Holder()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="cannot be made with colour"):
        Holder(("a",), colour=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="cannot be made with given"):
        Holder(("a",), given=("b",))  # type: ignore[misc]
    with pytest.raises(TypeError, match="so many"):
        Holder(("a",), Sample(), 2, 3)  # type: ignore[call-arg]


def test_a_field_declared_again_keeps_its_place() -> None:
    assert [(spec.name, spec.default) for spec in specs(Smaller)] == [("size", 1), ("more", True)]
    assert Smaller.kind == "holder"
    assert specs(Holder)[0].default == 2
