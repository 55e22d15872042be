"""What may go wrong in a run, and that nothing of it is lost then."""

from __future__ import annotations

import gc
import json
import threading
import weakref
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio import storage
from studio.blocks import registry as blocks
from studio.fields import replace as replace_fields
from studio.graph.edits import SetBlock, insert_on, new_node
from studio.graph.group_edits import MakeGroup
from studio.graph.groups import GroupUse
from studio.project import Project
from studio.runs import RunFolder, RunFolderError
from studio.settings import optimizers
from studio.storage import StorageError
from studio.training import clock, keeper
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import ChangedDataError, CheckpointError, MemoryShortageError
from studio.training.events import EpochEnded, Event, Finished, NotFinite, NotSaved, Resumed, Started
from studio.training.job import Job
from studio.training.resuming import read_point
from studio.training.runner import run
from tests.training.conftest import with_settings


def go_on(project: Project, folder: Path | str, **job: object) -> tuple[Finished, list[Event]]:
    events: list[Event] = []
    return run(Job(project, Path(folder), resume=True, **job), Control(), events.append), events  # type: ignore[arg-type]


def stopped(project: Project, folder: Path, steps: int) -> None:
    """Train so many steps."""
    control = Control()

    def stop(event: Event) -> None:
        if getattr(event, "step", 0) >= steps:
            control.stop()

    run(Job(project, folder), control, stop)


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events and checkpoints as often as can be."""
    monkeypatch.setattr(clock, "SECONDS_BETWEEN_EVENTS", 0.0)
    monkeypatch.setattr(clock, "FEWEST_STEPS", 1)
    monkeypatch.setattr(keeper, "SECONDS_BETWEEN_WRITES", 0.0)


def test_a_stopped_run_goes_on_where_it_stopped(tmp_path: Path, always_due: None) -> None:
    project = with_settings("digits-mlp", epochs=3)
    stopped(project, tmp_path / "run", 30)
    left = tmp_path / "run" / "checkpoints" / f".last.pt.0123{storage.TEMPORARY_SUFFIX}"
    left.write_bytes(b"half of it")  # as a kill leaves it
    finished, events = go_on(project, tmp_path / "run")
    assert not left.exists()
    started, resumed = events[0], next(event for event in events if isinstance(event, Resumed))
    assert isinstance(started, Started)
    assert (started.first_step, resumed.epoch) == (resumed.step, 2)
    assert resumed.step >= 30
    assert resumed.notes == ()
    assert [e.epoch for e in events if isinstance(e, EpochEnded)] == [1, 2, 3]  # the first as it was told before
    assert (finished.status, finished.epochs) == ("finished", 3)
    rows = [json.loads(line)["epoch"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows == [1, 2, 3]


def test_figures_after_the_checkpoint_and_half_lines_are_dropped(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    (tmp_path / "metrics.jsonl").write_text('{"epoch": 1}\n{"epoch": 2}\n{"epoch": 3}\n{"epo')
    assert folder.cut_metrics(2) == [{"epoch": 1}, {"epoch": 2}]
    assert (tmp_path / "metrics.jsonl").read_text() == '{"epoch": 1}\n{"epoch": 2}\n'


def test_a_pause_writes_a_checkpoint_though_none_is_due(tmp_path: Path) -> None:
    control, paused = Control(), threading.Event()

    def pause(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 1:
            control.pause()
            paused.set()

    worker = threading.Thread(target=run, args=(Job(with_settings("digits-mlp"), tmp_path / "run"), control, pause))
    worker.start()
    assert paused.wait(60)
    folder, wait = RunFolder(tmp_path / "run"), threading.Event()
    for _ in range(600):
        if folder.read_position().get("step", 0) > 20:
            break
        wait.wait(0.1)
    assert read_checkpoint(folder.last).rest["done"] == 1
    assert folder.is_under_way
    control.stop()
    worker.join(60)
    assert not folder.is_under_way


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path: Path, always_due: None) -> None:
    project = with_settings("digits-mlp", epochs=2)
    stopped(project, tmp_path / "run", 30)
    folder = RunFolder(tmp_path / "run")
    newest, before = (read_checkpoint(path).step for path in (folder.last, folder.earlier))
    assert before < newest
    flip_a_bit(folder.last)
    finished, events = go_on(project, folder.path)
    resumed = next(event for event in events if isinstance(event, Resumed))
    assert resumed.step == before
    assert "goes on from the checkpoint before the last one" in resumed.notes[0]
    assert finished.epochs == 2


def test_two_damaged_checkpoints_are_refused(tmp_path: Path, always_due: None) -> None:
    stopped(with_settings("digits-mlp", epochs=2), tmp_path / "run", 30)
    folder = RunFolder(tmp_path / "run")
    for path in (folder.last, folder.earlier):
        flip_a_bit(path)
    with pytest.raises(CheckpointError, match="SHA-256 differs"):
        read_point(folder)


def test_a_kill_between_the_two_generations_leaves_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, kept = tmp_path / "last.pt", tmp_path / "earlier.pt"
    for content in (b"one", b"two"):
        storage.write_recorded(path, content, kept)
    assert (path.read_bytes(), kept.read_bytes()) == (b"two", b"one")

    class KilledError(BaseException):
        pass

    replacing = storage.os.replace

    def die(source: Path, target: Path) -> None:
        if target == path:
            raise KilledError
        replacing(source, target)

    monkeypatch.setattr(storage.os, "replace", die)
    with pytest.raises(KilledError):
        storage.write_recorded(path, b"three", kept)
    assert not path.exists()
    assert kept.read_bytes() == b"two"
    storage.check_recorded(kept)


def test_writes_that_fail_again_and_again_leave_a_file_that_matches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, kept = tmp_path / "last.pt", tmp_path / "earlier.pt"
    for content in (b"one", b"two"):
        storage.write_recorded(path, content, kept)
    with monkeypatch.context() as full:
        full.setattr(storage, "_write_after", lambda *given: (_ for _ in ()).throw(StorageError("The disk is full.")))
        for number in range(20):
            with pytest.raises(StorageError):
                storage.write_recorded(path, f"lost {number}".encode(), kept)
    for file in (path, kept):
        storage.check_recorded(file)


def test_a_full_disk_does_not_end_a_run_and_is_told_once(
    tmp_path: Path, always_due: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write, append = storage.write_recorded, RunFolder.append_metrics
    events: list[Event] = []
    is_full = True

    def write_recorded(*given: object) -> None:
        if is_full:
            raise StorageError("Could not write last.pt: the disk is full.")
        write(*given)  # type: ignore[arg-type]

    def append_metrics(folder: RunFolder, row: dict) -> None:
        if is_full:
            with open(folder.path / "metrics.jsonl", "a") as file:
                file.write('{"epo')
            raise StorageError("Could not write metrics.jsonl: the disk is full.")
        append(folder, row)

    def tell(event: Event) -> None:
        nonlocal is_full
        events.append(event)
        is_full = is_full and not (isinstance(event, EpochEnded) and event.epoch == 4)

    monkeypatch.setattr(storage, "write_recorded", write_recorded)
    monkeypatch.setattr(RunFolder, "append_metrics", append_metrics)
    finished = run(Job(with_settings("digits-mlp", epochs=6), tmp_path / "run"), Control(), tell)
    told = [event.reason for event in events if isinstance(event, NotSaved)]
    assert sorted(told) == [
        "Could not write last.pt: the disk is full.", "Could not write metrics.jsonl: the disk is full.",
    ]  # fmt: skip
    assert finished.epochs == 6
    rows = [json.loads(line)["epoch"] for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert rows == [1, 2, 3, 4, 5, 6]
    assert read_checkpoint(RunFolder(tmp_path / "run").last).epoch == 6


def test_weights_that_are_no_numbers_never_take_the_place_of_good_ones(tmp_path: Path, always_due: None) -> None:
    project = with_settings("iris-mlp", epochs=200)
    sgd = optimizers.get("sgd")(learning_rate=100.0, momentum=0.99, weight_decay=10.0)
    events: list[Event] = []
    job = Job(replace(project, training=replace(project.training, optimizer=sgd)), tmp_path / "run")
    assert run(job, Control(), events.append).status == "diverged"
    point = read_point(RunFolder(tmp_path / "run"))
    assert all(bool(tensor.isfinite().all()) for tensor in point.checkpoint.model.values())
    found = next(event for event in events if isinstance(event, NotFinite))
    assert found.kind in ("gradient", "output")
    assert f"“{project.graph.node(found.node).name}”" in found.message
    assert isinstance(events[-1], Finished)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_block_that_was_the_first_to_give_no_number_is_named(tmp_path: Path, grouped: bool) -> None:
    """e to the power of e to the power of e: the third is too much."""
    project = with_settings("iris-mlp", epochs=3)
    graph, names = project.graph, []
    dense = next(node.id for node in graph.order if node.block.kind == "dense")
    for _ in range(3):
        (link,) = graph.links_into(dense)
        node = new_node(graph, blocks.get("exponential")())
        names.append((node.id, node.name))
        graph = insert_on(graph, link, node).apply(graph)
    node_id, name = names[2]
    if grouped:
        graph = MakeGroup(frozenset({names[1][0], node_id})).apply(graph)
        group = next(node for node in graph.nodes if isinstance(node.block, GroupUse))
        node_id = f"{group.id}/{next(n.id for n in group.block.body.nodes if n.name == name)}"
    events: list[Event] = []
    finished = run(Job(replace(project, graph=graph), tmp_path / "run"), Control(), events.append)
    assert finished.status == "diverged"
    found = next(event for event in events if isinstance(event, NotFinite))
    assert (found.step, found.epoch, found.kind, found.node) == (1, 1, "output", node_id)
    assert f"the output of “{name}”" in found.message


def test_other_data_is_refused_unless_it_is_wanted(tmp_path: Path, always_due: None) -> None:
    project = with_settings("iris-mlp", epochs=30, batch_size=8)
    stopped(project, tmp_path / "run", 40)
    folder = RunFolder(tmp_path / "run")
    point = read_point(folder)
    point.checkpoint.rest["data_fingerprint"] = "other"
    point.checkpoint.rest["threads"] = 7
    from studio.training.checkpoint import write_checkpoint

    write_checkpoint(folder.last, point.checkpoint)
    with pytest.raises(ChangedDataError, match="does not go on"):
        go_on(project, folder.path)
    assert not folder.is_under_way
    finished, events = go_on(project, folder.path, anyway=True)
    notes = next(event for event in events if isinstance(event, Resumed)).notes
    assert [text[:22] for text in notes] == ["The data changed since", "The run goes on with 1"] or len(notes) == 2
    assert finished.epochs == 30


def test_what_a_run_cannot_change_stays_and_is_told(tmp_path: Path, always_due: None) -> None:
    project = with_settings("iris-mlp", epochs=4)
    stopped(project, tmp_path / "run", 5)
    other = replace_fields(project.training, seed=5, batch_size=7)
    _, events = go_on(replace(project, training=other), tmp_path / "run")
    notes = next(event for event in events if isinstance(event, Resumed)).notes
    assert any("Seed stays 0, not 5" in note for note in notes)
    assert any("Batches of 7 samples, before of" in note for note in notes)


def test_a_run_under_way_is_not_touched(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", epochs=1)
    run(Job(project, tmp_path / "run"), Control(), lambda event: None)
    lock = RunFolder(tmp_path / "run").lock()
    assert lock.acquire()
    with pytest.raises(RunFolderError, match="being trained already"):
        go_on(with_settings("iris-mlp", epochs=2), tmp_path / "run")
    lock.release()


def test_memory_that_runs_short_is_explained_and_half_the_batch_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.training.stepping import Stepper

    step, trainers = Stepper.__call__, []

    def short(stepper: Stepper, inputs: tuple, targets: torch.Tensor, number: int, **more: object) -> tuple:
        if len(targets) > 32 and number == 5:
            trainers.append(weakref.ref(stepper))
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
        return step(stepper, inputs, targets, number, **more)

    monkeypatch.setattr(Stepper, "__call__", short)
    project = with_settings("digits-mlp", epochs=2, batch_size=64)
    with pytest.raises(MemoryShortageError, match="Batches of 32 in place of 64") as caught:
        run(Job(project, tmp_path / "run"), Control(), lambda event: None)
    error = caught.value
    assert error.run == tmp_path / "run"
    assert error.__cause__ is None
    assert error.smaller is not None
    gc.collect()
    assert trainers[0]() is None  # all that the run took is free again
    assert (error.smaller.batch_size, error.smaller.gradients.accumulate) == (32, 2)
    finished, _ = go_on(replace(project, training=error.smaller), error.run)
    assert (finished.status, finished.epochs) == ("finished", 2)


def test_a_network_too_large_for_any_batch_gets_no_empty_promise(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", epochs=1)
    graph = project.graph
    for node in [node for node in graph.nodes if node.block.kind == "dense"][:1]:
        graph = SetBlock(node.id, replace_fields(node.block, units=1_000_000)).apply(graph)
    wide = new_node(graph, blocks.get("dense")(units=1_000_000))
    link = next(k for k in graph.links if graph.node(k.source).block.kind == "dense")
    graph = insert_on(graph, link, wide).apply(graph)
    with pytest.raises(MemoryShortageError, match="smaller layers") as caught:
        run(Job(replace(project, graph=graph), tmp_path / "run"), Control(), lambda event: None)
    assert caught.value.smaller is None


def test_the_writing_thread_ends_with_the_run(tmp_path: Path) -> None:
    before = threading.active_count()
    run(Job(with_settings("iris-mlp", epochs=2), tmp_path / "run"), Control(), lambda event: None)
    assert threading.active_count() == before
