"""Graphs: what the sampler changes."""
