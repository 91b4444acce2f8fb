"""Exact targets: distributions whose score, density and samples are known in closed form at every noise level.

`Gaussian` (any covariance), `GaussianMixture` (full covariances) and `Empirical` (the points of a data set, in bounded
memory) satisfy the protocol `Target`. `CLEAN` is the noise level 0: `target.log_density(x, CLEAN)`.
"""

from ams.targets.base import CLEAN as CLEAN, Target as Target
from ams.targets.covariance import Covariance as Covariance
from ams.targets.empirical import Empirical as Empirical, Nearest as Nearest
from ams.targets.gaussian import Gaussian as Gaussian
from ams.targets.mixture import GaussianMixture as GaussianMixture
