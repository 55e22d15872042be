"""Networks that were not made here: modules of PyTorch become graphs of blocks, with their weights."""
