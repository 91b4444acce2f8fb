"""Time: metrics of graphs."""
