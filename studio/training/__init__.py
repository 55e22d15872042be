"""The training engine: settings in, a stream of events out. `events`, `control` and `errors` load no torch."""
