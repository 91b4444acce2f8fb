"""Distances between laws: closed form where both are Gaussian, exact on the line, unbiased from samples.

Everything is computed in float64, whatever dtype it is given, and returned as a float. Units are those of the
samples (W2, energy distance), their square (Frechet distance), nats (KL) or none (total variation).
"""

from ams.metrics.density import half_line, line_kl, line_tv, line_w2
from ams.metrics.energy import MixtureReference, energy_distance, energy_distance_to_mixture, mixture_spread
from ams.metrics.expected_norm import expected_norm
from ams.metrics.features import (
    Support,
    expected_coverage,
    kernel_distance,
    kernel_within,
    neighbourhoods,
    polynomial_kernel,
    support,
)
from ams.metrics.gaussian import frechet_distance, gaussian_kl, gaussian_kl_full, gaussian_w2, gaussian_w2_full
from ams.metrics.mmd import biased_within, mmd_squared, unbiased_within
from ams.metrics.one_dimensional import total_variation, w2_1d

__all__ = [
    "MixtureReference",
    "Support",
    "biased_within",
    "energy_distance",
    "energy_distance_to_mixture",
    "expected_coverage",
    "expected_norm",
    "frechet_distance",
    "gaussian_kl",
    "gaussian_kl_full",
    "gaussian_w2",
    "gaussian_w2_full",
    "half_line",
    "kernel_distance",
    "kernel_within",
    "line_kl",
    "line_tv",
    "line_w2",
    "mixture_spread",
    "mmd_squared",
    "neighbourhoods",
    "polynomial_kernel",
    "support",
    "total_variation",
    "unbiased_within",
    "w2_1d",
]
