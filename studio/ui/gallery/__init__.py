"""The samples of a dataset, to look at: opened and drawn in threads, shown as far as they are in view."""
