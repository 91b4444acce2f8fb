r"""Constant momentum on a Gaussian: G1 to G5 and G7, derived from the sampler's own step, checked
on exact laws.

Notation: base step `a`, momentum coefficient `b`, target precision `lam`; `u = a lam`, `c = (1 +
b)^2`, `k = u c (1 - b)`.
"""
