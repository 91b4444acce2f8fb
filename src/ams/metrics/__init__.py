"""Distances between distributions: closed forms for Gaussians, exact ones of densities on the line,
unbiased estimates.

Everything is computed in float64 and returned as a float. The unit is that of the samples (W2,
energy distance), its square (Frechet distance), nats (KL), that of the kernel (MMD) or none.
"""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.metrics.density import half_line, line_kl, line_w2, total_variation
from ams.metrics.energy import (
    MixtureReference,
    energy_difference,
    energy_distance,
    mixture_spread,
)
from ams.metrics.expected_norm import expected_norm
from ams.metrics.features import (
    expected_coverage,
    inception_score,
    kernel_distance,
    kernel_within,
    neighbourhoods,
    polynomial_kernel,
    support,
)
from ams.metrics.gaussian import (
    Moments,
    frechet_distance,
    frechet_of_moments,
    gaussian_kl,
    gaussian_w2,
    moments,
)
from ams.metrics.mmd import mmd_squared
