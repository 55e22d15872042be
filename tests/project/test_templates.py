"""Templates are the first thing a person opens: they are whole, explained and ready to train."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.project import UnknownTemplateError, read_template, templates, write_project
from studio.project.templates import DEFAULT_TEMPLATE

EXPECTED = {"digits-mlp", "digits-cnn", "mnist-cnn", "digits-gru", "digits-attention", "iris-mlp"}
NAMES = [template.name for template in templates()]


def test_the_promised_templates_are_there() -> None:
    assert set(NAMES) >= EXPECTED
    assert len(set(NAMES)) == len(NAMES)
    assert DEFAULT_TEMPLATE in NAMES
    titles = [read_template(name).title for name in NAMES]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_explained_and_has_no_problem(name: str) -> None:
    project = read_template(name)
    assert len(project.notes) > 80
    assert analyze(project.graph, project.data.source.spec).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_as_the_studio_would_save_it(name: str, tmp_path: Path) -> None:
    original = next(template.path for template in templates() if template.name == name)
    write_project(tmp_path / "p.json", read_template(name))
    assert (tmp_path / "p.json").read_bytes() == original.read_bytes()


def test_the_reference_network_has_its_known_size() -> None:
    assert make_plan(read_template("mnist-cnn").graph).parameters == 208_982


def test_an_unknown_template_lists_the_others() -> None:
    with pytest.raises(UnknownTemplateError, match="digits-cnn"):
        read_template("nope")
