"""Names that the settings of pictures are made of, and limits; without anything heavy."""

from __future__ import annotations

RGB, GREY = COLOURS = ("RGB", "grey")
STRETCH, CROP, PAD = FITS = ("stretch", "crop the centre", "pad")
STOP, LEAVE_OUT = UNREADABLE = ("stop", "leave out")
LONGEST_SIDE = 1024  # pixels of a picture for the network
MOST_PIXELS = 50_000_000  # of a picture in a file
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .gif .bmp .dib .tif .tiff .webp .avif .ppm .pgm .pbm .pnm .tga .ico .jp2 .pcx .msp"
    " .sgi".split()
)
