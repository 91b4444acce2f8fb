"""Time: the exact law."""
