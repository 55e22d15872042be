"""One run of several processes, on one machine or many, that take shares of every batch.

One of them leads: it runs the same loop as a run of one process, with its checkpoints, events and wishes. Before each
thing that the others must do with it, it says a word to them; so they need to know nothing of the loop. No torch here.
"""
