"""Distances between distributions: closed forms for Gaussians, exact ones of densities on the line, unbiased estimates.

Everything is computed in float64 and returned as a float. The unit is that of the samples (W2, energy distance), its
square (Frechet distance), nats (KL), that of the kernel (MMD) or none.
"""

from ams.metrics.density import half_line as half_line, line_kl as line_kl, line_w2 as line_w2
from ams.metrics.energy import (
    MixtureReference as MixtureReference,
    energy_distance as energy_distance,
    energy_distance_to_mixture as energy_distance_to_mixture,
    mixture_spread as mixture_spread,
)
from ams.metrics.expected_norm import expected_norm as expected_norm
from ams.metrics.features import (
    Support as Support,
    expected_coverage as expected_coverage,
    kernel_distance as kernel_distance,
    kernel_within as kernel_within,
    neighbourhoods as neighbourhoods,
    polynomial_kernel as polynomial_kernel,
    support as support,
)
from ams.metrics.gaussian import (
    frechet_distance as frechet_distance,
    gaussian_kl as gaussian_kl,
    gaussian_w2 as gaussian_w2,
)
from ams.metrics.histograms import total_variation as total_variation
from ams.metrics.mmd import (
    biased_within as biased_within,
    mmd_squared as mmd_squared,
    unbiased_within as unbiased_within,
)
