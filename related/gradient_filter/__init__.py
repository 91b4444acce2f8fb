"""SGDF, a Wiener filter on stochastic gradients (Yao et al.): on scores, and as an optimiser."""
