"""The conformance kit: does a sampler do what it says? By exact laws, on any library's sampler as it is shipped.

`conform(sampler)` returns a `Report`. A `Sampler` comes from an adapter (`ams.conformance.adapters`) or is made by
hand from a function `run(network, x, steps, draws)`.
"""

from ams.conformance.answered_draws import Draws, Unanswered
from ams.conformance.conform import conform
from ams.conformance.differ import differ
from ams.conformance.model import Network, noise_level
from ams.conformance.report import Report
from ams.conformance.sampler import Sampler

__all__ = ["Draws", "Network", "Report", "Sampler", "Unanswered", "conform", "differ", "noise_level"]
