"""Correctors on every set of graphs and molecules, with GDSS's checkpoints: claims V15 to V21."""
