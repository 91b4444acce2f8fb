"""Time: growth with size."""
