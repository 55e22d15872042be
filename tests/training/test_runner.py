"""A run from start to end: what it tells, what it keeps, and that it repeats."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from sklearn import metrics as known

from studio.blocks import registry as blocks
from studio.compile.network import build_network
from studio.compile.plan import make_plan
from studio.data.batches import Batches
from studio.data.bundled import Iris
from studio.data.choice import DataChoice
from studio.data.dataset import prepare
from studio.fields import replace as replace_fields
from studio.graph import Graph
from studio.graph.edits import AddLink, AddNode, Link, SetBlock, insert_on, new_node
from studio.project import Project, read_project
from studio.runs import RunFolder, RunFolderError
from studio.settings import optimizers
from studio.training.checkpoint import read_checkpoint
from studio.training.control import Control
from studio.training.errors import TrainingError
from studio.training.events import Confusion, EpochEnded, Event, Finished, Health, Progress, Started
from studio.training.runner import Job, run
from tests.training.conftest import with_settings


def weights_hash(checkpoint: str | Path) -> str:
    digest = hashlib.sha256()
    for name, tensor in read_checkpoint(Path(checkpoint)).model.items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    return digest.hexdigest()


def test_a_run_tells_its_story_in_order(train) -> None:
    finished, events = train(with_settings("iris-mlp", epochs=3))
    kinds = [type(event) for event in events if not isinstance(event, Progress | Confusion | Health)]
    assert kinds == [Started, EpochEnded, EpochEnded, EpochEnded, Finished]
    started = events[0]
    assert (started.parameters, started.metric) == (131, "accuracy")
    assert sum(started.samples.values()) == 150
    steps = started.steps_per_epoch
    ended = [(event.epoch, event.step) for event in events if isinstance(event, EpochEnded)]
    assert ended == [(1, steps), (2, 2 * steps), (3, 3 * steps)]
    assert finished.status == "finished"
    assert set(finished.metrics) == {"validation", "test"}


def test_the_run_folder_holds_all_of_it(train) -> None:
    project = with_settings("iris-mlp", epochs=3)
    finished, _ = train(project)
    folder = Path(finished.run)
    assert read_project(folder / "project.json") == project
    record = json.loads((folder / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["result"]["metrics"]["test"] == finished.metrics["test"]
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert read_checkpoint(folder / "checkpoints" / "last.pt").epoch == 3
    assert json.loads((folder / "preparation.json").read_text())["names"][0] == "setosa"


def test_each_look_at_the_test_samples_is_counted(train) -> None:
    project = with_settings("iris-mlp", epochs=1)
    other = replace(project, data=replace_fields(project.data, scaling="none", excluded=(0,)))
    counted = [train(given)[0] for given in (project, project, other)]
    assert [finished.test_uses for finished in counted] == [1, 2, 3]  # they are the same samples, scaled or not
    assert [record_of(finished)["test_uses"] for finished in counted] == [1, 2, 3]


def record_of(finished: Finished) -> dict:
    return json.loads((Path(finished.run) / "run.json").read_text())


def test_test_samples_that_are_locked_are_not_looked_at(train, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    epoch = Batches.epoch
    monkeypatch.setattr(Batches, "epoch", lambda self, *given: asked.append(self) or epoch(self, *given))
    finished, _ = train(with_settings("iris-mlp", epochs=1, test_at_end=False))
    assert len(asked) == 3  # training, and twice the validation
    assert (set(finished.metrics), finished.test_uses, record_of(finished)["test_uses"]) == ({"validation"}, 0, 0)
    assert not (Path(finished.run).parent / "data" / "test-uses.jsonl").exists()
    finished, _ = train(with_settings("iris-mlp", epochs=1))
    assert finished.test_uses == 1
    assert len(asked) == 7


def test_a_stopped_run_looks_at_no_test_samples(train) -> None:
    control = Control()
    control.stop()
    assert record_of(train(with_settings("iris-mlp"), control)[0])["test_uses"] == 0


def test_the_best_checkpoint_is_that_of_the_lowest_validation_loss(train) -> None:
    finished, events = train(with_settings("iris-mlp", epochs=40))
    losses = {event.epoch: event.validation["loss"] for event in events if isinstance(event, EpochEnded)}
    best = read_checkpoint(Path(finished.checkpoint))
    assert best.epoch == min(losses, key=lambda epoch: losses[epoch])
    assert finished.metrics["validation"]["loss"] == pytest.approx(min(losses.values()), abs=1e-6)


@pytest.mark.parametrize("template", ["digits-cnn", "digits-gru", "digits-attention"])
def test_the_same_seed_gives_the_same_weights(train, template: str) -> None:
    project = with_settings(template, epochs=2)
    first, second = train(project)[0], train(project)[0]
    other = train(replace(project, training=replace_fields(project.training, seed=1)))[0]
    assert weights_hash(first.checkpoint) == weights_hash(second.checkpoint)
    assert weights_hash(first.checkpoint) != weights_hash(other.checkpoint)


@pytest.mark.parametrize(
    ("template", "bar"),
    [
        ("digits-cnn", 0.97),
        ("digits-mlp", 0.95),
        ("digits-gru", 0.93),
        ("digits-attention", 0.90),
        ("iris-mlp", 0.90),
        ("digits-lstm", 0.90),
        ("digits-rnn", 0.90),
        ("digits-transformer", 0.93),
    ],
)
def test_templates_learn_what_they_promise(train, template: str, bar: float) -> None:
    finished, _ = train(with_settings(template))
    assert finished.metrics["test"]["accuracy"] >= bar


def test_figures_equal_those_computed_by_hand(train) -> None:

    project = with_settings("iris-mlp", epochs=5)
    finished, _ = train(project)
    dataset = prepare(project.data)
    model = build_network(make_plan(project.graph))
    model.load_state_dict(read_checkpoint(Path(finished.checkpoint)).model)
    rows = dataset.splits["test"]
    with torch.no_grad():
        answers = model.eval()(dataset.scalings[0].apply(dataset.inputs[0][rows]))
    targets = dataset.targets[rows]
    accuracy = (answers.argmax(1) == targets).float().mean().item()
    loss = torch.nn.functional.cross_entropy(answers, targets).item()
    expected = {
        "loss": loss,
        "accuracy": accuracy,
        "balanced_accuracy": known.balanced_accuracy_score(targets, answers.argmax(1)),
        "f1": known.f1_score(targets, answers.argmax(1), average="macro"),
        "auroc": known.roc_auc_score(targets, answers.softmax(1), multi_class="ovr"),
    }
    assert finished.metrics["test"] == pytest.approx(expected, abs=1e-6)


def test_progress_is_told_though_epochs_are_shorter_than_the_time_between_events(train) -> None:
    _, events = train(with_settings("iris-mlp", epochs=300))
    progress = [event for event in events if isinstance(event, Progress)]
    assert len(progress) >= 3
    assert [event.step for event in progress] == sorted({event.step for event in progress})
    assert all(0 < event.loss < 3 and 0 <= event.score <= 1 for event in progress)
    assert progress[-1].seconds_left < progress[0].seconds_left
    assert all(event.samples_per_second > 100 for event in progress)


def test_stopping_keeps_a_checkpoint(train) -> None:
    control = Control()

    def stop_after_two(event: Event) -> None:
        if isinstance(event, EpochEnded) and event.epoch == 2:
            control.stop()

    finished, events = train(with_settings("digits-mlp", epochs=10_000), control, stop_after_two)
    assert finished.status == "stopped"
    assert finished.epochs == 2
    assert read_checkpoint(Path(finished.checkpoint)).epoch in (1, 2)
    last = max(event.step for event in events if isinstance(event, Progress | EpochEnded))
    assert read_checkpoint(RunFolder(Path(finished.run)).last).step <= last + 1


def test_stopping_before_the_first_epoch_ends_keeps_the_last_weights(train) -> None:
    control = Control()
    control.stop()
    finished, _ = train(with_settings("digits-cnn"), control)
    assert (finished.status, finished.epochs) == ("stopped", 0)
    assert finished.checkpoint.endswith("last.pt")
    assert read_checkpoint(Path(finished.checkpoint)).step == 1


def test_a_pause_holds_the_loop_until_it_is_resumed(tmp_path: Path) -> None:
    control = Control()
    events: list[Event] = []
    paused = threading.Event()

    def pause_at_first_epoch(event: Event) -> None:
        events.append(event)
        if isinstance(event, EpochEnded) and event.epoch == 1:
            control.pause()
            paused.set()

    job = Job(with_settings("digits-mlp", epochs=3), tmp_path / "run")
    worker = threading.Thread(target=run, args=(job, control, pause_at_first_epoch))
    worker.start()
    assert paused.wait(60)
    worker.join(0.3)  # it would be done long before
    assert worker.is_alive()
    assert [event.epoch for event in events if isinstance(event, EpochEnded)] == [1]
    control.resume()
    worker.join(60)
    assert isinstance(events[-1], Finished)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_best(train) -> None:
    project = with_settings("iris-mlp", epochs=200)
    sgd = optimizers.get("sgd")(learning_rate=100.0, momentum=0.99, weight_decay=10.0)
    finished, events = train(replace(project, training=replace(project.training, optimizer=sgd)))
    assert finished.status == "diverged"
    assert finished.metrics == {}
    assert all(torch.isfinite(t).all() for t in read_checkpoint(Path(finished.checkpoint)).model.values())
    assert isinstance(events[-1], Finished)


def test_a_network_that_does_not_fit_the_data_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    project = replace(with_settings("digits-cnn"), data=DataChoice(source=Iris()))
    with pytest.raises(TrainingError, match=r"expects \(N, 1 C, 8 H, 8 W\), but the dataset gives \(N, 4 D\)"):
        run(Job(project, tmp_path / "run"), Control(), lambda event: None)
    assert not (tmp_path / "run").exists()


def test_a_network_without_parameters_is_refused(tmp_path: Path) -> None:
    graph = Graph()
    for kind, fields in (("input", {"shape": (4,)}), ("relu", {}), ("output", {})):
        graph = AddNode(new_node(graph, blocks.get(kind)(**fields))).apply(graph)
    for source, target in (("n1", "n2"), ("n2", "n3")):
        graph = AddLink(Link(source, 0, target, 0)).apply(graph)
    project = Project(graph, DataChoice(source=Iris()))
    with pytest.raises(TrainingError):
        run(Job(project, tmp_path / "run"), Control(), lambda event: None)


def test_an_existing_run_is_never_overwritten(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "precious.txt").write_text("mine")
    with pytest.raises(RunFolderError, match="not an empty folder"):
        run(Job(with_settings("iris-mlp", epochs=1), folder), Control(), lambda event: None)
    assert [path.name for path in folder.iterdir()] == ["precious.txt"]


def test_a_device_this_machine_lacks_is_refused(tmp_path: Path) -> None:
    missing = "mps" if not torch.backends.mps.is_available() else "cuda"
    with pytest.raises(TrainingError, match="Choose auto or cpu"):
        run(Job(with_settings("iris-mlp", device=missing), tmp_path / "run"), Control(), lambda event: None)


def test_threads_are_as_before_after_a_run(train) -> None:
    before = torch.get_num_threads()
    finished, events = train(with_settings("iris-mlp", epochs=1, threads=before + 1))
    assert events[0].threads == before + 1
    assert torch.get_num_threads() == before
    assert json.loads((Path(finished.run) / "run.json").read_text())["threads"] == before + 1


def test_a_failing_run_says_so_in_its_folder(tmp_path: Path) -> None:
    class BrokenError(Exception):
        pass

    def fail(event: Event) -> None:
        if isinstance(event, EpochEnded):
            raise BrokenError

    with pytest.raises(BrokenError):
        run(Job(with_settings("iris-mlp", epochs=2), tmp_path / "run"), Control(), fail)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["status"] == "failed"


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_every_optimizer_steps_as_pytorch_by_hand(train, kind: str) -> None:
    base = with_settings("iris-mlp", epochs=2)
    project = replace(base, training=replace(base.training, optimizer=optimizers.get(kind)()))
    finished, _ = train(project)
    dataset = prepare(project.data)
    torch.manual_seed(project.training.seed)
    model = build_network(make_plan(project.graph))
    made = project.training.optimizer
    optimizer = getattr(torch.optim, made.torch_class)(model.parameters(), **made.arguments(), fused=True)
    shuffle = torch.Generator().manual_seed(project.training.seed)
    batches = Batches(dataset, "train", project.training.batch_size, torch.device("cpu"))
    for _ in range(2):
        for (x,), y in batches.epoch(shuffle):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    last = read_checkpoint(RunFolder(Path(finished.run)).last)
    assert all(torch.equal(last.model[name], tensor) for name, tensor in model.state_dict().items())


def test_a_network_larger_than_memory_is_told_in_plain_words(tmp_path: Path) -> None:
    project = with_settings("iris-mlp", epochs=1)
    graph = project.graph
    for node in [node for node in graph.nodes if node.block.kind == "dense"][:1]:
        graph = SetBlock(node.id, replace_fields(node.block, units=1_000_000)).apply(graph)
    wide = new_node(graph, blocks.get("dense")(units=1_000_000))
    graph = insert_on(graph, next(k for k in graph.links if graph.node(k.source).block.kind == "dense"), wide).apply(
        graph
    )
    with pytest.raises(TrainingError, match="not enough memory"):
        run(Job(replace(project, graph=graph), tmp_path / "run"), Control(), lambda event: None)
