r"""Constant momentum on a Gaussian, and its temperature: G1 to G7, derived by SymPy from the sampler's own step.

Notation: base step `a`, momentum `b`, target precision `lam`; `u = a lam`, `c = (1 + b)^2`, `k = u c (1 - b)`.
"""
