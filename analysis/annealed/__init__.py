"""Annealed runs: the paper's speed-up (P2), where it holds, what it is due to, and against whom (B1
to B5).

Two targets: a stiff Gaussian in 16 dimensions, where every sampler's distribution is exact, and a
mixture on the line, by its density on a grid, moved quantiles or particles. Budgets are counted in
score evaluations (NFE).
"""
