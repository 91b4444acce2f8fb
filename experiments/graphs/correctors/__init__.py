"""Correctors on every set of graphs and molecules, with the GDSS authors' checkpoints: claims V15 to V21."""
