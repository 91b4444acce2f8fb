"""Other interpretations of the same steps: the exact law on a Gaussian target, symbols, densities on grids.

Any target on the line: `ams.laws.grid` (annealed runs of position), `ams.laws.phase_space` (stationary laws with a
momentum), `ams.laws.meanfield` (adaptive momentum's fixed point).
"""

from ams.laws.eigenbasis import eigenlaw, rotated_back
from ams.laws.expected_norm import expected_norm
from ams.laws.flow import flowed
from ams.laws.gaussian import GaussianLaw, Moments
from ams.laws.symbolic import Symbols

__all__ = ["GaussianLaw", "Moments", "Symbols", "eigenlaw", "expected_norm", "flowed", "rotated_back"]
