"""What a run tells, on the command line: lines of JSON, or a progress bar with lines above it."""

from __future__ import annotations

import json
import sys
from typing import Any

from studio.training.event_json import event_to_json
from studio.training.events import (
    Changed,
    Diagnosis,
    EpochEnded,
    Event,
    Finding,
    Finished,
    Invited,
    Joined,
    Metrics,
    NotFinite,
    NotSaved,
    Preparing,
    Progress,
    Ranks,
    RepeatStarted,
    Resumed,
    Started,
)  # fmt: skip


class JsonLines:
    """Prints each event as one line of JSON."""

    def event(self, event: Event) -> None:
        """Print an event."""
        print(json.dumps(event_to_json(event), allow_nan=False), flush=True)

    def result(self, finished: Finished) -> None:
        """Nothing more: the last event says it."""

    def close(self) -> None:
        """Nothing to put away."""


def finding_lines(finding: Finding) -> list[str]:
    """A finding in words: what, why, and what to do."""
    lines = [f"{finding.severity}: {finding.title}. {finding.evidence}"]
    if finding.remedies:
        lines.append(f"  What may help: {'; '.join(finding.remedies)}.")
    return [*lines, f"  {finding.advice}"] if finding.advice else lines


def _in_words(figures: Metrics, deviations: Metrics | None = None) -> str:
    """Figures, and where they are means of several runs their deviations."""
    spread = {name: f" ± {value:.4f}" for name, value in (deviations or {}).items()}
    return "  ".join(f"{name} {value:.4f}{spread.get(name, '')}" for name, value in figures.items())


class ProgressBar:
    """A progress bar on standard error, a line per epoch, and a table at the end."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._metric = "score"
        self._first_step = 0
        self._findings: set[tuple[str, str]] = set()  # that were told
        self._ranks: dict[int, tuple[str, int, str]] = {}  # what was told of each process last

    def event(self, event: Event) -> None:
        """Move the bar."""
        match event:
            case Preparing():
                self._prepare(event)
            case Started():
                self.close()
                self._start(event)
            case Progress():
                self._bar.set_postfix({"loss": f"{event.loss:.4f}", self._metric: f"{event.score:.4f}"}, refresh=False)
                self._bar.update(event.step - self._bar.n)
            case Changed():
                self._bar.write(f"step {event.step:,}: {event.name} from {event.before} to {event.after}", sys.stderr)
            case RepeatStarted():
                self.close()
                print(f"run {event.number} of {event.total}: {event.title}", file=sys.stderr)
            case EpochEnded() if event.step > self._first_step:  # those before were printed when they ended
                self._bar.update(event.step - self._bar.n)
                self._bar.write(self._epoch_line(event), file=sys.stderr)
            case Resumed():
                self._bar.write(f"goes on in epoch {event.epoch:,} after step {event.step:,}", file=sys.stderr)
                for note in event.notes:
                    self._bar.write(note, file=sys.stderr)
            case Joined():
                for line in event.lines():
                    self._bar.write(line, file=sys.stderr)
            case Ranks():
                self._show_ranks(event)
            case Invited():
                print("\n".join(event.lines()), file=sys.stderr)
            case NotSaved(reason=words) | NotFinite(message=words):
                self._bar.write(words, file=sys.stderr)
            case Diagnosis():
                for finding in event.findings:
                    self._tell(finding)

    def _show_ranks(self, event: Ranks) -> None:
        """Print what a process does, if it does something else than before."""
        for rank in event.ranks:
            state = rank.host, rank.pid, rank.state
            if rank.host and self._ranks.get(rank.rank) != state:
                self._ranks[rank.rank] = state
                words = f"process {rank.rank} ({rank.host}, {rank.pid}): {rank.state}, step {rank.step:,}"
                self._say(words)

    def _say(self, words: str) -> None:
        """Print a line, above the bar if there is one."""
        if self._bar is None:
            print(words, file=sys.stderr)
        else:
            self._bar.write(words, file=sys.stderr)

    def _tell(self, finding: Finding) -> None:
        """Print what is wrong, once, and what can be done about it."""
        if (finding.kind, finding.node) not in self._findings:
            self._findings.add((finding.kind, finding.node))
            self._bar.write("\n".join(finding_lines(finding)), file=sys.stderr)

    def _prepare(self, event: Preparing) -> None:
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(
                total=event.total, unit="sample", desc="Read data", disable=None, dynamic_ncols=True, file=sys.stderr
            )
        self._bar.update(event.done - self._bar.n)

    def _start(self, event: Started) -> None:
        from tqdm import tqdm

        self._metric, self._first_step = event.metric, event.first_step
        print(
            f"{event.parameters:,} parameters, {event.samples['train']:,} training samples, "
            f"on {event.device} with {event.threads} thread{'s' if event.threads > 1 else ''}"
            f"{f', starting from {event.weights}' if event.weights else ''}",
            file=sys.stderr,
        )
        for line in event.measured_lines():
            print(line, file=sys.stderr)
        total = event.epochs * event.steps_per_epoch
        self._bar = tqdm(
            total=total, initial=event.first_step, unit="step", disable=None, dynamic_ncols=True, file=sys.stderr
        )

    def _epoch_line(self, event: EpochEnded) -> str:
        train, validation = event.train, event.validation
        return (
            f"epoch {event.epoch}: loss {train['loss']:.4f}, {self._metric} {train[self._metric]:.4f}; "
            f"validation loss {validation['loss']:.4f}, {self._metric} {validation[self._metric]:.4f}"
            f"{''.join(f', {name} {value:.4f}' for name, value in validation.items() if '.' in name)}"  # of one Output
            f"{' (best)' if event.best else ''}"
        )

    def result(self, finished: Finished) -> None:
        """Print the final table."""
        after = f"{finished.runs} runs" if finished.runs > 1 else f"{finished.epochs} epochs"
        print(f"{finished.status} after {after} in {finished.seconds:.1f} s")
        if finished.reason:
            print(f"  {finished.reason}")
        for split, figures in finished.metrics.items():
            words = _in_words(figures, finished.deviations.get(split, {}))
            print(f"  {split:<12}{words}  (trivial baseline: {_in_words(finished.baseline[split])})")
        if finished.metrics:
            uses = f"used {finished.test_uses:,} times so far" if finished.test_uses else "stayed locked"
            print(f"  test set    {uses}")
        print(f"  parameters  {finished.parameters:,}")
        print(f"  run         {finished.run}")
        print(f"  checkpoint  {finished.checkpoint}")

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()
