"""Time: what the suite computes."""
