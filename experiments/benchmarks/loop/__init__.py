"""Time: the particle loop."""
