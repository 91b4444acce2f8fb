"""Graphs: generation with the score networks of GDSS, from its authors' checkpoints, under the
library's samplers.
"""
