"""What the person starts on other machines: commands, and a script for Slurm, in the folder of the run."""

from __future__ import annotations

import sys

from studio import storage
from studio.project.file import write_project
from studio.runs.folder import HOSTS
from studio.training.events import Invited
from studio.training.job import Job
from studio.training.spread.launch import Launch


def write_invitation(launch: Launch, job: Job) -> Invited:
    """Write the commands for a run of several machines, before it starts. Raises StorageError."""
    assert job.run_folder is not None
    folder = job.run_folder.absolute() / HOSTS
    storage.make_folder(folder)
    project = folder / "project.json"
    write_project(project, job.project)
    join = launch.join_command(job.project.training.device)
    lead = launch.command(project, job.data_folder, job.run_folder.absolute())
    commands = (
        f"The run begins when {launch.hosts} machines have joined. All need the studio, the same PyTorch and the same "
        f"data, and must reach {launch.endpoint}. Whoever reaches that address can take part and could run code: use "
        "a network that you trust.\n\n"
        f"On each of the other machines, while the studio trains on this one:\n{join}\n\n"
        f"Or without the studio’s window, on every machine, where all of them see this folder:\n{lead}\n"
    )
    storage.write_text(folder / "commands.txt", commands)
    script = launch.slurm_script(project, job.run_folder.absolute(), job.data_folder, sys.executable)
    storage.write_text(folder / "slurm.sh", script)
    return Invited(join, str(folder))
