"""Molecules from the authors' checkpoints."""
