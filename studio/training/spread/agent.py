"""The process that starts the others of a run on this machine by torchrun's agent, again if one of them dies."""

from __future__ import annotations

import faulthandler
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from studio import trust
from studio.locks import FileLock
from studio.training.errors import TrainingError
from studio.training.places.failures import failure_to_json
from studio.training.places.log import LogWriter
from studio.training.places.mailbox import Mailbox
from studio.training.places.worker import acquire, leave, step_back
from studio.training.spread.addresses import interface_of, own_address
from studio.training.spread.launch import Launch
from studio.training.spread.team import LEADS, STORE, store_file

TRUSTED = "TRAINING_STUDIO_TRUSTED"  # digests of code that the person lets run, for the processes started here
_WORKER = (
    "import sys; sys.path[:] = {path!r}; from pathlib import Path; "
    "from studio.training.spread.worker import main; main(Path(sys.argv[1]))"
)
_LOOPBACK = "127.0.0.1"
logger = logging.getLogger(__name__)


def main(folder: Path, given: str, launch: Launch) -> NoReturn:
    """Start the processes, wait for their end, tell it if they could not, and end.

    Args:
        folder: of the mailbox, through which the leader talks.
        given: see `worker.greeting`.
    """
    faulthandler.enable()
    step_back()
    mailbox = Mailbox(folder)
    mailbox.check()
    trust.take_over(json.loads(given)["trusted"])
    lock = FileLock(mailbox.alive_file)
    if not acquire(lock):
        sys.exit("Another process trains this job already.")
    mailbox.write_process()
    problem = _missing_gpus(launch, mailbox) or _start(launch, mailbox)
    log = LogWriter(folder)
    if not log.go_on():
        log.add(
            {"failure": failure_to_json(problem or TrainingError("The processes of the run ended without a word."))}
        )
        log.flush()
    leave()


def _missing_gpus(launch: Launch, mailbox: Mailbox) -> TrainingError | None:
    import torch

    from studio.training.devices import resolve_device

    try:
        device = resolve_device(mailbox.read_job().project.training.device)
    except TrainingError as error:
        return error
    count = torch.cuda.device_count()
    if device.type == "mps" or (device.type == "cuda" and launch.processes > count):
        return TrainingError(
            f"There are {launch.processes} processes for {count} NVIDIA GPUs. Each needs one of its own: start fewer, "
            "or choose the processor as device."
        )
    return None


def _start(launch: Launch, mailbox: Mailbox) -> TrainingError | None:
    os.environ[LEADS] = "1"
    try:
        where = on_this_machine(mailbox) if launch.hosts == 1 else among_machines(launch, first=True)
    except TrainingError as error:
        return error
    return start(launch, ["-c", _WORKER.format(path=sys.path), str(mailbox.folder)], where)


def start(launch: Launch, command: list[str], where: dict[str, Any]) -> TrainingError | None:
    """Start the processes of this machine and wait for their end; returns why they could not do their work.

    Args:
        command: what each is, after the name of Python.
        where: `on_this_machine` or `among_machines`.
    """
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    os.environ[TRUSTED] = json.dumps(trust.trusted_for_now())
    os.environ["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"  # what an earlier start left there would confuse
    with tempfile.TemporaryDirectory() as logs:
        config = LaunchConfig(
            launch.hosts, launch.hosts, launch.processes, run_id=launch.run_id, rdzv_backend="c10d",
            max_restarts=launch.restarts, logs_specs=DefaultLogsSpecs(log_dir=logs), **where,
        )  # fmt: skip
        try:
            elastic_launch(config, sys.executable)(*command)
        except ChildFailedError as error:
            return _problem(error, launch)
        except Exception as error:  # such as machines that do not come, or a signal
            logger.exception("The processes could not be started")
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            return TrainingError(f"The processes of the run could not work together: {reason[:300]}")
    return None


def among_machines(launch: Launch, *, first: bool) -> dict[str, Any]:
    """Where machines find each other.

    Args:
        first: whether this is the one that the endpoint names; all others come to it.

    Raises:
        TrainingError: if this machine cannot reach it.
    """
    try:
        address = own_address(launch.endpoint)
    except OSError as error:
        raise TrainingError(
            f"This machine cannot reach {launch.endpoint}: {error.strerror or error}. Check the name and the network."
        ) from error
    if interface := interface_of(address):
        os.environ.setdefault("GLOO_SOCKET_IFNAME", interface)
        os.environ.setdefault("NCCL_SOCKET_IFNAME", interface)
    return {"rdzv_endpoint": launch.endpoint, "rdzv_configs": {"is_host": first}, "local_addr": address}


def on_this_machine(mailbox: Mailbox) -> dict[str, Any]:
    """Processes find each other through files that only this person can read, and talk through the loopback alone."""
    os.environ[STORE] = str(store_file(mailbox.folder))
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
    os.environ.setdefault("NCCL_SOCKET_IFNAME", os.environ["GLOO_SOCKET_IFNAME"])
    return {
        "rdzv_endpoint": str(mailbox.folder / ".meeting"), "rdzv_configs": {"store_type": "file"},
        "local_addr": _LOOPBACK,
    }  # fmt: skip


def _problem(error: Any, launch: Launch) -> TrainingError:
    rank, failure = error.get_first_failure()
    how = f"was ended by {failure.signal_name()}" if failure.exitcode < 0 else f"ended with code {failure.exitcode}"
    again = f" It was begun again {launch.restarts} times." if launch.restarts else ""
    return TrainingError(
        f"Process {rank} of the run {how}.{again} The last checkpoint is kept, if there is one; the run can go on."
    )
