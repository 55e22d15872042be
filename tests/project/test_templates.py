"""Templates are the first thing a person opens: they are whole, explained and ready to train."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from torch import nn

from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.compile.shapes import analyze
from studio.graph.geometry import NODE_WIDTH
from studio.project import UnknownTemplateError, read_template, templates, write_project
from studio.project.templates import DEFAULT_TEMPLATE

PARAMETERS = {
    "digits-mlp": 33_994, "digits-cnn": 151_402, "digits-gru": 14_858, "digits-attention": 21_674, "iris-mlp": 131,
    "digits-lstm": 19_594, "digits-rnn": 5_386, "digits-transformer": 17_706,
    "mnist-cnn": 208_982, "mnist-lenet5": 61_706, "mnist-relu-mlp": 101_770,
    "mnist-sigmoid-mlp": 23_860, "cifar-cnn": 315_722, "cifar-cnn-padded": 545_098, "cifar-vgg11": 9_228_362,
    "cifar-resnet18": 11_173_962, "imdb-gru": 690_050, "imdb-average": 644_290, "imdb-gru-classifier": 1_478_402,
    "imdb-lstm": 673_410, "imdb-attention": 656_770, "imdb-transformer": 707_074, "text-cnn": 1_434_502,
    "digits-two-outputs": 10_062, "xor-unit": 6, "xor-mlp": 22, "spirals-mlp": 1_251,
    "table-classifier": 2_722, "table-regression": 9_473,
    "digits-autoencoder": 9_416, "shapes-unet": 116_804, "shakespeare-gpt": 212_545,
    "ner-bigru": 1_065_421, "translation-transformer": 1_625_144,
    "spoken-digits-cnn": 34_186, "series-gru": 14_424,
    "photos-cnn": 93_730, "masks-unet": 117_058,
}  # fmt: skip
NAMES = [template.name for template in templates()]


def test_the_promised_templates_are_there() -> None:
    assert set(NAMES) == set(PARAMETERS)
    assert len(set(NAMES)) == len(NAMES)
    assert DEFAULT_TEMPLATE in NAMES
    titles = [read_template(name).title for name in NAMES]
    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_explained_and_has_no_problem(name: str) -> None:
    project = read_template(name)
    assert len(project.notes) > 80
    assert analyze(project.graph, project.data.spec).problems == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_as_the_studio_would_save_it(name: str, tmp_path: Path) -> None:
    original = next(template.path for template in templates() if template.name == name)
    write_project(tmp_path / "p.json", read_template(name))
    assert (tmp_path / "p.json").read_bytes() == original.read_bytes()


@pytest.mark.parametrize("name", NAMES)
def test_a_template_has_its_known_size(name: str) -> None:
    assert make_plan(read_template(name).graph).parameters == PARAMETERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_note_on_the_canvas_explains_it_in_english_and_chinese(name: str) -> None:
    graph = read_template(name).graph
    (note,) = graph.notes
    assert len(re.findall(r"[a-z]{3,}", note.text)) > 12
    assert len(re.findall(r"[\u4e00-\u9fff]", note.text)) > 20
    assert all(note.x >= node.x + NODE_WIDTH for node in graph.nodes), "it covers a block"


def test_the_residual_network_is_torchvisions_with_a_smaller_beginning() -> None:
    from torchvision.models import resnet18

    theirs = resnet18(num_classes=10)
    theirs.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    theirs.maxpool = nn.Identity()
    ours = build_network(make_plan(read_template("cifar-resnet18").graph))
    assert sum(p.numel() for p in theirs.parameters()) == sum(p.numel() for p in ours.parameters())
    assert sorted(p.shape for p in theirs.parameters()) == sorted(p.shape for p in ours.parameters())


def test_an_unknown_template_lists_the_others() -> None:
    with pytest.raises(UnknownTemplateError, match="digits-cnn"):
        read_template("nope")
