"""Datasets of Hugging Face: files that its library wrote, and its hub."""
