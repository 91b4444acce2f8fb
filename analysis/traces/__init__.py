"""Trace equivalence with the authors' code (S1)."""
