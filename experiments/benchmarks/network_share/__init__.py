"""Time: samplers around a network."""
