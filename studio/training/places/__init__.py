"""Where a run may happen. No torch here: the window asks before it is loaded.

A place is written as THREAD, PROCESS, "local:2" for two processes on this machine, or "hosts:3@HOST:PORT" for three
machines that find each other at that address, "hosts:3x4@HOST:PORT" with four processes on each.
"""

import os
import re

from studio.training.spread.launch import Launch

THREAD = "thread"  # of the program that asks
PROCESS = "process"  # of its own: it outlives the program, and a crash of native code ends only the run
LOCAL, HOSTS = "local", "hosts"

PLACES = {THREAD: "In this window", PROCESS: "In a process of its own"}
_MOST_OFFERED = 8


def launch_of(place: str) -> Launch | None:
    """The several processes of a place; None for THREAD and PROCESS.

    Raises:
        ValueError: if it is no place.
    """
    if place in PLACES:
        return None
    if found := re.fullmatch(rf"{LOCAL}:(\d{{1,3}})", place):
        return Launch(int(found[1]))
    if found := re.fullmatch(rf"{HOSTS}:(\d{{1,4}})(?:x(\d{{1,3}}))?@(.+)", place):
        return Launch(int(found[2] or 1), int(found[1]), found[3])
    raise ValueError(
        f"“{place[:60]}” is no place to train. Choose {', '.join(PLACES)}, {LOCAL}:2 (processes on this machine) or "
        f"{HOSTS}:2 (machines)."
    )


def offered_places() -> dict[str, str]:
    """Those that the window offers, with their titles."""
    most = min(os.cpu_count() or 1, _MOST_OFFERED)
    several = (number for number in (2, 4, 8) if number <= most)
    return PLACES | {f"{LOCAL}:{number}": f"In {number} processes on this machine" for number in several}


def title_of(place: str) -> str:
    """A place in words; empty if it is none."""
    try:
        launch = launch_of(place)
    except ValueError:
        return ""
    if launch is None:
        return PLACES[place]
    if launch.hosts > 1:
        return f"On {launch.hosts} machines"
    return f"In {launch.processes} processes on this machine"
