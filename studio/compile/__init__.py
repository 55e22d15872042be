"""From a graph to shapes, a torch module and Python source, all from one record per block.

`analysis` is plain data; the other modules import torch and are loaded behind the window.
"""
