"""Colour images: CIFAR-10's exact score, networks at the paper's scale; claims X0 to X4."""
