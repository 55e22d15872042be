"""Texts: with classes, with tags, in two languages, or running; and what cuts them into tokens."""
