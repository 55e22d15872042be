"""The sides of bench_engine.py: each trains the same network on the same tensors, in a process of its own.

A side reads a number of seconds from standard input, trains about as long, and answers with the seconds of a step;
then it waits for the next round. What it takes to begin, as to compile, comes before.

Of the frameworks only their own usual way is used: their trainer, their loop, their data loader.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["KERAS_BACKEND"] = "torch"

Round = Callable[[float], dict[str, Any]]
WARM_UP_STEPS = 5
FEWEST_FIGURES = 3  # of a window's round


class Case:
    """What is trained: the exported network, its first weights, the prepared training samples.

    Args:
        folder: where bench_engine.py put it.
    """

    def __init__(self, folder: Path) -> None:
        import torch

        self.folder = folder
        self.about = json.loads((folder / "about.json").read_text())
        torch.set_num_threads(self.about["threads"])
        data = torch.load(folder / "data.pt", weights_only=True)
        self.inputs, self.targets, self.state = data["inputs"], data["targets"], data["state"]
        self.batch = self.about["batch_size"]

    def model(self) -> Any:
        """The network, as its exported source builds it."""
        spec = importlib.util.spec_from_file_location("exported", self.folder / "exported.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        model = module.Exported()
        model.load_state_dict(self.state)
        return model.train()

    def optimizer(self, model: Any, **options: Any) -> Any:
        """The optimizer as its users make it, without options that few know."""
        import torch

        return getattr(torch.optim, self.about["optimizer"])(model.parameters(), **self.about["arguments"], **options)

    def loader(self) -> Any:
        """Batches as tutorials make them."""
        from torch.utils.data import DataLoader, TensorDataset

        return DataLoader(TensorDataset(self.inputs, self.targets), batch_size=self.batch, shuffle=True)


class Stopwatch:
    """Told after each step; says when the time is over, and how long a step took after the first few."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._steps, self._started = seconds, 0, 0.0
        self._last = 0.0

    def step(self) -> bool:
        """Count a step; whether it is time to stop."""
        self._steps += 1
        self._last = time.perf_counter()
        if self._steps == WARM_UP_STEPS:
            self._started = self._last
        return self._steps > WARM_UP_STEPS + 2 and self._last > self._started + self._seconds

    def result(self) -> dict[str, Any]:
        """Seconds of a step."""
        return {"step": (self._last - self._started) / (self._steps - WARM_UP_STEPS)}


def rounds_of(steps: Iterator[object]) -> Round:
    """Rounds of something that goes on for ever, one step at a time."""

    def one_round(seconds: float) -> dict[str, Any]:
        watch = Stopwatch(seconds)
        for _ in steps:
            if watch.step():
                break
        return watch.result()

    return one_round


