"""Graphs: how often the intervals hold the truth."""
