"""Trying a network: what a person gives, and what it answers."""
