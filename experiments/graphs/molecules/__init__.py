"""Molecules from the authors' checkpoints: claims V13 and V14."""
