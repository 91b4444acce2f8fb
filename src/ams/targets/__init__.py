"""Exact targets: distributions whose score, density and samples are known in closed form at every
noise level.

`Gaussian` (any covariance), `GaussianMixture` (full covariances) and `Empirical` (the points of a
data set, in bounded memory) satisfy the protocol `Target`. `CLEAN` is the noise level 0:
`target.log_density(x, CLEAN)`.
"""

# ruff: noqa: F401
# mypy: implicit-reexport

from ams.targets.base import CLEAN, Target
from ams.targets.covariance import Covariance
from ams.targets.empirical import Empirical
from ams.targets.gaussian import Gaussian
from ams.targets.mixture import GaussianMixture
