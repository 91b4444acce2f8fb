"""Experiments on real data, thin on top of `ams`: images here, graphs beside them."""
