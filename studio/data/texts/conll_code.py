"""Python that reads words with tags without the studio, for the exported training script."""

from __future__ import annotations

from pathlib import Path
from string import Template

from studio.data.base import IGNORED, LoadingCode, literal
from studio.data.texts.conll_reading import Sentences
from studio.data.texts.tokens import TokenRules


def loading_code(read: Sentences, place: Path, tokens: TokenRules) -> LoadingCode | None:
    """The code for a person's own files; None if they are not all written alike.

    Args:
        read: what was read of them.
        place: the file or folder from which it was.
        tokens: how the sentences are cut.
    """
    forms = {(form.encoding, form.columns) for form in read.forms}
    if len(forms) != 1:
        return None
    encoding, columns = forms.pop()
    folder = place.is_dir()
    own = {"validation": read.validation_start, "test": read.test_start}
    starts = [split for split, start in own.items() if start is not None]
    return LoadingCode(
        Template(_CODE)
        .substitute(
            encoding=encoding,
            count=columns.count,
            separator=literal(columns.separator) if columns.separator else "",
            numbered=" and cells[0].isdecimal()" if columns.universal else "",
            word=columns.word,
            tag=columns.tag,
            ignored=IGNORED,
            length=tokens.max_length,
            place="folder" if folder else "path",
            files=", ".join(f"folder / {literal(form.name)}" for form in read.forms) if folder else "path",
            returned="".join([", int"] * len(starts)),
            counts=f"    {', '.join(['train', *starts])} = map(len, parts)\n" if starts else "",
            before="".join(f", {' + '.join(['train', *starts[:number]])}" for number in range(len(starts))),
            told="" if not starts else f", and the number of the first sentence for {' and for '.join(starts)}",
        )
        .strip("\n"),
        takes_folder=True,
        own_splits=tuple(starts),
        place=str(place.absolute()),
        tokens=tokens,
    )


_CODE = '''
def read_sentences(path: Path) -> list[list[tuple[str, str]]]:
    """Sentences of a word with its tag on each line, with empty lines between them; other lines are comments."""
    sentences = [[]]
    for line in path.read_bytes().decode("$encoding").split("\\n"):
        cells = line.split($separator)
        if not line.strip() or line.startswith("-DOCSTART-"):
            sentences.append([])
        elif len(cells) == $count$numbered:
            sentences[-1].append(("_".join(cells[$word].split()) or "_", cells[$tag].strip()))
    return [sentence for sentence in sentences if sentence]


def load_data($place: Path) -> tuple[list[str], np.ndarray$returned]:
    """The sentences, the numbers of their tags (M, $length), $ignored behind the end$told."""
    parts = [read_sentences(path) for path in [$files]]
    sentences = [sentence for part in parts for sentence in part]
    names = sorted({tag for sentence in sentences for _, tag in sentence}, key=lambda tag: (tag != "O", tag))
    numbers = {name: number for number, name in enumerate(names)}
    targets = np.full((len(sentences), $length), $ignored, np.int64)
    for row, sentence in zip(targets, sentences, strict=True):
        row[: len(sentence)] = [numbers[tag] for _, tag in sentence[:$length]]
$counts    return [" ".join(word for word, _ in sentence) for sentence in sentences], targets$before
'''
