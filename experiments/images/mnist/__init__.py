"""MNIST's 10,000 test images as an exact target, where the file can be had; condition M1."""
