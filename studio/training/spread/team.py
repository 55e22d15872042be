"""The processes of one run, and how they talk. Nothing that one of them sends can run code in another one."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from studio.training.errors import TrainingError
from studio.training.spread.errors import TeamError
from studio.training.spread.showing import Board, FileBoard, Pulse, StoreBoard

# What the leader says.
START, EPOCH, STEP, CHANGE, REPORT, KEEP, OVER = range(7)
# The same, of a network in parts; see studio.training.spread.shards.
ANSWER, WHOLE, PUT, AVERAGE, SWAP = OF_PARTS = tuple(range(7, 12))
_WITH_CONTENT = (START, EPOCH, CHANGE, WHOLE, PUT, AVERAGE)

STORE = "TRAINING_STUDIO_STORE"  # path of the file through which processes of one machine find each other
LEADS = "TRAINING_STUDIO_LEADS"  # set on the host that keeps the run, where there are several

# A pause, a validation or the reading of data may take long; that somebody is gone is noticed by a broken connection.
WAIT_FOR_WORDS, WAIT_FOR_GRADIENTS = timedelta(days=30), timedelta(minutes=20)
WAIT_TO_MEET = timedelta(minutes=10)
_MOST_BYTES = 2**36


@dataclass
class Team:
    """The processes of a run, seen from one of them.

    Args:
        rank: number of this process.
        size: how many there are.
        leader: number of the one that leads.
        gradients: the group that adds up gradients.
        board: where all show what they do; None if nobody looks.
        pulse: what this one does.
    """

    rank: int
    size: int
    leader: int
    gradients: Any
    board: Board | None = None
    pulse: Pulse = field(default_factory=Pulse)

    @property
    def leads(self) -> bool:
        """Whether this process leads."""
        return self.rank == self.leader

    @property
    def place(self) -> int:
        """Of this process among the shares of a batch; that of the leader is 0."""
        return (self.rank - self.leader) % self.size

    def say(self, word: int, content: Any = None) -> None:
        """Tell all others what to do next; only the leader may. Some words have a content."""
        with explained():
            dist.broadcast(torch.tensor([word]), self.leader)
            if word in _WITH_CONTENT:
                self._broadcast(_packed(content))

    def hear(self) -> tuple[int, Any]:
        """Wait for the next word, and its content if it has one."""
        with explained():
            heard = torch.zeros(1, dtype=torch.int64)
            self.pulse.listening_since = time.monotonic()
            dist.broadcast(heard, self.leader)
            self.pulse.listening_since = None
            word = int(heard)
            return word, _unpacked(self._broadcast()) if word in _WITH_CONTENT else None

    def _broadcast(self, content: Tensor | None = None) -> Tensor:
        size = torch.tensor([0 if content is None else len(content)])
        dist.broadcast(size, self.leader)
        if content is None:
            content = torch.empty(_checked(int(size)), dtype=torch.uint8)
        dist.broadcast(content, self.leader)
        return content

    def collect(self, content: Any) -> list[Any]:
        """Plain values and tensors of all processes, by their ranks, for the leader; nothing for the others."""
        with explained():
            packed = _packed(content)
            sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
            dist.all_gather(sizes, torch.tensor([len(packed)]))
            if not self.leads:
                dist.send(packed, self.leader)
                return []
            found = []
            for rank, size in enumerate(sizes):
                received = packed
                if rank != self.rank:
                    received = torch.empty(_checked(int(size)), dtype=torch.uint8)
                    dist.recv(received, rank)
                found.append(_unpacked(received))
            return found

    def add_up(self, numbers: Tensor) -> Tensor:
        """Sums over all processes, in each of them."""
        with explained():
            dist.all_reduce(numbers)
        return numbers

    def leave(self) -> None:
        """Let go of the connections."""
        dist.destroy_process_group()


def join(device: torch.device) -> Team:
    """Find the others of this run.

    Args:
        device: where this process computes; for gradients of an NVIDIA GPU, NCCL is used.

    Raises:
        TeamError: if they do not come.
    """
    rank, size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    with explained():
        store = _store(rank, size)
        dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=WAIT_FOR_WORDS)
        backend = "nccl" if device.type == "cuda" else "gloo"
        gradients = dist.new_group(backend=backend, timeout=WAIT_FOR_GRADIENTS)
        candidates = [torch.zeros(1, dtype=torch.int64) for _ in range(size)]
        dist.all_gather(candidates, torch.tensor([int(LEADS in os.environ)]))
    leader = next((rank for rank, leads in enumerate(candidates) if int(leads)), 0)
    path = os.environ.get(STORE)  # such a store only grows
    return Team(rank, size, leader, gradients, FileBoard(Path(path).parent) if path else StoreBoard(store))


def _store(rank: int, size: int) -> Any:
    """Where the processes of this start find each other; what an earlier one left there would confuse."""
    restart = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    if path := os.environ.get(STORE):
        store: Any = dist.FileStore(f"{path}-{restart}", size)  # type: ignore[attr-defined]
        store.set_timeout(WAIT_TO_MEET)
        return store
    of_agent = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"  # which it keeps for the next start
    leads = rank == 0 and not of_agent
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = dist.TCPStore(address, port, size, is_master=leads, timeout=WAIT_TO_MEET)  # type: ignore[attr-defined]
    return dist.PrefixStore(f"start-{restart}", store) if of_agent else store  # type: ignore[attr-defined]


def about_me(team: Team, device: torch.device) -> dict[str, Any]:
    """What others should know of this process."""
    return {
        "rank": team.rank, "host": socket.gethostname(), "pid": os.getpid(), "device": device.type,
        "threads": torch.get_num_threads(), "torch": str(torch.__version__),
    }  # fmt: skip


def own_device(device: torch.device) -> torch.device:
    """The device of this process among those of its machine; every one has an NVIDIA GPU of its own.

    Raises:
        TrainingError: if there are more processes than GPUs.
    """
    if device.type != "cuda":
        return device
    number, count = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if number >= count:
        raise TrainingError(
            f"This machine has {count} GPU{'s' if count > 1 else ''}, fewer than processes were asked for. Start one "
            "process for each GPU, or choose the processor as device."
        )
    torch.cuda.set_device(number)
    return device


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """Tell what torch.distributed raises within as a TeamError."""
    try:
        yield
    except RuntimeError as error:  # what torch.distributed raises is of this kind
        reason = str(error).strip().partition("\n")[0][:300]
        raise TeamError(f"Another process of the run is gone or does not answer: {reason}") from error


def _packed(content: Any) -> Tensor:
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)


def _unpacked(content: Tensor) -> Any:
    return torch.load(io.BytesIO(content.numpy().tobytes()), map_location="cpu", weights_only=True)


def _checked(size: int) -> int:
    if not 0 < size < _MOST_BYTES:
        raise RuntimeError("it sends what makes no sense")
    return size


def store_file(folder: Path) -> Path:
    """The file through which processes of one machine find each other."""
    return folder / ".store"
