"""Graphs: the published table, from the authors' checkpoints."""
