"""Closes the window at bad moments, again and again, in every way, and looks at what is left. Linux with X only.

Each time the program must end with code 0 within five seconds, leave no process behind but a run that was to go on,
say nothing of threads or faults, keep its run and offer it again, and leave the project as it was.

Run: xvfb-run openbox --startup "python tests/reliability/bad_quits.py [--quits N] [--seed S]"
"""

from __future__ import annotations

import argparse
import csv
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from studio import storage
from studio.fields import replace as replace_fields
from studio.project import read_project, read_template, write_project
from studio.runs import RunFolder
from studio.runs.interrupted import interrupted_runs
from studio.training.places.mailbox import mailboxes
from studio.training.places.wishes import STOP, send
from tests.reliability.bad_moments import MOMENTS

MOST_SECONDS = 5.0
SECONDS_TO_READY = 180.0
SECONDS_TO_OBEY = 30.0
WAYS = ("close", "Ctrl+Q", "SIGTERM", "SIGINT")
BAD_WORDS = re.compile(r"QThread|Traceback|Aborted|Segmentation|terminate called|Fatal Python|Destroyed while|leaked")
MARK = "TRAINING_STUDIO_BAD_QUIT"
ROOT = Path(__file__).parents[2]
RUNNING = ("training", "compiling", "paused", "unsaved", "training_apart", "paused_apart",
           "training_together")  # fmt: skip


@dataclass
class Quit:
    """One of them.

    Args:
        wait: seconds from the situation to the first request to close.
        answers: to questions, the one preferred first.
    """

    number: int
    situation: str
    way: str
    wait: float
    answers: list[str]
    seconds: float = 0.0
    code: int | None = None
    output: str = ""
    wrong: list[str] = field(default_factory=list)


def planned(quits: int, seed: int, only: list[str]) -> list[Quit]:
    """All situations in turn, in every way."""
    draw, plan = random.Random(seed), []
    names = only or list(MOMENTS)
    while len(plan) < quits:
        for name in draw.sample(names, len(names)):
            answers = draw.sample(["Stop and keep", "Let it go on"], 2) + draw.sample(["Discard", "Save"], 2)
            wait = draw.uniform(0.0, 0.3) if draw.random() < 0.5 else draw.uniform(0.3, 3.0)
            plan.append(Quit(len(plan), name, draw.choice(WAYS), wait, answers))
    return plan[:quits]


def make_things(folder: Path) -> tuple[Path, Path]:
    """A run to evaluate, and an archive that takes a while."""
    project = read_template("digits-cnn")
    short = replace(project, training=replace_fields(project.training, epochs=1))
    write_project(folder / "short.studio.json", short)
    run = folder / "run"
    command = [sys.executable, "-m", "studio", "train", str(folder / "short.studio.json"), "--run-dir", str(run)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    table, archive = folder / "table.csv", folder / "table.zip"
    draw = random.Random(0)
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["a", "b", "c", "d", "answer"])
        writer.writerows([*(f"{draw.random():.6f}" for _ in range(4)), draw.randrange(3)] for _ in range(300_000))
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.write(table, "table.csv")
    table.unlink()
    return run, archive


