"""Exact distributions of samplers, without Monte Carlo: algebras on which the samplers' own steps
run.

The *exact law* (`GaussianLaw`) is the Gaussian distribution of a sampler on a Gaussian target. On
one-dimensional targets, `ams.laws.grid` has densities of annealed runs, `ams.laws.phase_space`
stationary densities of samplers with a momentum, and `ams.laws.meanfield` the fixed point of
adaptive momentum. `ams.laws.symbolic.Symbols` runs steps on SymPy expressions.
"""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.laws.expected_norm import expected_norm
from ams.laws.gaussian import GaussianLaw, Moments, eigenlaw, flowed, rotated_back
