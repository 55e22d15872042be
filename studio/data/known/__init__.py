"""Known datasets of pictures, in torchvision's own files."""
