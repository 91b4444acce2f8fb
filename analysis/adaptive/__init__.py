r"""Adaptive momentum on a Gaussian: A1 to A6, and the three claims that "the sampler converges" hides.

Notation: base step `a`, damping `b`, target precision `lam`; `u = a lam`, `c = (1 + b)^2`.
"""
