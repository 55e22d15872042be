"""Runs in a process of their own: equal to those in a thread, left and found again, killed, and never left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from studio import trust
from studio.data import MissingDataError
from studio.fields import replace as replace_fields
from studio.locks import FileLock
from studio.project import read_template
from studio.runs import RunFolder
from studio.settings import TrainingSettings
from studio.storage import BadFileError, StorageError
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import ChangedDataError, MemoryShortageError, MissingWeightsError, TrainingError
from studio.training.events import (
    STOPPED,
    Changed,
    Confusion,
    Diagnosis,
    EpochEnded,
    Event,
    Health,
    Progress,
    Started,
)
from studio.training.job import Job
from studio.training.places.control import DetachableControl, DetachedError
from studio.training.places.failures import failure_from_json, failure_to_json
from studio.training.places.log import LogReader, LogWriter
from studio.training.places.mailbox import Mailbox, MailboxError, find_mailbox, mailboxes
from studio.training.places.process import run, watch
from studio.training.places.wishes import STOP, Forwarder, Listener, send
from studio.training.places.worker import Worker
from studio.training.pretrained import weights_file
from studio.training.runner import run as run_here
from tests.training.conftest import with_settings

ENDLESS = 1_000_000
SECONDS_TO_ANSWER = 120.0  # a start of PyTorch on a busy machine


@pytest.fixture(autouse=True)
def leaves_no_process_behind(own_folders: None) -> Iterator[None]:
    yield
    left = [mailbox for mailbox in mailboxes() if mailbox.alive_file.exists() and mailbox.is_alive]
    for mailbox in left:
        send(mailbox, STOP)
    assert left == []


@pytest.fixture
def mailbox(tmp_path: Path) -> Mailbox:
    """One in which no process works yet."""
    return Mailbox.create(Job(with_settings("iris-mlp", epochs=2), tmp_path / "run"))


def epochs(events: list[Event]) -> list[int]:
    return [event.epoch for event in events if isinstance(event, EpochEnded)]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.01)


def test_a_process_comes_to_the_same_weights_as_a_thread(tmp_path: Path) -> None:
    project = with_settings("digits-mlp", epochs=2, seed=3)
    told: dict[str, list[Event]] = {"here": [], "there": []}
    here = run_here(Job(project, tmp_path / "here"), Control(), told["here"].append)
    there = run(Job(project, tmp_path / "there"), Control(), told["there"].append)
    weights = [read_checkpoint(Path(finished.checkpoint)).model for finished in (here, there)]
    assert weights[0].keys() == weights[1].keys()
    assert all(weights[0][name].equal(weights[1][name]) for name in weights[0])
    assert here.metrics == there.metrics
    timed = (Progress, Health, Diagnosis, Confusion)  # these come when it is time
    kinds = [[type(event) for event in events if not isinstance(event, timed)] for events in told.values()]
    assert kinds[0] == kinds[1]
    assert told["there"][-1] == there
    assert mailboxes() == []


class Watcher(threading.Thread):
    """Trains or watches in a thread, as the window does."""

    def __init__(self, work: Callable[[Control, Callable[[Event], None]], object]) -> None:
        super().__init__(daemon=True)
        self.control = DetachableControl()
        self.events: list[Event] = []
        self.error: Exception | None = None
        self._work = work
        self.start()

    def run(self) -> None:
        try:
            self._work(self.control, self.events.append)
        except Exception as error:
            self.error = error

    def wait_for_epoch(self, epoch: int) -> None:
        wait_until(lambda: not self.is_alive() or epoch in epochs(self.events))
        assert self.error is None


def test_a_run_is_left_found_again_paused_and_stopped(tmp_path: Path) -> None:
    job = Job(with_settings("digits-mlp", epochs=ENDLESS), tmp_path / "run")
    first = Watcher(lambda control, tell: run(job, control, tell))
    first.wait_for_epoch(2)
    first.control.detach()
    first.join(SECONDS_TO_ANSWER)
    assert isinstance(first.error, DetachedError)

    mailbox = find_mailbox(tmp_path / "run")
    assert (mailbox.is_alive, mailbox.is_watched, mailbox.title) == (True, False, job.project.title)
    second = Watcher(lambda control, tell: watch(mailbox, control, tell))
    second.wait_for_epoch(epochs(first.events)[-1] + 5)
    assert epochs(second.events) == list(range(1, epochs(second.events)[-1] + 1))  # all, from the first
    assert isinstance(second.events[0], Started)
    with pytest.raises(MailboxError, match="watches this run already"):
        watch(mailbox, Control(), print)

    second.control.pause()
    wait_until(lambda: stands_still(second.events))
    second.control.resume()
    second.wait_for_epoch(epochs(second.events)[-1] + 1)
    settings = job.project.training
    second.control.change(replace(settings, optimizer=replace_fields(settings.optimizer, learning_rate=0.0007)))
    wait_until(lambda: any(isinstance(event, Changed) and event.after == 0.0007 for event in second.events))
    started = time.monotonic()
    second.control.stop()
    second.join(SECONDS_TO_ANSWER)
    assert time.monotonic() - started < 1.0
    assert second.events[-1].status == STOPPED
    assert read_checkpoint(tmp_path / "run" / "checkpoints" / "best.pt").epoch > 0
    assert mailboxes() == []


def stands_still(events: list[Event]) -> bool:
    """Whether nothing comes for half a second, five times as long as between two events."""
    before = len(events)
    threading.Event().wait(0.5)
    return len(events) == before


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_a_process_that_is_killed_is_explained(tmp_path: Path) -> None:
    folder = tmp_path / "run"

    def kill(event: Event) -> None:
        if isinstance(event, EpochEnded):
            find_mailbox(folder).kill()

    job = Job(with_settings("digits-mlp", epochs=ENDLESS), folder)
    with pytest.raises(TrainingError, match=r"SIGKILL.*memory ran short.*The last checkpoint is kept.*can go on"):
        run(job, Control(), kill)
    assert json.loads((folder / "run.json").read_text())["status"] == "failed"
    assert len((folder / "metrics.jsonl").read_text().splitlines()) >= 1
    assert mailboxes() == []


def test_a_run_that_ended_unseen_without_a_word_names_its_checkpoint(mailbox: Mailbox, tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path / "run", read_template("iris-mlp"))
    folder.best.touch()
    folder.write_record({"status": "running"})
    mailbox.write_process(folder.path)
    live_and_die(mailbox)
    with pytest.raises(TrainingError, match=r"ended without a word.*The last checkpoint is kept: .*best\.pt"):
        watch(mailbox, Control(), print)
    assert folder.read_record()["status"] == "failed"
    assert mailboxes() == []


def live_and_die(mailbox: Mailbox) -> None:
    lock = FileLock(mailbox.alive_file)
    assert lock.acquire()
    lock.release()


def test_a_process_that_cannot_be_started_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no python"))
    with pytest.raises(TrainingError, match="No process could be started for the run: No such file"):
        run(Job(with_settings("iris-mlp")), Control(), print)
    assert mailboxes() == []


def test_a_paused_run_that_nobody_can_reach_any_more_ends(mailbox: Mailbox) -> None:
    class Paused(Worker):
        def train(self, job: Job) -> None:
            self._control.pause()
            shutil.rmtree(mailbox.folder)
            self._control.wait_while_paused()
            assert self._control.stopping

    with pytest.raises(StorageError):  # there is no place for its last words
        Paused(mailbox).run()


def test_the_error_of_a_run_arrives_as_the_same_one(mailbox: Mailbox) -> None:
    log = LogWriter(mailbox.folder)
    log.add({"failure": failure_to_json(MissingDataError("MNIST was not found."))})
    log.flush()
    live_and_die(mailbox)
    with pytest.raises(MissingDataError, match=r"^MNIST was not found\.$"):
        watch(mailbox, Control(), print)
    assert mailboxes() == []


def test_what_may_be_downloaded_and_what_is_a_fault_are_told() -> None:
    file = weights_file("resnet18")
    missing = failure_from_json(failure_to_json(MissingWeightsError("They are missing.", file)))
    assert isinstance(missing, MissingWeightsError)
    assert (str(missing), missing.file) == ("They are missing.", file)
    fault = failure_from_json(failure_to_json(ZeroDivisionError("by zero")))
    assert type(fault) is TrainingError
    assert "unexpected error: ZeroDivisionError: by zero" in str(fault)
    for bad in (
        {"kind": "SystemExit", "message": "x"},
        {"kind": "TrainingError"},
        {**failure_to_json(missing), "network": "x"},
    ):
        with pytest.raises(BadFileError):
            failure_from_json(bad)


def test_a_log_stays_short_and_a_reader_misses_no_end(tmp_path: Path) -> None:
    log, early = LogWriter(tmp_path, most_bytes=20_000), LogReader(tmp_path)
    seen: list[int] = []
    for epoch in range(1, 2_001):
        log.event(EpochEnded(epoch, epoch, {"loss": 1.0}, {"loss": 1.0}, 0.1, True))
        if epoch % 10 == 0:
            log.flush()
            seen += [line["event"]["epoch"] for line in early.read()]
    assert seen == list(range(1, 2_001))
    late = [line["event"]["epoch"] for line in LogReader(tmp_path).read()]
    assert late == sorted(set(late))
    assert (late[-1], len(late) < 200) == (2_000, True)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 50_000


def test_a_line_that_is_not_whole_yet_is_left_for_later(tmp_path: Path) -> None:
    reader, log = LogReader(tmp_path), tmp_path / "events-1.jsonl"
    log.write_bytes(b'{"number": 1, "end": true}\n{"number": 2, "e')
    assert [line["number"] for line in reader.read()] == [1]
    log.write_bytes(log.read_bytes() + b'nd": true}\n')
    assert [line["number"] for line in reader.read()] == [2]


def test_wishes_reach_the_control_of_the_run(mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    asked, obeying = Control(), Control()
    forwarder, listener = Forwarder(mailbox, asked), Listener(mailbox, obeying)
    settings = with_settings("iris-mlp", epochs=77).training
    asked.pause()
    asked.change(settings)
    forwarder.forward()
    with mailbox.wishes_file.open("a") as file:
        file.write('{"wish": "exec", "value": "x"}\nno JSON\n')
    listener.obey()
    assert (obeying.paused, obeying.stopping, obeying.take_change()) == (True, False, settings)
    assert caplog.text.count("a wish was not understood") == 2
    asked.resume()
    asked.stop()
    forwarder.forward()
    listener.obey()
    assert (obeying.paused, obeying.stopping) == (False, True)


@pytest.mark.skipif(os.name != "posix", reason="links, pipes and rights as on POSIX")
@pytest.mark.parametrize("name", ["wishes.jsonl", "process.json", "events-1.jsonl", "alive.lock"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_is_no_plain_file_is_refused(mailbox: Mailbox, tmp_path: Path, name: str, kind: str) -> None:
    if kind == "link":
        (tmp_path / "elsewhere").touch()
        (mailbox.folder / name).symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(mailbox.folder / name)
    with pytest.raises(MailboxError, match="is not used"):
        watch(mailbox, Control(), print)
    assert mailboxes() == []


@pytest.mark.skipif(os.name != "posix", reason="rights as on POSIX")
def test_a_folder_that_others_may_open_or_fill_is_refused(mailbox: Mailbox) -> None:
    (mailbox.folder / "sitecustomize.py").touch()
    with pytest.raises(MailboxError, match="does not belong"):
        mailbox.check()
    (mailbox.folder / "sitecustomize.py").unlink()
    mailbox.check()
    mailbox.folder.chmod(0o755)
    with pytest.raises(MailboxError, match="open to other people"):
        mailbox.check()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells when a process started")
def test_a_number_that_was_given_to_another_process_is_never_used(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda *given: sent.append(given))
    mailbox.write_process()
    right = json.loads(mailbox.process_file.read_text())
    lock = FileLock(mailbox.alive_file)
    lock.acquire()
    for wrong in ({"start": 12}, {"pid": 999_999_999}, {"pid": 1, "start": None}, {"pid": -5}, {"pid": True}):
        mailbox.process_file.write_text(json.dumps({**right, **wrong}))
        assert not mailbox.kill()
    mailbox.process_file.write_text(json.dumps(right))
    lock.release()
    assert not mailbox.kill()  # it does not live any more
    lock.acquire()
    assert mailbox.kill()
    assert sent == [(os.getpid(), signal.SIGKILL)]
    lock.release()


def test_only_what_is_trusted_here_is_trusted_there(monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.training.places.worker import greeting

    monkeypatch.setattr(trust, "_for_now", set())
    trust.trust_for_now("print(1)")
    given = json.loads(greeting())
    trust.forget_for_now()
    assert not trust.is_trusted("print(1)")
    trust.take_over(given["trusted"])
    assert trust.is_trusted("print(1)")
    assert not trust.is_trusted("print(2)")


def test_a_job_comes_back_as_it_was(tmp_path: Path) -> None:
    job = Job(read_template("digits-cnn"), tmp_path / "run", tmp_path / "data", surfaces=True)
    mailbox = Mailbox.create(job)
    assert mailbox.read_job() == job
    assert set(json.loads(mailbox.job_file.read_text())) == {field.name for field in fields(Job)}
    assert Mailbox.create(Job(job.project)).read_job() == Job(job.project)


def test_a_shortage_of_memory_comes_with_its_way_out() -> None:
    smaller = TrainingSettings(batch_size=16)
    told = failure_to_json(MemoryShortageError("Not enough memory.", Path("run"), smaller))
    error = failure_from_json(json.loads(json.dumps(told)))
    assert isinstance(error, MemoryShortageError)
    assert (str(error), error.run, error.smaller) == ("Not enough memory.", Path("run"), smaller)
    told = failure_to_json(ChangedDataError("Other data."))
    assert type(failure_from_json(told)) is ChangedDataError
