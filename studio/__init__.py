"""Training Studio: draw a neural network, train it with PyTorch, leave with code and weights."""

__version__ = "0.1.0"
