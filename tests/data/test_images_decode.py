"""Every kind of picture file becomes the bytes that a person sees, or a reason."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studio.data.images import decode as images_decode
from studio.data.images.decode import Form, PictureError, decode, decode_codes, decode_whole, read_file, read_header

PLAIN = Form(4, 4, "RGB", "stretch")
# Damaged files that Pillow opens or not, by the README.tsv beside them.
UNREADABLE = {
    "broken.png", "broken_data_stream.png", "truncated_image.png", "truncated_jpeg.jpg", "truncated_end_chunk.png",
    "zero_width.gif", "decompression_bomb.gif", "hopper_bad_checksum.msp", "badwidth.bmp", "shortfile.bmp",
}  # fmt: skip


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def pixel(image: Image.Image, form: Form = PLAIN, kind: str = "PNG", **options: object) -> list[int]:
    """The first pixel after it was saved and decoded."""
    return decode(encoded(image, kind, **options), form)[0][:, 0, 0].tolist()


def half(mode: str, left: object, right: object) -> Image.Image:
    """A picture of 4×4 whose left half differs from the right one."""
    image = Image.new(mode, (4, 4), right)
    image.paste(left, (0, 0, 2, 4))
    return image


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (4, 4), 77), [77, 77, 77]),
        (Image.new("1", (4, 4), 1), [255, 255, 255]),
        (Image.new("RGB", (4, 4), (1, 2, 3)), [1, 2, 3]),
        (Image.new("RGBA", (4, 4), (1, 2, 3, 255)), [1, 2, 3]),
        (Image.new("RGBA", (4, 4), (1, 2, 3, 0)), [255, 255, 255]),
        (Image.new("RGBA", (4, 4), (0, 0, 0, 51)), [204, 204, 204]),
        (Image.new("LA", (4, 4), (10, 0)), [255, 255, 255]),
        (Image.fromarray(np.full((4, 4), 65_535, np.uint16)), [255] * 3),
        (Image.fromarray(np.full((4, 4), 257 * 100 + 128, np.uint16)), [100] * 3),
        (Image.fromarray(np.full((4, 4), 257 * 100 + 129, np.uint16)), [101] * 3),
    ],
)
def test_modes(image: Image.Image, expected: list[int]) -> None:
    assert pixel(image) == expected
    grey = decode(encoded(image), Form(4, 4, "grey", "stretch"))[0]
    assert grey.shape == (1, 4, 4)
    assert abs(int(grey[0, 0, 0]) - sum(expected) / 3) <= 1


def test_a_palette_with_a_transparent_colour() -> None:
    image = half("P", 1, 2)
    image.putpalette([0, 0, 0, 200, 0, 0, 0, 0, 200])
    found = decode(encoded(image, "GIF", transparency=2), PLAIN)[0]
    assert found[:, 0, 0].tolist() == [200, 0, 0]
    assert found[:, 0, 3].tolist() == [255, 255, 255]


def test_other_numbers_than_bytes_are_spread() -> None:
    values = np.linspace(-3.0, 5.0, 16, dtype=np.float32).reshape(4, 4)
    found = decode(encoded(Image.fromarray(values), "TIFF"), Form(4, 4, "grey", "stretch"))[0][0]
    assert (found[0, 0], found[3, 3]) == (0, 255)


def test_cmyk() -> None:
    assert np.abs(np.array(pixel(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), kind="TIFF")) - [255, 0, 0]).max() < 3


def test_the_first_frame_of_several() -> None:
    frames = [Image.new("L", (4, 4), grey) for grey in (50, 150, 250)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content, PLAIN)[0][:, 0, 0].tolist() == [50, 50, 50]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_the_camera_says(orientation: int) -> None:
    upright = Image.fromarray(np.arange(24, dtype=np.uint8).reshape(4, 6) * 10)
    methods = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # what undoes each of them
    stored = upright.transpose(methods[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(stored, exif=exif)
    found, header = decode(content, Form(4, 6, "grey", "stretch"))
    assert (header.height, header.width) == (4, 6)
    np.testing.assert_array_equal(found[0], np.asarray(upright))


def test_what_is_cropped_and_what_is_padded() -> None:
    wide = Image.new("L", (12, 4), 0)
    wide.paste(200, (4, 0, 8, 4))
    cropped = decode(encoded(wide), Form(4, 4, "grey", "crop the centre"))[0]
    assert (cropped == 200).all()
    padded = decode(encoded(Image.new("L", (12, 4), 200)), Form(6, 6, "grey", "pad"))[0][0]
    assert (padded[2:4] == 200).all()
    assert not padded[:2].any()
    assert not padded[4:].any()


def test_small_things_stay_visible_when_a_picture_becomes_smaller() -> None:
    board = Image.fromarray((np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8))
    found = decode(encoded(board), Form(4, 4, "grey", "stretch"))[0]
    assert np.abs(found.astype(int) - 127).max() <= 2


def test_numbers_of_masks() -> None:
    mask = half("P", 3, 7)
    mask.putpalette(list(range(30)))
    assert np.unique(decode_codes(encoded(mask))).tolist() == [3, 7]
    assert np.unique(decode_codes(encoded(Image.new("RGB", (2, 2), (1, 2, 3))))).tolist() == [0x010203]
    assert np.unique(decode_codes(encoded(Image.new("1", (2, 2), 1)))).tolist() == [1]


def test_bombs_are_refused_before_they_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    content = encoded(Image.new("1", (9_000, 9_000)))
    with pytest.raises(PictureError, match=r"9,000×9,000 pixels; more than 50 million"):
        decode(content, PLAIN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        monkeypatch.setattr(images_decode, "_refuse_bombs", lambda: None)
        with pytest.raises(PictureError, match="more than 50 million"):
            decode(encoded(Image.new("1", (12_000, 12_000))), PLAIN)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\xff\xd8\xff", b"II*\0" + b"\xff" * 40],
)
def test_what_is_no_picture_has_a_reason(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(PictureError):
        decode(read_file(str(tmp_path / "x.png")), PLAIN)
    with pytest.raises(PictureError):
        read_header(str(tmp_path / "x.png"))


def test_every_cut_of_a_file_is_a_picture_or_refused() -> None:
    rng = np.random.default_rng(0)
    image = Image.fromarray(rng.integers(0, 256, (24, 24, 3), np.uint8))
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        content = encoded(image, kind)
        for length in range(0, len(content), max(1, len(content) // 40)):
            with contextlib.suppress(PictureError):  # anything else would be a crash
                assert decode(content[:length], PLAIN)[0].shape == (3, 4, 4)


def test_files_that_pillow_was_tried_with(shared: Callable[[str], Path]) -> None:
    paths = [path for path in sorted(shared("image-edge-cases").iterdir()) if path.name != "README.tsv"]
    assert len(paths) == 41
    refused = set()
    for path in paths:
        try:
            image, header = decode(read_file(str(path)), Form(32, 32, "RGB", "stretch"))
        except PictureError:
            refused.add(path.name)
            continue
        assert header == read_header(str(path))
        assert image.shape == (3, 32, 32)
        assert image.std() > 0, path.name
        assert max(decode_whole(read_file(str(path)), 50).shape) == 50 or path.name == "multipage.tiff"
    assert refused == UNREADABLE


def test_the_eight_ways_to_hold_a_camera_show_the_same(shared: Callable[[str], Path]) -> None:
    folder = shared("image-edge-cases")
    form = Form(64, 64, "RGB", "stretch")
    expected = decode(read_file(str(folder / "hopper.jpg")), form)[0].astype(int)
    for orientation in range(2, 9):
        found = decode(read_file(str(folder / f"hopper_orientation_{orientation}.jpg")), form)[0]
        assert np.abs(found - expected).mean() < 4, orientation
