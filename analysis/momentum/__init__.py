r"""Constant momentum on a Gaussian: G1 to G5 and G7, derived by SymPy from the sampler's own step and checked on exact laws.

Notation: base step `a`, momentum coefficient `b`, target precision `lam`; `u = a lam`, `c = (1 + b)^2`,
`k = u c (1 - b)`.
"""
