"""What a check before a run measured, in words: for the window and for the command line. No torch here."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.training.preflight import Preflight


def rows(result: Preflight) -> list[tuple[str, str, str]]:
    """What was measured, its value, and what that means."""
    return [
        ("One step", seconds_text(result.step_seconds), f"{result.batch_size:,} samples"),
        ("One epoch", seconds_text(result.epoch_seconds), f"{result.steps_per_epoch:,} steps and the validation"),
        ("Whole run", seconds_text(result.run_seconds), f"{result.epochs:,} epoch{'s' if result.epochs > 1 else ''}"),
        ("Memory of a step", bytes_text(result.memory_bytes), _free(result)),
        ("Largest batch", _largest(result), _largest_means(result)),
        ("Loss at the start", f"{result.first_loss:.3g}", _expected(result)),
        ("One batch alone", _one_batch(result), f"in {len(result.one_batch):,} steps"),
    ]


def _free(result: Preflight) -> str:
    return f"of {bytes_text(result.free_bytes)} that are free" if result.free_bytes else "how much is free is not known"


def _largest(result: Preflight) -> str:
    return f"{result.largest_batch:,}" if result.largest_batch else "–"


def _largest_means(result: Preflight) -> str:
    if not result.largest_batch:
        return "not known here"
    return "samples; tried" if result.tried else "samples, by the memory of each"


def _expected(result: Preflight) -> str:
    return "" if math.isnan(result.expected_loss) else f"{result.expected_loss:.3g} is chance"


def _one_batch(result: Preflight) -> str:
    return f"{result.one_batch[0]:.3g} → {result.one_batch[-1]:.3g}"


def seconds_text(seconds: float) -> str:
    """A time with two digits or two units: "0.35 ms", "12 s", "3 min 20 s", "5 h 10 min"."""
    if seconds < 1:
        return f"{1e3 * seconds:.2g} ms" if seconds < 0.0995 else f"{1e3 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, left = divmod(minutes, 60)
    return f"{hours:,} h {left} min" if hours else f"{minutes} min {rest} s"


def bytes_text(count: int) -> str:
    """A size with three digits: "850 kB", "1.2 GB"."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= limit:
            return f"{count / limit:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"


def error_text(estimated: float, measured: float) -> str:
    """How far the estimate of an epoch was off, once there were some.

    Args:
        estimated, measured: seconds of an epoch.
    """
    off = measured / estimated - 1
    how = "as estimated" if abs(off) < 0.005 else f"{abs(off):.0%} {'more' if off > 0 else 'less'} than estimated"
    return f"An epoch took {seconds_text(measured)}: {how} ({seconds_text(estimated)})."