def marked(mark: str) -> list[int]:
    """Processes that began in one quit."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if f"{MARK}={mark}".encode() in environment.split(b"\0") and state != "Z":
                found.append(int(entry.name))
    return found


def request(process: subprocess.Popen[str], way: str, *, again: bool) -> None:
    """Ask the program to close. A dialog in front of the window takes the first keys, so they may come again."""
    if way in ("SIGTERM", "SIGINT"):
        if not again:
            process.send_signal(getattr(signal, way))
        return
    # Ctrl+Q does not reach a window behind a dialog: as a person would, close what is in front.
    keys = "ctrl+q" if way == "Ctrl+Q" and not again else "alt+F4"
    subprocess.run(["xdotool", "key", keys], check=False, stderr=subprocess.DEVNULL)


def carry_out(quit_: Quit, folder: Path, things: tuple[Path, Path]) -> None:
    """Start the program, bring it there, close it, and note what happened."""
    mark = f"{os.getpid()}-{quit_.number}"
    environment = {**os.environ, MARK: mark, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "xcb"}
    said, erred = folder / "stdout", folder / "stderr"
    command = [sys.executable, str(ROOT / "tests/reliability/bad_moments.py"), quit_.situation,
               str(folder / "project.studio.json"), *map(str, things), *quit_.answers]  # fmt: skip
    with said.open("w") as output, erred.open("w") as errors:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=errors, text=True)
    try:
        if await_ready(process, said):
            time.sleep(quit_.wait)
            end(process, quit_)
        else:
            quit_.wrong.append("never came to the situation")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    quit_.code, quit_.output = process.returncode, said.read_text()
    if words := BAD_WORDS.search(erred.read_text()):
        quit_.wrong.append(f"said {words[0]}: {erred.read_text()[-3000:]}")
    look(quit_, folder, mark)


def await_ready(process: subprocess.Popen[str], said: Path) -> bool:
    """Whether it came to its situation."""
    deadline = time.monotonic() + SECONDS_TO_READY
    while process.poll() is None and time.monotonic() < deadline:
        if "READY" in said.read_text():
            return True
        time.sleep(0.01)
    return False


def end(process: subprocess.Popen[str], quit_: Quit) -> None:
    """Ask until it ends."""
    begun, asked = time.monotonic(), 0
    while process.poll() is None and time.monotonic() < begun + 60:
        if time.monotonic() >= begun + asked:
            request(process, quit_.way, again=asked > 0)
            asked += 1
        time.sleep(0.01)
    quit_.seconds = time.monotonic() - begun
    if process.poll() is None:
        quit_.wrong.append("did not end in a minute")
    elif process.returncode:
        quit_.wrong.append(f"ended with {process.returncode}")
    if quit_.seconds > MOST_SECONDS:
        quit_.wrong.append(f"took {quit_.seconds:.1f} s")


def look(quit_: Quit, folder: Path, mark: str) -> None:
    """What is left: processes, runs, the project."""
    expected = "Let it go on" in answered(quit_) or quit_.way.startswith("SIG")
    if not expected:  # a process that was told to stop may only be starting
        for box in mailboxes():
            box.wait_for_end(SECONDS_TO_OBEY)
    going_on = [box for box in mailboxes() if box.is_alive]
    if going_on and not expected:
        quit_.wrong.append("a run goes on that was to stop")
    if quit_.situation in ("training_apart", "paused_apart", "training_together") and expected and not going_on:
        quit_.wrong.append("a run is gone that was to go on")
    stop_them(quit_, going_on)
    await_nobody(quit_, mark)
    look_at_runs(quit_, went_on=bool(going_on))
    look_at_project(quit_, folder)
    if left := list(folder.rglob(f".*{storage.TEMPORARY_SUFFIX}")):
        quit_.wrong.append(f"half a file stayed: {left[0].name}")


def answered(quit_: Quit) -> list[str]:
    """What it asked, by the answers."""
    return re.findall(r"ANSWERED (.*)", quit_.output)


def stop_them(quit_: Quit, going_on: list) -> None:  # type: ignore[type-arg]
    """End the runs that went on, as the next window would."""
    for box in going_on:
        send(box, STOP)
        if not box.wait_for_end(60):
            quit_.wrong.append("a run that went on could not be stopped")


def await_nobody(quit_: Quit, mark: str) -> None:
    """No process of this quit may be there."""
    deadline = time.monotonic() + 15
    while (left := marked(mark)) and time.monotonic() < deadline:
        time.sleep(0.1)
    for number in left:
        try:
            command = Path(f"/proc/{number}/cmdline").read_bytes().replace(b"\0", b" ")[:200].decode(errors="replace")
            os.kill(number, signal.SIGKILL)
        except OSError:
            continue
        quit_.wrong.append(f"left a process: {command}")


def look_at_runs(quit_: Quit, *, went_on: bool) -> None:
    """Runs are whole, and those that nobody stopped are offered again."""
    folder = Path(os.environ["TRAINING_STUDIO_DATA"]) / "runs"
    paths = sorted(folder.iterdir()) if folder.exists() else []
    if quit_.situation in RUNNING and not paths:
        quit_.wrong.append("no run is there")
    offered = {run.path for run in interrupted_runs()}
    for path in paths:
        from studio.training.errors import CheckpointError
        from studio.training.resuming import read_point

        status = RunFolder(path).read_record().get("status")
        if quit_.situation not in RUNNING and not RunFolder(path).read_position():
            continue  # it had done nothing yet
        try:
            read_point(RunFolder(path))
        except CheckpointError as error:
            quit_.wrong.append(f"the run is not kept: {error}")
        stopped = went_on or "Stop and keep" in answered(quit_) or quit_.situation == "stopping"
        if not stopped and path not in offered:
            quit_.wrong.append(f"the run is not offered again; its status is {status}")


def look_at_project(quit_: Quit, folder: Path) -> None:
    """It is what it was, or what the person saved; and unsaved changes are not lost where nobody was asked."""
    now = read_project(folder / "project.studio.json")
    before = read_project(folder / "before.studio.json")
    saved = "Save" in answered(quit_)
    if not saved and now != before:
        quit_.wrong.append("the project is another one")
    asked = saved or "Discard" in answered(quit_)
    changed = quit_.situation in ("unsaved", "question")
    kept = list((Path(os.environ["TRAINING_STUDIO_DATA"]) / "unsaved").glob("*.studio.json"))
    if changed and not asked and (len(kept) != 1 or read_project(kept[0]).title != "Changed"):
        quit_.wrong.append("unsaved changes are lost")


def fresh_folder(folder: Path) -> None:
    """Folders of its own for each quit."""
    folder.mkdir()
    for name in ("CONFIG", "DATA", "CACHE"):
        os.environ[f"TRAINING_STUDIO_{name}"] = str(folder / name.lower())
    os.environ["HOME"] = str(folder)
    project = read_template("digits-cnn")
    project = replace(project, training=replace_fields(project.training, epochs=100_000))
    for name in ("project", "before"):
        write_project(folder / f"{name}.studio.json", project)


def main() -> int:
    """Quit, and say what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quits", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", default=[], choices=tuple(MOMENTS), metavar="SITUATION")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # shells let what runs in the background ignore it
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        fresh_folder(root / "things")
        things = make_things(root / "things")
        plan = planned(options.quits, options.seed, options.only)
        for quit_ in plan:
            folder = root / str(quit_.number)
            fresh_folder(folder)
            carry_out(quit_, folder, things)
            verdict = "; ".join(quit_.wrong) or "good"
            print(f"{quit_.number:3} {quit_.situation:18} {quit_.way:8} after {quit_.wait:4.2f} s: "
                  f"{quit_.seconds:4.1f} s {'/'.join(answered(quit_))} {verdict}", flush=True)  # fmt: skip
            shutil.rmtree(folder)
    bad = [quit_ for quit_ in plan if quit_.wrong]
    times = sorted(quit_.seconds for quit_ in plan)
    print(f"{len(plan)} quits, {len(bad)} of them bad; to the end: median {times[len(times) // 2]:.1f} s, "
          f"worst {times[-1]:.1f} s")  # fmt: skip
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
