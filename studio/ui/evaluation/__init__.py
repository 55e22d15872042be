"""The Evaluate place: what a trained network is worth, where it errs, and why. Loaded when it is looked at first."""
