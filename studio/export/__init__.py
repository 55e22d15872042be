"""Formats to leave with; each is loaded again and compared before it is reported done."""
