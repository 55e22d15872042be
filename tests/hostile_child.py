"""Opens every hostile file through every command that opens models, in a process with limits that reports what it did.

Started by tests/importing/test_hostile.py: folder with the files, folder for anything else.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import resource
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

SPARE_BYTES = 2**30  # address space, beyond what the program has before it opens the first file
FORBIDDEN = (
    "socket.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "subprocess.", "pickle.find_class",
    "ctypes.dlopen",
)  # fmt: skip


def run_folder(file: Path, folder: Path, project: str) -> Path:
    """The folder of a run whose last checkpoint is this file."""
    checkpoints = folder / "runs" / file.name / "checkpoints"
    checkpoints.mkdir(parents=True)
    checkpoints.with_name("project.json").write_text(project)
    (checkpoints / "last.pt").symlink_to(file)
    return checkpoints.parent


def commands(file: Path, folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each door, and how to go through it."""
    from studio import storage
    from studio.project import project_to_json
    from studio.project.file import read_project

    small = folder / "small.studio.json"
    data = project_to_json(read_project(small))
    yield "import-weights", ["import-weights", str(file), str(small), "-o", str(folder / "out.studio.json")]
    yield "evaluate", ["evaluate", str(file)]
    yield "export", ["export", str(file), "--format", "state-dict", "-o", str(folder / "exported.pt")]
    yield "predict", ["predict", str(file), "--text", "x"]
    yield "serve", ["serve", str(file), "--port", "0"]
    yield "resume", ["resume", str(run_folder(file, folder, json.dumps(data)))]
    digest = "0" * 64
    with contextlib.suppress(OSError, storage.StorageError):
        digest = storage.sha256(file)
    start = folder / "start.studio.json"
    # Nothing of a file that is sound fits this network: its output has another name.
    start.write_text(json.dumps(data | {"weights": {"path": str(file), "sha256": digest}}).replace("dense_1", "other"))
    yield "train", ["train", str(start), "--run-dir", str(folder / "run" / file.name)]
    yield "check", ["check", str(file)]


def main(files: Path, folder: Path) -> None:
    """Print a line for each door and file: what it said, and what was tried that must not be."""
    import torch  # noqa: F401

    import studio.evaluation.answering
    import studio.evaluation.trained
    import studio.export.write
    import studio.importing.weights.taking
    import studio.serving.server
    import studio.serving.service
    import studio.training.runner  # noqa: F401
    from studio.cli.main import main as studio_main

    start = folder / "nowhere.studio.json"
    data = json.loads((folder / "small.studio.json").read_text())
    start.write_text(json.dumps(data | {"weights": {"path": "/nowhere.pt", "sha256": "0" * 64}}))
    studio_main(["train", str(start), "--run-dir", str(folder / "first")])  # loads the data's library
    tried: list[str] = []
    sys.addaudithook(lambda event, _: tried.append(event) if event.startswith(FORBIDDEN) else None)
    pages = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (pages + SPARE_BYTES, pages + SPARE_BYTES))
    for file in sorted(files.iterdir()):
        if file.name == "manifest.json":
            continue
        for door, arguments in commands(file, folder):
            said, before, began = io.StringIO(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
            tried.clear()
            try:
                with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
                    code: object = studio_main(arguments)
            except BaseException as error:  # a traceback is what must not be
                code = f"{type(error).__name__}: {error}"[:300]
            grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
            report = (door, file.name, code, said.getvalue(), list(tried), grown, time.process_time() - began)
            print(json.dumps(report), flush=True)
    shutil.rmtree(folder / "runs", ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
