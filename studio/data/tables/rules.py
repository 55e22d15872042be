"""What people can choose for tables. The window imports this before it shows."""

from __future__ import annotations

TASKS = ("classification", "multi-label", "regression")
ONE_HOT, EMBEDDING = CATEGORIES = ("one-hot", "embedding")  # what the categories of columns become
