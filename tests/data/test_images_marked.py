"""Pictures with masks and with rectangles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from studio.data import IGNORED, DataChoice, DataError, MissingDataError
from studio.data.batches import Batches
from studio.data.dataset import prepare
from studio.data.recognize import recognize
from studio.fields import replace
from tests.data.pictures import save


def dropped(path: Path) -> Any:
    (source,) = recognize(path)
    return source


def corner(value: int, rest: int = 0, size: int = 32) -> np.ndarray:
    """A mask whose upper left quarter has a value of its own."""
    mask = np.full((size, size), rest, np.uint8)
    mask[: size // 2, : size // 2] = value
    return mask


def pairs(root: Path, mask: Any, places: tuple[str, str] = ("images/{}.png", "masks/{}.png"), count: int = 12) -> Path:
    for i in range(count):
        save(root / places[0].format(f"p{i:02}"), i, (32, 32))
        save(root / places[1].format(f"p{i:02}"), mask(i))
    return root


@pytest.mark.parametrize(
    "places",
    [
        ("images/{}.png", "masks/{}.png"),
        ("images/{}.jpg", "masks/{}_mask.png"),
        ("imgs/a/{}.png", "labels/a/{}.png"),
        ("x/JPEGImages/{}.jpg", "x/SegmentationClass/{}.png"),
        ("{}.png", "{}_mask.png"),
        ("s/{0}/images/{0}.png", "s/{0}/masks/{0}.png"),
        ("train/images/{}.png", "train/masks/{}.png"),
    ],
)
def test_where_masks_may_be(tmp_path: Path, places: tuple[str, str]) -> None:
    source = dropped(pairs(tmp_path / "set", lambda i: corner(255), places))
    assert (source.kind, source.size, source.colour) == ("image-masks", (32, 32), "grey")
    findings = source.look()
    assert (findings.rows, findings.spec.target.names, findings.target) == (12, ("background", "object"), ("mask",))
    assert "background 75 %, object 25 %" in findings.summary
    assert findings.problems == ()
    dataset = prepare(DataChoice(source))
    assert dataset.spec == findings.spec
    assert torch.equal(dataset.targets[3].long(), torch.from_numpy(corner(1)).long())
    shown = source.listing().show(3)
    np.testing.assert_array_equal(shown.mask, corner(1))
    assert shown.answer == "background 75 %, object 25 %"


@pytest.mark.parametrize(
    ("values", "names", "ignored"),
    [
        ((0, 1, 2), ("0", "1", "2"), ()),
        ((0, 1), ("background", "object"), ()),
        ((0, 3, 255), ("0", "3"), (255,)),
        ((0, 85, 170, 255), ("0", "85", "170", "255"), ()),
        ((1, 2, 3), ("1", "2", "3"), ()),
    ],
)
def test_numbers_in_masks_are_classes(
    tmp_path: Path, values: tuple[int, ...], names: tuple[str, ...], ignored: tuple[int, ...]
) -> None:
    source = dropped(pairs(tmp_path, lambda i: corner(values[i % len(values)], values[0])))
    assert source.look().spec.target.names == names
    targets = prepare(DataChoice(source)).targets
    kept = [value for value in values if value not in ignored]
    for i in range(len(values)):
        expected = IGNORED if values[i] in ignored else kept.index(values[i])
        assert int(targets[i][0, 0]) == expected


def test_colours_and_palettes_are_classes(tmp_path: Path) -> None:
    colours = [(0, 0, 0), (128, 0, 0), (0, 0, 128)]
    pairs(tmp_path / "rgb", lambda i: np.array(colours, np.uint8)[corner(i % 3)])
    source = dropped(tmp_path / "rgb")
    assert source.look().spec.target.names == ("#000000", "#000080", "#800000")
    assert source.load().targets[:3, 0, 0].tolist() == [0, 2, 1]
    for i in range(12):
        save(tmp_path / "p" / "images" / f"{i:02}.png", i, (32, 32))
        mask = Image.fromarray(corner(i % 3), "L").convert("P")
        mask.putpalette([*range(9)])
        (tmp_path / "p" / "masks").mkdir(exist_ok=True)
        mask.save(tmp_path / "p" / "masks" / f"{i:02}.png")
    (tmp_path / "p" / "classes.txt").write_text("sky\ntree\nroad\n")
    source = dropped(tmp_path / "p")
    assert source.look().spec.target.names == ("sky", "tree", "road")
    assert source.load().targets[:3, 0, 0].tolist() == [0, 1, 2]


def test_a_mask_for_each_object(tmp_path: Path) -> None:
    for i in range(4):
        folder = tmp_path / "all" / f"s{i}"
        save(folder / "images" / f"s{i}.png", np.full((32, 32, 3), i, np.uint8))
        save(folder / "masks" / "a1.png", corner(255))
        save(folder / "masks" / "b2.png", corner(255)[::-1].copy())
    targets = dropped(tmp_path / "all").load().targets
    assert targets.dtype == np.int8
    np.testing.assert_array_equal(targets[2], corner(1) | corner(1)[::-1])


def test_own_sets_of_masks(tmp_path: Path) -> None:
    for part, count in (("train", 10), ("val", 3), ("test", 4)):
        pairs(tmp_path, lambda i: corner(1), (f"{part}/images/{{}}.png", f"{part}/masks/{{}}.png"), count)
    samples = dropped(tmp_path).load()
    assert (samples.validation_start, samples.test_start, len(samples.targets)) == (10, 13, 17)


def test_masks_follow_their_pictures(tmp_path: Path) -> None:
    """A bright quarter stays where the mask says it is, however both are fitted."""
    for i in range(3):
        mask = np.zeros((60, 100), np.uint8)
        mask[10 * i : 10 * i + 30, 20:60] = 1
        save(tmp_path / "images" / f"{i}.png", mask * 255)
        save(tmp_path / "masks" / f"{i}.png", mask)
    source = dropped(tmp_path)
    for fit in ("stretch", "crop the centre", "pad"):
        samples = replace(source, size=(32, 48), fit=fit).load()
        known = samples.targets != IGNORED
        assert known.all() == (fit != "pad")
        bright = samples.inputs[0][:, 0] > 127
        assert (bright == (samples.targets == 1))[known].mean() > 0.99, fit


def test_what_is_wrong_with_masks(tmp_path: Path) -> None:
    pairs(tmp_path, lambda i: corner(1))
    save(tmp_path / "masks" / "p03.png", corner(1, size=16))
    (tmp_path / "masks" / "p05.png").write_bytes(b"no picture")
    save(tmp_path / "images" / "alone.png", 9, (32, 32))
    source = dropped(tmp_path)
    problem, alone = source.look().problems
    assert problem.samples == (3, 5)
    assert "“images/p03.png” has a mask that has 16×16 pixels, other than its picture" in problem.message
    assert "1 pictures have no mask" in alone.message
    with pytest.raises(DataError, match="2 of 12 files"):
        source.load()
    dataset = prepare(DataChoice(problem.remedies[0].source))
    assert sum(len(rows) for rows in dataset.splits.values()) == 10


def test_numbers_of_objects_are_no_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    source = dropped(pairs(tmp_path, lambda i: rng.integers(0, 255, (32, 32), np.uint8)))
    with pytest.raises(DataError, match=r"25\d different numbers; classes are 2 to 127"):
        source.look()


def test_masks_reach_the_loss_as_class_numbers(tmp_path: Path) -> None:
    dataset = prepare(DataChoice(dropped(pairs(tmp_path, lambda i: corner(i % 3)))))
    (_, targets), *_ = Batches(dataset, "train", 4, torch.device("cpu")).epoch(None)
    assert (targets.dtype, targets.shape) == (torch.int64, (4, 32, 32))


VOC = """<annotation><filename>{name}.jpg</filename><object><name>cell</name><bndbox><xmin>2</xmin><ymin>3</ymin>
<xmax>20</xmax><ymax>13</ymax></bndbox></object>{more}</annotation>"""
FLAT = "<object><name>cell</name><bndbox><xmin>2</xmin><ymin>3</ymin><xmax>2</xmax><ymax>9</ymax></bndbox></object>"
DOG = "<object><name>&lt;b&gt;</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox></object>"


def voc(root: Path, more: str = "", count: int = 4) -> Path:
    (root / "Annotations").mkdir(parents=True)
    for i in range(count):
        save(root / "JPEGImages" / f"p{i}.jpg", i, (40, 60))
        (root / "Annotations" / f"p{i}.xml").write_text(VOC.format(name=f"p{i}", more=more if i == 1 else ""))
    return root


def test_pascal_voc(tmp_path: Path) -> None:
    source = dropped(voc(tmp_path / "all" / "set", DOG + FLAT))
    assert (source.kind, source.size) == ("image-boxes", (40, 60))
    findings = source.look()
    assert (findings.rows, findings.counts, findings.spec.target.names) == (4, (1, 4), ("<b>", "cell"))
    assert findings.spec.target.task == "detection"
    refused, odd = findings.problems
    assert "not possible yet" in refused.message
    assert "1 rectangles have no name, no numbers or no area" in odd.message
    shown = source.listing().show(1)
    assert [(box.name, box.left, box.top, box.right, box.bottom) for box in shown.boxes] == [
        ("cell", 2, 3, 20, 13), ("<b>", 1, 1, 5, 5),
    ]  # fmt: skip
    assert shown.answer == "1 <b>, 1 cell"
    with pytest.raises(DataError, match="Training on boxes is not possible yet"):
        prepare(DataChoice(source))


def test_boxes_are_shown_at_the_size_of_the_picture(tmp_path: Path) -> None:
    voc(tmp_path)
    save(tmp_path / "JPEGImages" / "p0.jpg", 5, (1_024, 2_048))
    shown = dropped(tmp_path).listing().show(0)
    assert shown.picture.shape == (512, 1_024, 3)
    assert shown.boxes[0].right == 10


def test_sets_of_pascal_voc(tmp_path: Path) -> None:
    voc(tmp_path)
    (tmp_path / "ImageSets" / "Main").mkdir(parents=True)
    (tmp_path / "ImageSets" / "Main" / "val.txt").write_text("p0\np2\n")
    listing = dropped(tmp_path).listing()
    assert (listing.count, listing.validation_start, listing.test_start) == (4, None, 2)
    assert [listing.show(i).title for i in range(4)] == [f"JPEGImages/p{i}.jpg" for i in (1, 3, 0, 2)]


def coco(root: Path, boxes: list[Any], count: int = 3) -> Path:
    for i in range(count):
        save(root / "images" / f"p{i}.png", i, (40, 60))
    content = {
        "images": [{"id": 10 + i, "file_name": f"p{i}.png", "width": 60, "height": 40} for i in range(count)],
        "annotations": boxes,
        "categories": [{"id": 1, "name": "cat"}, {"id": 7, "name": "dog"}],
    }
    (root / "annotations.json").write_text(json.dumps(content))
    return root


def box(image: int, kind: int, *numbers: Any) -> dict[str, Any]:
    return {"image_id": image, "category_id": kind, "bbox": list(numbers)}


def test_coco(tmp_path: Path) -> None:
    coco(tmp_path, [box(10, 1, 2, 3, 10, 5), box(10, 7, 1.5, 0, 4, 4), box(12, 7, 0, 0, 9, 9)])
    source = dropped(tmp_path)
    assert source.kind == dropped(tmp_path / "annotations.json").kind == "image-boxes"
    findings = source.look()
    assert (findings.rows, findings.counts, findings.spec.target.names) == (3, (1, 2), ("cat", "dog"))
    assert "1 pictures have no rectangle" in findings.problems[-1].message
    assert [(b.name, b.left, b.right, b.bottom) for b in source.listing().show(0).boxes] == [
        ("cat", 2, 12, 8), ("dog", 1.5, 5.5, 4),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<annotation><object>", "no whole XML file"),
        ('<!DOCTYPE a [<!ENTITY x "y">]><annotation><object/></annotation>', "declares entities"),
        ("<annotation>" + "x" * 5_000_000 + "</annotation>", "larger than 4.19"),
    ],
)
def test_hostile_xml(tmp_path: Path, content: str, reason: str) -> None:
    voc(tmp_path)
    (tmp_path / "Annotations" / "p2.xml").write_text(content)
    with pytest.raises(DataError, match=reason):
        dropped(tmp_path).look()


@pytest.mark.parametrize("broken", [[{"image_id": 10}], [box(99, 1, 1, 1, 1, 1)], [box(10, 1, 1)], ["x"]])
def test_broken_coco(tmp_path: Path, broken: list[Any]) -> None:
    with pytest.raises(DataError, match="is no COCO file"):
        dropped(coco(tmp_path, broken)).look()


def test_boxes_of_pictures_that_are_elsewhere(tmp_path: Path) -> None:
    voc(tmp_path / "set")
    save(tmp_path / "p9.jpg", 9, (40, 60))
    (tmp_path / "set" / "Annotations" / "p9.xml").write_text(VOC.format(name="../../p9", more=""))
    source = dropped(tmp_path / "set")
    assert "1 pictures that have rectangles are not there: “p9.jpg”" in source.look().problems[-1].message
    (index,) = (i for i in range(5) if source.listing().show(i).picture is None)
    assert source.listing().show(index).title == "missing/p9.jpg"


def test_nothing_there(tmp_path: Path) -> None:
    for source in (dropped(voc(tmp_path / "a")), dropped(pairs(tmp_path / "b", lambda i: corner(1)))):
        with pytest.raises(MissingDataError):
            replace(source, path=str(tmp_path / "gone")).look()
        (tmp_path / "empty").mkdir(exist_ok=True)
        with pytest.raises(MissingDataError):
            replace(source, path=str(tmp_path / "empty")).look()
