r"""Momentum that does not cool, K1 to K9: kinetic Langevin, the isothermal sampler, and where its memory pays.

Notation: base step `a`, `dt = sqrt(2 a)`, momentum kept `e`, precision `lam`, `u = a lam`.
"""
