"""Numbers and times in words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.data import Source

if TYPE_CHECKING:
    from studio.training.events import Changed


def duration(seconds: float) -> str:
    """A length of time with its two largest units: "4 s", "2 min 5 s", "3 h 20 min"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def changed_text(event: Changed) -> str:
    """What was changed in a run under way: "learning rate from 0.001 to 0.01"."""
    return f"{event.name.rpartition('.')[2].replace('_', ' ')} from {event.before} to {event.after}"


def metric_title(metric: str) -> str:
    """The name of a metric for people."""
    from studio.settings.measures import title_of  # not needed to show the window

    return title_of(metric)


def metric_phrase(metric: str) -> str:
    """The name of a metric in the middle of a sentence."""
    from studio.settings.measures import phrase_of  # not needed to show the window

    return phrase_of(metric)


def metric_value(metric: str, value: float) -> str:
    """A metric's value for people: accuracy as a percentage."""
    from studio.settings.measures import is_share  # not needed to show the window

    return f"{100 * value:.1f} %" if is_share(metric) else f"{value:.4g}"


def metric_with_spread(metric: str, value: float, spread: float | None) -> str:
    """A metric's value, and how much it differs between runs: "96.1 % ± 0.4"."""
    from studio.settings.measures import is_share  # not needed to show the window

    if spread is None:
        return metric_value(metric, value)
    return f"{metric_value(metric, value)} ± {f'{100 * spread:.1f}' if is_share(metric) else f'{spread:.2g}'}"


def size(size_bytes: int) -> str:
    """A size as people read it: 900 bytes, 74 kB, 1.2 MB."""
    for limit, divisor, unit in ((1e3, 1, "bytes"), (1e6, 1e3, "kB"), (1e9, 1e6, "MB")):
        if size_bytes < 0.9995 * limit:
            return f"{size_bytes / divisor:.3g} {unit}"
    return f"{size_bytes / 1e9:.3g} GB"


def rate(per_second: float) -> str:
    """Samples per second, without digits that change all the time."""
    return f"{float(f'{per_second:.3g}'):,.0f}" if per_second >= 100 else f"{per_second:.3g}"


def count(number: int, noun: str) -> str:
    """ "block", or "3 blocks"."""
    return noun if number == 1 else f"{number} {noun}s"


def blocks_and_notes(blocks: int, notes: int) -> str:
    """ "block", "3 blocks", "note", or "3 blocks and note"."""
    return " and ".join(count(number, noun) for number, noun in ((blocks, "block"), (notes, "note")) if number)


def source_name(source: Source) -> str:
    """A dataset within a sentence: known ones have names, all others are "text files" and the like."""
    return source.title.lower() if source.needs_place else source.title
