"""Sounds of the person's own."""
