"""Where a run may happen. No torch here: the window asks before it is loaded."""

THREAD = "thread"  # of the program that asks
PROCESS = "process"  # of its own: it outlives the program, and a crash of native code ends only the run

PLACES = {THREAD: "In this window", PROCESS: "In a process of its own"}
