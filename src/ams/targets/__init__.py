"""Exact targets: laws whose score, density and samples are known in closed form at every noise level.

`Gaussian` (any covariance), `GaussianMixture` (full covariances) and `Empirical` (the points of a data set, streamed
in bounded memory) satisfy `Target`. `CLEAN` is the level without noise: `target.log_density(x, CLEAN)`.
"""

from ams.targets.base import CLEAN, Target
from ams.targets.covariance import Covariance
from ams.targets.empirical import Empirical, Nearest
from ams.targets.gaussian import Gaussian
from ams.targets.mixture import GaussianMixture

__all__ = ["CLEAN", "Covariance", "Empirical", "Gaussian", "GaussianMixture", "Nearest", "Target"]
