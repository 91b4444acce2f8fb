"""Colour images: networks at the paper's scale; claims X1 to X4."""
