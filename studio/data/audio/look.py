"""What a look at a folder of sounds tells: how long they are, what is in them, and what is wrong."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studio.data.audio.files import Sounds
from studio.data.audio.loading import groups_of, in_threads, unreadable
from studio.data.audio.names import parts_of
from studio.data.audio.reading import SoundInfo, read_channels, read_info
from studio.data.base import (
    AUDIO,
    CATEGORICAL,
    ERROR,
    NOTE,
    WARNING,
    Column,
    DataError,
    DataProblem,
    DataSpec,
    Findings,
    Remedy,
)
from studio.data.choice import GROUPED
from studio.data.images.rules import LEAVE_OUT
from studio.data.listing import Listing, Shown
from studio.data.own_files import printable
from studio.fields import replace as replace_fields

if TYPE_CHECKING:
    from studio.data.audio.features import SoundRules
    from studio.data.audio.sources import AudioFolders

MOST_READ = 3_000  # sounds that are listened to; of more, evenly spread ones
MOST_HEADERS = 64  # that are read where a folder was dropped
MOST_CHANNELS = 2  # that are not worth a word
_SHOWN_SECONDS = 30.0
_MOST_NAMED = 20
_BINS = 20
_SILENT = 1e-4  # largest value of a sound in which nothing is to be heard: -80 dB
_FULL, _FULL_SHARE = 0.999, 0.002  # of the largest value; share of values there in a sound that is clipped
_CUT_SHARE = 0.05  # of the sounds that may be cut without a word


@dataclass(frozen=True)
class Heard:
    """What was found in a file; `problem` is why it could not be read."""

    info: SoundInfo | None = None
    peak: float = 0.0
    full: float = 0.0  # share of values that are as loud as can be
    problem: str = ""


def usual_rate_and_length(files: Sequence[Path]) -> tuple[int, float] | None:
    """The most frequent rate of some of the sounds, and the seconds that nineteen in twenty do not exceed.

    None if none of them can be read.
    """
    infos = [heard.info for heard in in_threads(_head, files[:: -(-len(files) // MOST_HEADERS)]) if heard.info]
    return usual_of(infos) if infos else None


def usual_of(infos: Sequence[SoundInfo]) -> tuple[int, float]:
    """The same of sounds whose headers were read, at least one."""
    lengths = sorted(info.seconds for info in infos)
    rate = Counter(info.rate for info in infos).most_common(1)[0][0]
    return rate, lengths[int(0.95 * (len(lengths) - 1))]


def _head(path: Path) -> Heard:
    try:
        return Heard(read_info(path))
    except DataError as error:
        return Heard(problem=str(error))


def _listen(seconds: float, path: Path) -> Heard:
    import numpy as np

    try:
        wave, info = read_channels(path, seconds)
    except DataError as error:
        return Heard(problem=str(error))
    loud = np.abs(wave)
    return Heard(info, float(loud.max()), float((loud >= _FULL).mean()))


def look(source: AudioFolders, spec: DataSpec, found: Sounds) -> Findings:
    """Listen to the sounds of a source and tell of them.

    Args:
        spec: of the source.
        found: its files.
    """
    rows = range(0, len(found.files), -(-len(found.files) // MOST_READ))
    listen = functools.partial(_listen, source.seconds)
    heard = dict(zip(rows, in_threads(listen, [found.files[row] for row in rows]), strict=True))
    counts = Counter(found.labels)
    target = replace(spec.target, names=found.names)
    return Findings(
        spec=replace(spec, target=target),
        summary=_summary(source, found, list(heard.values())),
        rows=len(found.files),
        columns=_columns(found, list(heard.values())),
        target=("label",),
        counts=tuple(counts[name] for name in found.names),
        problems=tuple(_problems(source, found, heard)),
    )


def _summary(source: AudioFolders, found: Sounds, heard: Sequence[Heard]) -> str:
    classes = ", ".join(name[:40] for name in found.names[:_MOST_NAMED]) + ", …" * (len(found.names) > _MOST_NAMED)
    where = f"part {found.label_part} of the names" if found.label_part else "the folders"
    own = 0 if found.test_start is None else len(found.files) - found.test_start
    test = f", {own:,} of them in a test set of its own" if own else ""
    lengths = [item.info.seconds for item in heard if item.info]
    long = f", {min(lengths):.2f} to {max(lengths):.2f} s long" if lengths else ""
    return (
        f"{len(found.files):,} sounds{test}{long}; {len(found.names)} classes by {where}: {classes}. Each becomes "
        f"{source.seconds:g} s at {source.rate:,} Hz."
    )


def _columns(found: Sounds, heard: Sequence[Heard]) -> tuple[Column, ...]:
    infos = [item.info for item in heard if item.info]
    rates = Counter(info.rate for info in infos).most_common(3)
    sound = Column(
        "sound", AUDIO, missing=len(heard) - len(infos), summary=", ".join(f"{rate:,} Hz" for rate, _ in rates),
        histogram=_lengths([info.seconds for info in infos]),
    )  # fmt: skip
    columns = [sound, _words("label", found.labels, used=True)]
    if found.groups:
        columns.append(_words(f"part {found.group_part} of the name", found.groups, used=False))
    return tuple(columns)


def _words(name: str, values: Sequence[str], *, used: bool) -> Column:
    counts = Counter(values).most_common()
    summary = ", ".join(f"{printable(value, 40)} ({count:,})" for value, count in counts[:3])
    histogram = tuple((printable(value, 40), count) for value, count in counts[:_MOST_NAMED])
    return Column(name, CATEGORICAL, distinct=len(counts), used=used, summary=summary, histogram=histogram)


def _lengths(seconds: Sequence[float]) -> tuple[tuple[str, int], ...]:
    import numpy as np

    if not seconds:
        return ()
    counts, edges = np.histogram(seconds, _BINS)
    return tuple((f"{edge:.2f} s", int(count)) for edge, count in zip(edges, counts, strict=False))


def _problems(source: AudioFolders, found: Sounds, heard: dict[int, Heard]) -> list[DataProblem]:
    infos = {row: item.info for row, item in heard.items() if item.info}
    problems = [
        *_unreadable(source, heard),
        *_silent_or_clipped(heard),
        *_too_long(source, infos),
        *_of_names(source, found),
    ]
    rates = Counter(info.rate for info in infos.values())
    if len(rates) > 1:
        names = ", ".join(f"{rate:,} Hz ({count:,})" for rate, count in rates.most_common(4))
        problems.append(
            DataProblem(f"There are sounds of several rates: {names}. All become {source.rate:,} Hz.", NOTE)
        )
    many = tuple(row for row, info in infos.items() if info.channels > MOST_CHANNELS)
    if many:
        channels = max(infos[row].channels for row in many)
        text = f"{len(many):,} sounds have up to {channels} channels, of which the mean is taken."
        problems.append(DataProblem(text, NOTE, many[:_MOST_NAMED]))
    if found.left_out:
        text = f"{found.left_out:,} files are left out: links that lead out of the folder, or names without a class."
        problems.append(DataProblem(text, WARNING))
    if len(heard) < len(found.files):
        text = f"{len(heard):,} of {len(found.files):,} sounds were listened to, evenly spread."
        problems.append(DataProblem(text, NOTE))
    return problems


def _unreadable(source: AudioFolders, heard: dict[int, Heard]) -> list[DataProblem]:
    rows = tuple(row for row, item in heard.items() if item.problem)
    if not rows:
        return []
    first = heard[rows[0]].problem
    if source.unreadable == LEAVE_OUT:
        text = f"{_sounds(len(rows))} cannot be read and are left out. The first: {first}"
        return [DataProblem(text, NOTE, rows[:_MOST_NAMED])]
    remedy = Remedy(f"Leave out {_sounds(len(rows))}", replace_fields(source, unreadable=LEAVE_OUT))
    text = f"{_sounds(len(rows))} cannot be read. The first: {first}"
    return [DataProblem(text, ERROR, rows[:_MOST_NAMED], (remedy,))]


def _silent_or_clipped(heard: dict[int, Heard]) -> list[DataProblem]:
    silent = tuple(row for row, item in heard.items() if item.info and item.peak < _SILENT)
    clipped = tuple(row for row, item in heard.items() if item.full > _FULL_SHARE)
    problems = []
    if silent:
        remedy = Remedy(f"Leave out {_sounds(len(silent))}", exclude=silent)
        text = f"{_sounds(len(silent), 'stay')} silent in the part that is read: there is nothing to learn from."
        problems.append(DataProblem(text, WARNING, silent[:_MOST_NAMED], (remedy,)))
    if clipped:
        text = (
            f"{_sounds(len(clipped), 'stay')} at the largest value for {_FULL_SHARE:.1%} of the time or more: recorded "
            "too loud, which changes how they sound."
        )
        problems.append(DataProblem(text, NOTE, clipped[:_MOST_NAMED]))
    return problems


def _too_long(source: AudioFolders, infos: dict[int, SoundInfo]) -> list[DataProblem]:
    rows = tuple(row for row, info in infos.items() if info.seconds > source.seconds + 0.005)
    if len(rows) <= _CUT_SHARE * len(infos):
        return []
    longest = max(infos[row].seconds for row in rows)
    which = f"{_sounds(len(rows), 'last')} longer than {source.seconds:g} s, the longest {longest:.1f} s"
    text = f"{which}: the end is cut off."
    whole = _seconds(longest)
    remedies = (Remedy(f"Take {whole:g} s of each", replace_fields(source, seconds=whole)),) if whole else ()
    return [DataProblem(text, NOTE, rows[:_MOST_NAMED], remedies)]


def _seconds(longest: float) -> float:
    """What holds the longest sound, as a setting; 0 if none does."""
    from studio.data.audio.sources import MOST_SECONDS, rounded_up

    return rounded_up(longest) if longest <= MOST_SECONDS else 0.0


def _of_names(source: AudioFolders, found: Sounds) -> list[DataProblem]:
    problems = []
    if found.label_part and not source.label_part and found.others:
        offered = tuple(
            Remedy(f"Part {part} is the label ({_few(found, part)})", replace_fields(source, label_part=part))
            for part in found.others[:5]
        )
        text = (
            f"That part {found.label_part} of the names is the label was found out by counting; it may be another one."
        )
        problems.append(DataProblem(text, NOTE, remedies=offered))
    if found.groups and not source.group_part:
        kinds = len(set(found.groups))
        text = (
            f"Part {found.group_part} of the names ({_few(found, found.group_part)}) has {kinds:,} values, such as who "
            "speaks. They are in all splits, so the test does not say how well unknown ones are understood."
        )
        together = replace_fields(source, group_part=found.group_part)
        remedies = (Remedy("Test with ones that are not in training", together, method=GROUPED),)
        problems.append(DataProblem(text, NOTE, remedies=remedies))
    return problems


def _few(found: Sounds, part: int) -> str:
    """Some values of a part of the names."""
    values = sorted({parts[part - 1] for path in found.files if len(parts := parts_of(path.name)) >= part})
    return ", ".join(printable(value, 20) for value in values[:3]) + ", …" * (len(values) > 3)


def _sounds(count: int, verb: str = "") -> str:
    """A count of sounds, and perhaps what they do."""
    verb = f" {verb}{'s' * (count == 1)}" if verb else ""
    return f"{count:,} sound{'s' * (count != 1)}{verb}"


class SoundListing(Listing):
    """Sounds as they are in their files; each is read when it is shown.

    Args:
        found: which there are.
        rules: what they become, if what could not be read then is to be left out; else None.
        grouped: whether samples that belong together are to be told.
    """

    def __init__(self, found: Sounds, rules: SoundRules | None, *, grouped: bool) -> None:
        import numpy as np

        numbers = {name: number for number, name in enumerate(found.names)}
        self._found, self._rules = found, rules
        self.count, self.names = len(found.files), found.names
        self.labels = np.array([numbers[label] for label in found.labels], np.int64)
        self.test_start, self.validation_start = found.test_start, found.validation_start
        self.groups = groups_of(found) if grouped else None

    @property
    def left_out(self) -> tuple[int, ...]:
        """What could not be read."""
        return unreadable(self._found, self._rules) if self._rules is not None else ()

    def show(self, index: int) -> Shown:
        """The beginning of a sound, all of its channels, at its own rate."""
        title, answer = self._found.title(index), self._found.labels[index]
        try:
            wave, info = read_channels(self._found.files[index], _SHOWN_SECONDS)
        except DataError as error:
            return Shown(title, answer, problem=str(error))
        cells = (
            ("rate", f"{info.rate:,} Hz"), ("channels", f"{info.channels}"), ("length", f"{info.seconds:.2f} s"),
        )  # fmt: skip
        return Shown(title, answer, wave=wave, rate=info.rate, cells=cells)
