"""The published table of graphs, from the authors' checkpoints: claims V10 to V12."""
