"""What the processes of a team show of themselves."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch.distributed as dist

from studio.training.events import Event, Ranks
from studio.training.spread import showing
from studio.training.spread.showing import Board, FileBoard, Pulse, StoreBoard


@pytest.fixture(params=["files", "store"])
def board(request: pytest.FixtureRequest, tmp_path: Path) -> Board:
    if request.param == "files":
        return FileBoard(tmp_path)
    return StoreBoard(dist.TCPStore("127.0.0.1", 0, 1, is_master=True))


def test_a_board_keeps_the_newest_post_of_each(board: Board) -> None:
    assert board.read(1) == ""
    board.post(0, "first")
    board.post(1, "other")
    board.post(0, "second")
    assert (board.read(0), board.read(1)) == ("second", "other")


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(showing, "time", clock)
    return clock


def test_a_process_is_starting_training_waiting_or_lost(tmp_path: Path, clock: Clock) -> None:
    board, told, pulses = FileBoard(tmp_path), [], [Pulse(), Pulse()]
    posters = [showing._Poster(board, pulse, rank, 0) for rank, pulse in enumerate(pulses)]
    reader = showing._Reader(board, 2, 0, told.append)

    def look() -> list[tuple[str, int, float]]:
        reader.look()
        return [(rank.state, rank.step, rank.samples_per_second) for rank in told[-1].ranks]

    assert look() == [("starting", 0, 0.0)] * 2
    for rank, pulse in enumerate(pulses):
        pulse.note(3, 16 + rank)
        clock.now += 1
        posters[rank].post()
    assert look() == [("training", 3, 16.0), ("training", 3, 8.5)]
    pulses[0].is_paused = lambda: True
    pulses[1].listening_since = clock.now
    clock.now += showing.LOST_AFTER  # since the other one was seen
    posters[0].post()
    assert look() == [("waiting", 3, 0.0), ("training", 3, 8.5)]
    clock.now += 1
    assert look()[1] == ("lost", 3, 0.0)
    assert told[-1].ranks[1].silent == showing.LOST_AFTER + 1
    posters[1].post()
    assert look()[1][0] == "waiting"


def test_after_a_loss_all_start_again(tmp_path: Path, clock: Clock) -> None:
    board, told = FileBoard(tmp_path), []
    pulse = Pulse()
    pulse.note(7, 4)
    showing._Poster(board, pulse, 0, restarts=0).post()
    reader = showing._Reader(board, 1, 1, told.append)
    reader.look()
    assert (told[-1].ranks[0].state, told[-1].ranks[0].step, told[-1].restarts) == ("starting again", 0, 1)


def test_what_makes_no_sense_is_taken_for_silence(tmp_path: Path) -> None:
    board, told = FileBoard(tmp_path), []
    for nonsense in ("{", "[]", '{"host": 1}'):
        board.post(0, nonsense)
        showing._Reader(board, 1, 0, told.append).look()
        assert told[-1].ranks[0].host == ""


def test_it_is_told_from_the_start_to_the_end(tmp_path: Path) -> None:
    told: list[Event] = []
    began = threading.Event()

    def tell(event: Event) -> None:
        told.append(event)
        began.set()

    with showing.showing(FileBoard(tmp_path), Pulse(), 0, 1, tell):
        assert began.wait(10)
    states = [event.ranks[0].state for event in told if isinstance(event, Ranks)]
    assert (states[0], states[-1]) == ("starting", "ended")
