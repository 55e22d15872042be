"""A trained network behind HTTP on this machine, with the standard library alone.

No path from a request is ever opened, one computation runs at a time, and everything that comes in has a limit.
"""
