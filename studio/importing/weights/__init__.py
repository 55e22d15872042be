"""Weights of other programs for the network on the canvas: what is in a file, what of it fits, and taking it."""
