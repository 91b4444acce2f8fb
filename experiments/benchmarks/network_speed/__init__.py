"""Time: one network computed in several ways."""
