"""How many processes train together, where they find each other, and the commands that start them. No torch here."""

from __future__ import annotations

import ipaddress
import os
import re
import shlex
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

RESTARTS = 3
RUN_ID = "studio"
MOST_PROCESSES, MOST_HOSTS = 64, 1024
_ENDPOINT = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):(\d{1,5})")


def is_member() -> bool:
    """Whether torchrun started this process as one of several."""
    return all(name in os.environ for name in ("RANK", "WORLD_SIZE", "TORCHELASTIC_RUN_ID"))


@dataclass(frozen=True)
class Launch:
    """Several processes that train one network.

    Args:
        processes: on each machine.
        hosts: machines.
        endpoint: HOST:PORT where the machines find each other; empty where there is one.
        run_id: what all machines of a run call it.
        restarts: how often all begin again from the checkpoint when one is gone.
    """

    processes: int
    hosts: int = 1
    endpoint: str = ""
    run_id: str = RUN_ID
    restarts: int = RESTARTS

    def __post_init__(self) -> None:
        """Raises ValueError if a value makes no sense."""
        if not 1 <= self.processes <= MOST_PROCESSES or not 1 <= self.hosts <= MOST_HOSTS or self.restarts < 0:
            raise ValueError(
                f"{self.processes} processes on {self.hosts} machines cannot train together: from 1 to "
                f"{MOST_PROCESSES} processes on each of 1 to {MOST_HOSTS} machines."
            )
        if self.hosts > 1:
            _check_endpoint(self.endpoint)
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", self.run_id):
            raise ValueError(f"“{self.run_id[:64]}” is no name of a run: use letters, digits, - and _.")

    def to_json(self) -> dict[str, Any]:
        """As plain values, for `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Launch:
        """What `to_json` gave. Raises ValueError."""
        return cls(**data)

    def command(self, project: Path, data_folder: Path | None = None, run_folder: Path | None = None) -> str:
        """The command for every machine, where all of them see the same folders; ready for a shell.

        Args:
            project: file of the project.
            run_folder: where the run is kept by the one that comes to lead.
        """
        parts = ["torchrun", *self._options(), "-m", "studio", "train", str(project)]
        parts += ["--data-dir", str(data_folder)] if data_folder else []
        parts += ["--run-dir", str(run_folder)] if run_folder else []
        return "TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1 " + shlex.join(parts)

    def join_command(self, device: str) -> str:
        """The command for a machine that takes all but its data from the one that leads, ready for a shell."""
        numbers = ["--hosts", str(self.hosts), "--processes", str(self.processes)]
        name = [] if self.run_id == RUN_ID else ["--id", self.run_id]
        return shlex.join(["studio", "join", self.endpoint, *numbers, *name, "--device", device])

    def _options(self) -> list[str]:
        return [
            "--nnodes", str(self.hosts), "--nproc-per-node", str(self.processes), "--rdzv-backend", "c10d",
            "--rdzv-endpoint", self.endpoint, "--rdzv-id", self.run_id, "--max-restarts", str(self.restarts),
        ]  # fmt: skip

    def slurm_script(self, project: Path, run_folder: Path, data_folder: Path | None, python: str) -> str:
        """A script for sbatch, with the Python that has the studio.

        Its machines share the folders; the first one is where all find each other.

        When it is submitted again after it was ended, the run goes on from its checkpoint.
        """
        port = self.endpoint.rpartition(":")[2] or "29400"
        setting, _, command = self.command(project, data_folder, run_folder).partition(" ")
        command = command.replace(shlex.quote(self.endpoint), f'"$first:{port}"', 1)
        command = command.replace("torchrun", f"{shlex.quote(python)} -m torch.distributed.run", 1)
        return (
            "#!/bin/bash\n"
            f"#SBATCH --job-name={self.run_id}\n"
            f"#SBATCH --nodes={self.hosts}\n"
            "#SBATCH --ntasks-per-node=1\n"
            f"#SBATCH --cpus-per-task={self.processes}\n"
            f"# For GPUs, one for each process: #SBATCH --gpus-per-node={self.processes}\n"
            "#SBATCH --requeue\n\n"
            'first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)\n'
            f"export {setting}\nsrun {command}\n"
        )


def _check_endpoint(endpoint: str) -> None:
    found = _ENDPOINT.fullmatch(endpoint)
    if found is None or not 1 <= int(found[2]) <= 65535:
        raise ValueError(
            f"“{endpoint[:80]}” is not where machines could find each other. Write HOST:PORT, with the name or the "
            "address of the first machine."
        )
    host = found[1].strip("[]")
    try:
        everywhere = ipaddress.ip_address(host).is_unspecified
    except ValueError:  # a name
        everywhere = False
    if everywhere:
        raise ValueError(f"{host} is no address of one machine. Write the name or the address of the first one.")
