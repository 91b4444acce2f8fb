"""Time: sampling of graphs."""
