"""Other interpretations of the same steps: the exact law on a Gaussian target, and symbols."""

from ams.laws.expected_norm import expected_norm
from ams.laws.flow import flowed
from ams.laws.gaussian import GaussianLaw, Moments
from ams.laws.symbolic import Symbols

__all__ = ["GaussianLaw", "Moments", "Symbols", "expected_norm", "flowed"]
