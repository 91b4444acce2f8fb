r"""Adaptive momentum on a Gaussian: A1 to A6, and what "the sampler converges" combines (P1a to
P1c).

Notation: base step `a`, momentum coefficient `b`, target precision `lam`; `u = a lam`, `c = (1 +
b)^2`.
"""
