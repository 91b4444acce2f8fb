"""Does a diffusion sampler do what it says? Exact laws decide it, on any library's sampler as it is
shipped.

`conform(sampler)` returns a `Report`. A `Sampler` comes from an adapter (`samplercheck.adapters`)
or is made by hand from a function `run(network, x, steps, draws)`. Names are imported when they are
asked for, since PyTorch takes seconds.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from samplercheck.answered_draws import Draws, Unanswered
    from samplercheck.judgement import conform
    from samplercheck.model import Network, noise_level
    from samplercheck.nonlinear import differ
    from samplercheck.report import Report
    from samplercheck.sampler import Sampler, inversion

__version__ = "4.1"
"""The version of the checks and their thresholds, which each report states, and of the package."""

_PLACES = {
    "Draws": "answered_draws",
    "Network": "model",
    "Report": "report",
    "Sampler": "sampler",
    "Unanswered": "answered_draws",
    "conform": "judgement",
    "differ": "nonlinear",
    "inversion": "sampler",
    "noise_level": "model",
}
__all__ = [
    "Draws",
    "Network",
    "Report",
    "Sampler",
    "Unanswered",
    "conform",
    "differ",
    "inversion",
    "noise_level",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
