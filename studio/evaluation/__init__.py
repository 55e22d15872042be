"""What trained weights are worth: predictions on a split, figures with their uncertainty, mistakes, comparisons."""
