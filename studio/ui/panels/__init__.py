"""The panels of the places: each shows a part of the project or of a run."""
