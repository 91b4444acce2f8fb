"""The published table of graphs, from the authors' checkpoints: claims V10 and V11."""
