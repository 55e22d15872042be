"""A Python file of the person's own with a `Dataset`."""
