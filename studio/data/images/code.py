"""Python that reads pictures in class folders without the studio, for the exported training script.

Where it decodes, it follows `images_decode` line by line, so that the bytes come out equal.
"""

from __future__ import annotations

from pathlib import Path
from string import Template

from studio.data.base import LoadingCode, literal
from studio.data.images.decode import Form
from studio.data.images.files import DEPTH, IGNORED, Pictures
from studio.data.images.rules import CROP, GREY, PAD, STRETCH, SUFFIXES


def for_folders(pictures: Pictures, place: Path, form: Form) -> LoadingCode:
    """The code for pictures in class folders.

    Args:
        pictures: what was found.
        place: the folder in which it was.
        form: what the pictures are made to.
    """
    own = tuple(
        split
        for split, start in (("validation", pictures.validation_start), ("test", pictures.test_start))
        if start is not None
    )
    functions = Template(_CODE).substitute(
        height=form.height,
        width=form.width,
        channels=form.channels,
        least=2 * max(form.height, form.width),
        grey='.convert("L")' if form.colour == GREY else "",
        fit=Template(_FITS[form.fit]).substitute(height=form.height, width=form.width).strip("\n"),
        how=_HOW[form.fit],
        suffixes=_wrapped(sorted(SUFFIXES), "{", "}"),
        ignored=literal(IGNORED),
        deepest=DEPTH + 1,
        parts=_wrapped(pictures.parts, "(", ",)"),
        classes=_wrapped(pictures.classes, "(", ",)"),
        starts="".join(f", starts[{number}]" for number in range(1, len(own) + 1)),
        numbers=", int" * len(own),
        split="".join(f", the number of the first {split} picture" for split in own),
    )
    return LoadingCode(
        functions,
        ("import io", "import PIL.Image"),
        ("Pillow",),
        takes_folder=True,
        own_splits=own,
        place=str(place.absolute()),
    )


def _wrapped(texts: tuple[str, ...] | list[str], opening: str, closing: str) -> str:
    """Texts as Python, some to a line."""
    items = [literal(text) for text in texts]
    if len(items) <= 4:
        return f"{opening}{', '.join(items)}{closing}"
    lines = ["        " + ", ".join(items[start : start + 6]) + "," for start in range(0, len(items), 6)]
    return "\n".join([opening, *lines, f"    {closing.strip(',')}"])


_HOW = {STRETCH: "stretched", CROP: "its centre", PAD: "with black at its edges"}
_FITS = {
    STRETCH: """
    image = image.resize(($width, $height), PIL.Image.Resampling.BILINEAR)
""",
    CROP: """
    share = min(image.width / $width, image.height / $height)
    left, top = (image.width - $width * share) / 2, (image.height - $height * share) / 2
    box = (left, top, min(image.width, image.width - left), min(image.height, image.height - top))
    image = image.resize(($width, $height), PIL.Image.Resampling.BILINEAR, box=box)
""",
    PAD: """
    share = min($width / image.width, $height / image.height)
    width, height = max(1, round(image.width * share)), max(1, round(image.height * share))
    whole = image.resize((width, height), PIL.Image.Resampling.BILINEAR)
    image = PIL.Image.new(image.mode, ($width, $height))
    image.paste(whole, (($width - width) // 2, ($height - height) // 2))
""",
}
_CODE = '''
def eight_bits(image: PIL.Image.Image) -> PIL.Image.Image:
    """Grey of 16 bits as the upper 8, rounded; other numbers from the darkest place to the brightest."""
    values = np.asarray(image).astype(np.float64)
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if image.mode.startswith("I") and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    scaled = (np.nan_to_num(values, nan=low) - low) * (255.0 / max(high - low, 1e-300))
    return PIL.Image.fromarray(np.clip(np.floor(scaled + 0.5), 0, 255).astype(np.uint8))


def read_picture(path: Path) -> np.ndarray:
    """A picture ($channels, $height, $width) of bytes, $how: its first frame, turned as its camera says, on white."""
    turns = (None, None, 0, 3, 1, 5, 4, 6, 2)  # of the Exif standard, as Pillow numbers them
    with PIL.Image.open(io.BytesIO(path.read_bytes())) as image:  # from memory: Pillow maps some TIFF files wrongly
        image.draft(None, ($least, $least))  # a large JPEG is decoded smaller, which saves time
        image.load()
        turn = image.getexif().get(0x0112, 1)
        if turn in range(2, 9):
            image = image.transpose(turns[turn])
    if image.mode.startswith(("I", "F")):
        image = eight_bits(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        above = image.convert("RGBA")
        image = PIL.Image.new("RGBA", above.size, "white")
        image.alpha_composite(above)
    image = image.convert("RGB")$grey
$fit
    return np.asarray(image).reshape($height, $width, -1).transpose(2, 0, 1)


def find_pictures(folder: Path, root: Path) -> list[Path]:
    """All pictures in a folder and in those below it, in order."""
    suffixes = $suffixes
    found = []
    for path in folder.rglob("*"):
        inside = path.relative_to(folder).parts
        ignored = len(inside) > $deepest or any(part.startswith(".") or part in $ignored for part in inside)
        if path.suffix.lower() in suffixes and not ignored and path.is_file() and path.resolve().is_relative_to(root):
            found.append(path)
    return sorted(found, key=Path.as_posix)


def load_data(folder: Path) -> tuple[np.ndarray, np.ndarray$numbers]:
    """Pictures (M, $channels, $height, $width) of bytes, class numbers (M,)$split."""
    parts = $parts
    classes = $classes
    root, paths, labels, starts = folder.resolve(), [], [], []
    for part in parts:
        starts.append(len(paths))
        for number, name in sorted(enumerate(classes), key=lambda pair: pair[1]):
            found = find_pictures(root / part / name, root)
            paths += found
            labels += [number] * len(found)
    images = np.empty((len(paths), $channels, $height, $width), np.uint8)
    for number, path in enumerate(paths):
        images[number] = read_picture(path)
    return images, np.array(labels, np.int64)$starts
'''
