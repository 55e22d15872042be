"""Time series of the person's own."""