def bare(case: Case) -> Round:
    """Forward, backward and optimizer on one batch that never changes, with torch's fused optimizer."""
    from torch.nn import functional

    model = case.model()
    optimizer = case.optimizer(model, fused=True)
    inputs, targets = case.inputs[: case.batch], case.targets[: case.batch]

    def steps() -> Iterator[object]:
        while True:
            loss = functional.cross_entropy(model(inputs), targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            yield loss

    return rounds_of(steps())


def plain(case: Case) -> Round:
    """A loop as in tutorials: a DataLoader, and the loss read after each step."""
    from torch.nn import functional

    model, loader = case.model(), case.loader()
    optimizer = case.optimizer(model)

    def steps() -> Iterator[object]:
        while True:
            for inputs, targets in loader:
                loss = functional.cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                yield loss.item()

    return rounds_of(steps())


def accelerate(case: Case) -> Round:
    """The same loop with Accelerate."""
    from accelerate import Accelerator
    from torch.nn import functional

    accelerator = Accelerator(cpu=True)
    model = case.model()
    model, optimizer, loader = accelerator.prepare(model, case.optimizer(model), case.loader())

    def steps() -> Iterator[object]:
        while True:
            for inputs, targets in loader:
                loss = functional.cross_entropy(model(inputs), targets)
                optimizer.zero_grad()
                accelerator.backward(loss)
                optimizer.step()
                yield loss.item()

    return rounds_of(steps())


def lightning(case: Case) -> Round:
    """Lightning's Trainer without logger, checkpoints and progress bar."""
    import logging
    import warnings

    import lightning as pl
    from torch.nn import functional

    warnings.filterwarnings("ignore")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)

    class Module(pl.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.net = case.model()

        def training_step(self, batch: Any, _index: int) -> Any:
            inputs, targets = batch
            return functional.cross_entropy(self.net(inputs), targets)

        def configure_optimizers(self) -> Any:
            return case.optimizer(self.net)

    module, loader = Module(), case.loader()

    def one_round(seconds: float) -> dict[str, Any]:
        watch = Stopwatch(seconds)

        class Watching(pl.Callback):
            def on_train_batch_end(self, trainer: Any, *_rest: Any) -> None:
                trainer.should_stop = watch.step()

        trainer = pl.Trainer(
            max_epochs=-1, accelerator="cpu", devices=1, logger=False, enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, callbacks=[Watching()],
        )  # fmt: skip
        trainer.fit(module, loader)
        return watch.result()

    return one_round


def skorch(case: Case) -> Round:
    """Skorch's NeuralNetClassifier without validation and printed table."""
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Callback
    from torch import nn, optim

    watches: list[Stopwatch] = []

    class Watching(Callback):
        def on_batch_end(self, *_arguments: Any, **_more: Any) -> None:
            if watches[-1].step():
                raise KeyboardInterrupt

    net = NeuralNetClassifier(
        case.model(), criterion=nn.CrossEntropyLoss, optimizer=getattr(optim, case.about["optimizer"]),
        batch_size=case.batch, train_split=None, iterator_train__shuffle=True, verbose=0, callbacks=[Watching()],
        max_epochs=1_000_000, **{f"optimizer__{name}": value for name, value in case.about["arguments"].items()},
    ).initialize()  # fmt: skip

    def one_round(seconds: float) -> dict[str, Any]:
        watches.append(Stopwatch(seconds))
        net.partial_fit(case.inputs, case.targets)  # returns when it is interrupted
        return watches[-1].result()

    return one_round


def keras(case: Case) -> Round:
    """Keras 3 with torch below it: model.fit on arrays."""
    import keras
    from keras.layers import TorchModuleWrapper

    class Watching(keras.callbacks.Callback):
        watch = Stopwatch(0.0)

        def on_train_batch_end(self, *_rest: Any, **_more: Any) -> None:
            if self.watch.step():
                raise StopIteration

    kind, given = case.about["optimizer"], case.about["arguments"]
    options = {"learning_rate": given["lr"]}
    if kind == "SGD":
        options |= {"momentum": given["momentum"]}
    elif kind == "AdamW":
        options |= {"weight_decay": given["weight_decay"]}

    class Model(keras.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = TorchModuleWrapper(case.model())

        def call(self, x: Any, training: bool = False) -> Any:
            return self.net(x, training=training)

    model = Model()
    model.compile(
        optimizer=getattr(keras.optimizers, kind)(**options),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), jit_compile=False,
    )  # fmt: skip
    inputs, targets = case.inputs.numpy(), case.targets.numpy()

    def one_round(seconds: float) -> dict[str, Any]:
        watching = Watching()
        watching.watch = Stopwatch(seconds)
        with contextlib.suppress(StopIteration):  # an epoch may be long
            model.fit(inputs, targets, batch_size=case.batch, epochs=1_000_000, verbose=0, callbacks=[watching])
        return watching.watch.result()

    return one_round


def _project(case: Case) -> Any:
    from studio.project import read_project

    return read_project(case.folder / "project.json")


def _trainer(case: Case, mode: str) -> tuple[Any, Any]:
    """The studio's own trainer, and the choices it computes by."""
    from dataclasses import replace

    import torch

    from studio.compile.plan import make_plan
    from studio.data.dataset import prepare
    from studio.fields import replace as replace_fields
    from studio.runs import RunFolder
    from studio.training.control import Control
    from studio.training.devices import resolve_device
    from studio.training.probe import choose
    from studio.training.setup import make_trainer

    project = _project(case)
    speed = replace_fields(project.training.speed, mode=mode)
    project = replace(project, training=replace_fields(project.training, speed=speed, epochs=1_000_000))
    place = case.about["data_dir"]
    dataset, device, control = prepare(project.data, Path(place) if place else None), resolve_device("cpu"), Control()
    folder = RunFolder(case.folder / mode)  # nothing is written

    def make(choices: Any) -> Any:
        return make_trainer(project, dataset, folder, device, control, choices=choices)

    choices = choose(project, dataset, make_plan(project.graph), device, control, make)
    torch.set_num_threads(choices.threads)
    return make(choices), choices


def studio(case: Case) -> Round:
    """The studio's loop without a window, with settings as they are: figures, events and all."""
    trainer, _ = _trainer(case, "exact")
    return rounds_of(itertools.chain.from_iterable(map(trainer.train_epoch, itertools.count(1))))


def auto(case: Case) -> Round:
    """The same with the mode auto; a step that is compiled in the background is waited for."""
    trainer, choices = _trainer(case, "auto")
    steps = itertools.chain.from_iterable(map(trainer.train_epoch, itertools.count(1)))
    until = time.perf_counter() + 120
    words = choices.in_words()
    while choices.compile != "off" and time.perf_counter() < until:
        told = next(steps)
        if type(told).__name__ == "Changed":
            words += f"; compile: {told.after}"
            break
    one_round = rounds_of(steps)
    return lambda seconds: {**one_round(seconds), "words": words}


def window_thread(case: Case) -> Round:
    """The studio with its window open and its plots drawn, training in a thread."""
    return _windowed(case, "thread")


def window_process(case: Case) -> Round:
    """The studio with its window open and its plots drawn, training in a process of its own."""
    return _windowed(case, "process")


def _windowed(case: Case, place: str) -> Round:
    from dataclasses import replace

    from studio.fields import replace as replace_fields

    if place == "process" and importlib.util.find_spec("studio.training.places") is None:
        raise ImportError("this studio has no runs in processes of their own")
    for name in ("CONFIG", "DATA"):
        os.environ[f"TRAINING_STUDIO_{name}"] = str(case.folder / f"window-{place}")
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import QEventLoop, Qt, QTimer

    from studio.training.events import Progress, Started
    from studio.training.job import Job
    from studio.ui.app import create_window

    project = _project(case)
    project = replace(project, training=replace_fields(project.training, epochs=1_000_000))
    data_dir = case.about["data_dir"]
    job = Job(project, case.folder / f"window-{place}" / "run", Path(data_dir) if data_dir else None)
    window = create_window()
    if place == "process":
        window.session.place = place
    rates: list[float] = []
    ticks: list[float] = []
    starting = QEventLoop()

    def take(events: list[Any]) -> None:
        rates.extend(event.samples_per_second for event in events if isinstance(event, Progress))
        if any(isinstance(event, Progress | Started) for event in events):
            starting.quit()

    timer = QTimer(window)
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    window.session.events_arrived.connect(take)
    window.loader.ready.connect(lambda: window.session.start(job))
    starting.exec()

    def one_round(seconds: float) -> dict[str, Any]:
        loop = QEventLoop()
        window.session.resume()
        QTimer.singleShot(300, rates.clear)  # the first steps after a pause
        ticks.clear()
        timer.start(10)
        until = time.perf_counter() + max(seconds, 2.0)
        while time.perf_counter() < until or len(rates) < FEWEST_FIGURES:
            QTimer.singleShot(500, loop.quit)
            loop.exec()
        timer.stop()
        window.session.pause()
        gaps = sorted(1000 * (after - before) for before, after in itertools.pairwise(ticks))
        step = case.batch * len(rates) / sum(rates)
        return {"step": step, "p99": gaps[int(0.99 * len(gaps))], "worst": gaps[-1]}

    return one_round


SIDES: dict[str, Callable[[Case], Round]] = {
    "bare": bare, "studio": studio, "auto": auto, "window-thread": window_thread, "window-process": window_process,
    "plain": plain, "accelerate": accelerate, "lightning": lightning, "skorch": skorch, "keras": keras,
}  # fmt: skip


def main() -> None:
    """Answer rounds until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("side", choices=SIDES)
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")  # what frameworks print is no answer
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    one_round = SIDES[options.side](Case(options.folder))
    print("{}", file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(one_round(float(line))), file=answers, flush=True)
    answers.flush()
    os._exit(0)  # a window or a trainer may be under way


if __name__ == "__main__":
    main()
