"""Related work, decided by exact laws: inexact Langevin (N1), noise levels of the variance-exploding sampler (N2), a
filter on the score (N3).
"""
