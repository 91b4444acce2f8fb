r"""Kinetic Langevin and annealed BAOAB (K1 to K13): momentum with an unbiased variance, and where it saves evaluations.

Notation: base step `a`, kinetic step `dt = sqrt(2 a)`, momentum kept per step `e`, target precision `lam`,
`u = a lam = dt^2 lam / 2`.
"""
