r"""Kinetic Langevin and annealed BAOAB (K1 to K10): momentum with an unbiased variance, and what it
costs.

Notation: base step `a`, kinetic step `dt = sqrt(2 a)`, momentum kept per step `e`, target precision
`lam`, `u = a lam = dt^2 lam / 2`.
"""
